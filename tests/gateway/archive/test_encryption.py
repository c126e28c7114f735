from __future__ import annotations

import os
import resource
import secrets
import stat
import threading
from pathlib import Path
from typing import IO

import pyrage
import pytest

from gateway.archive import encryption
from gateway.archive.encryption import ToKeys, ToPassphrase, encrypted_file
from schema.errors import InputError

IDENTITY = pyrage.x25519.Identity.generate()
KEY = ToKeys([str(IDENTITY.to_public())])
PASSPHRASE = "nine copper kettles sing before dawn"
LARGE = 3_000_000
"""Bytes: more than a pipe and a chunk of the format hold."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.zip.age"


@pytest.mark.clause("C12")
def test_what_was_written_opens_with_the_key_and_with_no_other(path: Path) -> None:
    plain = secrets.token_bytes(LARGE)
    with encrypted_file(path, KEY) as out:
        for start in range(0, LARGE, 70_000):
            out.write(plain[start : start + 70_000])
    sealed = path.read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert pyrage.decrypt(sealed, [IDENTITY]) == plain
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.clause("C12")
@pytest.mark.slow
def test_what_was_written_opens_with_the_passphrase(path: Path) -> None:
    with encrypted_file(path, ToPassphrase(PASSPHRASE)) as out:
        out.write(b"everything")
    sealed = path.read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert b"everything" not in sealed
    assert pyrage.passphrase.decrypt(sealed, PASSPHRASE) == b"everything"


def test_a_passphrase_is_in_no_repr() -> None:
    assert PASSPHRASE not in repr(ToPassphrase(PASSPHRASE))


@pytest.mark.parametrize("lock", [KEY, ToPassphrase(PASSPHRASE)], ids=["key", "passphrase"])
def test_a_failure_leaves_nothing_and_no_thread(path: Path, lock: encryption.Lock) -> None:
    def fail() -> None:
        with encrypted_file(path, lock) as out:
            out.write(b"x" * LARGE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(path.parent.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "encrypt"]


@pytest.mark.clause("C12")
def test_plain_bytes_are_in_no_file_at_any_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the folder is looked at while it is written, and once more after a crash in the middle."""
    seen: list[bytes] = []

    def write() -> None:
        with encrypted_file(path, KEY) as out:
            for _ in range(40):
                out.write(b"plain text " * 10_000)
                seen.extend(each.read_bytes() for each in path.parent.iterdir())
            monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    seen += [each.read_bytes() for each in path.parent.iterdir()]
    assert any(len(content) > 100_000 for content in seen), "there was something to see"
    assert not any(b"plain text" in content for content in seen)


def test_a_name_that_is_taken_is_refused_and_what_has_it_is_untouched(path: Path) -> None:
    path.write_bytes(b"of before")
    with pytest.raises(InputError, match="`--out` is there already"), encrypted_file(path, KEY):
        pytest.fail("nothing was opened")
    assert path.read_bytes() == b"of before"


def test_a_link_that_leads_nowhere_is_not_followed(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.symlink_to(elsewhere)
    with pytest.raises(InputError), encrypted_file(path, KEY):
        pytest.fail("nothing was opened")
    assert not elsewhere.exists()


def test_a_folder_that_is_not_there_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(InputError, match="another place"), encrypted_file(path / "x", KEY):
        pytest.fail("nothing was opened")


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_full_disk_is_an_error_of_ours_that_quotes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def refused(*_: object) -> None:
        raise pyrage.EncryptError("OSError: no space left for Ada Lovelace")

    monkeypatch.setattr(pyrage, "encrypt_io", refused)
    with pytest.raises(InputError) as caught, encrypted_file(path, KEY) as out:
        out.write(b"x" * size)
    assert "Ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_panic_of_the_library_leaves_no_file_that_looks_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    class Panic(BaseException):
        """As the library raises one: no `Exception`."""

    def panics(source: IO[bytes], *_: object) -> None:
        source.read()
        raise Panic

    monkeypatch.setattr(pyrage, "encrypt_io", panics)
    with pytest.raises(InputError, match="another"), encrypted_file(path, KEY) as out:
        out.write(b"x" * size)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("lock", [KEY, ToPassphrase(PASSPHRASE)], ids=["key", "passphrase"])
@pytest.mark.parametrize("size", [9_000, LARGE])
def test_what_the_disk_does_not_take_is_an_error_of_ours(
    path: Path, lock: encryption.Lock, size: int
) -> None:
    """The limit is that of a file here: a disk that is full answers alike, also as the file is closed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        with pytest.raises(InputError, match="is the disk full"), encrypted_file(path, lock) as out:
            out.write(b"x" * size)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(path.parent.iterdir()) == []


def test_the_file_is_forced_to_the_disk_before_it_gets_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def forced(handle: int) -> None:
        done.append("forced")
        fsync(handle)

    def named(draft: Path, target: Path) -> None:
        done.append("named")
        replace(draft, target)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(Path, "replace", named)
    with encrypted_file(path, KEY) as out:
        out.write(b"x")
    assert done == ["forced", "named", "forced"]


def test_more_than_a_passphrase_is_meant_for_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "MOST_UNDER_PASSPHRASE", 10)
    with (
        pytest.raises(InputError, match="age1"),
        encrypted_file(path, ToPassphrase(PASSPHRASE)) as out,
    ):
        out.write(b"x" * 11)
    assert list(path.parent.iterdir()) == []
