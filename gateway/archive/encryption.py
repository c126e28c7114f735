"""An encrypted file (age, C2SP): plain bytes go in and nothing but cipher text ever touches the disk.

Comes in: to whom it is encrypted, and plain bytes as they are made. Goes out: one file of the given name,
whole and on the disk, or none. What was there before is never overwritten.

INVARIANT (never-plain-on-disk): the only file that is opened here is written by the encryptor. Plain bytes
are in memory and in a pipe.

To a key, bytes are encrypted as they come. To a passphrase the library encrypts in one piece, so the bytes,
which are compressed by then, are kept in memory until the end (`MOST_UNDER_PASSPHRASE`).
"""

from __future__ import annotations

import io
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import pyrage

from policies.age_recipients import encrypts_to
from schema.errors import InputError

MOST_UNDER_PASSPHRASE: Final = 256 * 1024 * 1024
"""Bytes that are kept in memory at most: a member with 100,000 disclosures needs about 20 MB."""


@dataclass(frozen=True, slots=True)
class ToKeys:
    """Whoever has one of the secret keys opens it. Public keys as `policies.age_recipients` reads them."""

    recipients: Sequence[str]


@dataclass(frozen=True, slots=True)
class ToPassphrase:
    """Whoever knows the passphrase opens it."""

    passphrase: str = field(repr=False)


Lock: TypeAlias = ToKeys | ToPassphrase


@contextmanager
def encrypted_file(path: Path, lock: Lock) -> Iterator[IO[bytes]]:
    """What is written into the file that is given goes encrypted to `path`, which is there at the end.

    1. the name is reserved, so that nothing is overwritten, neither now nor at the end;
    2. a draft beside it takes the cipher text, readable by this user only;
    3. after the last byte it is forced to the disk, and takes the name.
    After any failure neither the draft nor the name is left.

    Raises:
        InputError: the name is taken, or the folder or the disk does not take the file.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # 1
    except FileExistsError:
        raise InputError("`--out` is there already: choose another name, nothing is overwritten") from None
    except OSError:
        raise InputError("`--out` cannot be written: choose another place") from None
    # Not named after it: a name may be as long as the disk allows, and the draft's would be longer.
    draft = path.with_name(f".archive.{secrets.token_hex(8)}")
    done = False
    try:
        with _written(draft) as out, _encrypting(out, lock) as plain:  # 2
            yield plain
        _translated(lambda: draft.replace(path))  # 3
        _force_folder(path.parent)
        done = True
    finally:
        if not done:
            draft.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


@contextmanager
def _written(draft: Path) -> Iterator[IO[bytes]]:
    """A new file that is on the disk at the end. What it cannot take is told once, as an error of ours."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    out = _translated(lambda: os.fdopen(os.open(draft, flags, 0o600), "wb"))
    try:
        yield out
        _translated(lambda: _force(out))
    finally:
        # After a failure the file writes what is left once more as it is closed, and fails once more.
        with suppress(OSError):
            out.close()


def _force(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())


def _force_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _encrypting(out: IO[bytes], lock: Lock) -> Iterator[IO[bytes]]:
    match lock:
        case ToKeys(recipients=recipients):
            with _encrypting_to_keys(out, recipients) as plain:
                yield plain
        case ToPassphrase(passphrase=passphrase):
            kept = _Kept()
            yield kept
            _translated(lambda: out.write(pyrage.passphrase.encrypt(kept.getvalue(), passphrase)))


@contextmanager
def _encrypting_to_keys(out: IO[bytes], recipients: Sequence[str]) -> Iterator[IO[bytes]]:
    """The library asks for bytes, and we have them to give: a pipe, and a thread at its other end."""
    keys = [encrypts_to(recipient) for recipient in recipients]
    read_end, write_end = os.pipe()
    failed: list[InputError] = []

    def encrypt() -> None:
        with os.fdopen(read_end, "rb") as source:
            try:
                _translated(lambda: pyrage.encrypt_io(source, out, keys))
            except InputError as error:
                failed.append(error)
            # A panic of the library is no `Exception`; whatever ended it, half a file is no archive.
            except BaseException:  # noqa: BLE001
                failed.append(InputError("the file could not be encrypted to this key: take another one"))

    thread = threading.Thread(target=encrypt, name="encrypt")
    thread.start()
    try:
        with os.fdopen(write_end, "wb") as plain:
            yield plain
    except BrokenPipeError:
        thread.join()
        if not failed:
            raise
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _translated(encrypt: Callable[[], Any]) -> Any:
    try:
        return encrypt()
    except (pyrage.EncryptError, OSError):
        # The library's error may quote what the disk said, and nothing of it is for a log.
        raise InputError("`--out` could not be written to its end: is the disk full?") from None


class _Kept(io.BytesIO):
    """Bytes in memory, up to a bound."""

    def write(self, data: Any, /) -> int:
        """Keep them.

        Raises:
            InputError: there are too many.
        """
        if self.tell() + len(data) > MOST_UNDER_PASSPHRASE:
            raise InputError("there is too much for a passphrase: ask the member for a key (`age1...`)")
        return super().write(data)
