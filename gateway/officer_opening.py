"""Opens sealed telephone numbers with the officer's private key (C10, C12): commands only.

The key is read from the officer's file when a command is told where it is, is held for that command alone,
and is written nowhere. Nothing that serves imports this module: a contract of the imports and
`tests/attacks/test_archive.py` hold that.

CLAUSE (R1, C10): a number is readable for a command that was given the officer's key, and nowhere else.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.database import CONNECT_TIMEOUT, Database
from gateway.driver_errors import translate_driver_errors
from gateway.settings import Settings
from resolvers.sealed_numbers import SealedNumber, read_sealed_numbers
from resolvers.sealing import SUITE, sealing_info
from schema.errors import InputError, SettingsError


class NumberOpener:
    """Opens numbers. Its repr shows no key."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[X25519PrivateKey]) -> None:
        self._keys = keys

    def open(self, sealed: SealedNumber) -> str:
        """The number, in E.164. The caller shows it to whom it may be shown, and lets go of it.

        Raises:
            InputError: it is sealed to another key, or is not the row's own.
        """
        info = sealing_info(sealed.phone_id)
        for key in self._keys:
            try:
                return SUITE.decrypt(sealed.ciphertext, key, info=info).rstrip(b"\0").decode("ascii")
            except InvalidTag:
                continue
        raise InputError(
            f"`--officer-key`: a number is sealed to the key `{sealed.key_id}`, which was not given"
        )


@dataclass(frozen=True, slots=True)
class OpenedNumber:
    """A telephone number, readable: for the member's own archive, or for a call about the account."""

    phone_id: UUID
    label: str
    number: str = field(repr=False)


async def open_numbers(database: Database, opener: NumberOpener, member_id: UUID) -> Sequence[OpenedNumber]:
    """The member's numbers. The caller has committed before why they are opened.

    They are read over a connection of the database's owner, closed again at once: no role of the service may.

    Raises:
        InputError: one is sealed to a key that is not there.
        UnavailableError: the database does not answer.
    """
    with translate_driver_errors():
        owner = await asyncpg.connect(database.url, timeout=CONNECT_TIMEOUT)
        try:
            async with owner.transaction(readonly=True):
                sealed = await read_sealed_numbers(owner, member_id)
        finally:
            await owner.close()
    return [OpenedNumber(each.phone_id, each.label, opener.open(each)) for each in sealed]


def read_officer_keys(paths: Iterable[Path], settings: Settings) -> NumberOpener:
    """The keys in these files, as `gateway init` wrote them.

    Raises:
        SettingsError: one is where the service could read it, or other users can.
        InputError: one cannot be read or is no key.
    """
    return NumberOpener([_read(path.resolve(), settings) for path in paths])


def _read(path: Path, settings: Settings) -> X25519PrivateKey:
    if path.is_relative_to(settings.data_dir.resolve()):
        raise SettingsError(
            "`--officer-key` is inside `GATEWAY_DATA_DIR`, where the service could read it: take it away from"
            " there, and consider every number known to whoever had the folder"
        )
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError("`--officer-key` is readable by other users: chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError:
        raise InputError("`--officer-key` cannot be read") from None
    except (ValueError, TypeError):
        raise InputError("`--officer-key` holds no private key as `gateway init` writes it") from None
    if not isinstance(key, X25519PrivateKey):
        raise InputError(
            "`--officer-key` holds a key of another kind: it is X25519 that numbers are sealed to"
        )
    return key
