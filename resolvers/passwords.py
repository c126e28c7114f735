"""Password hashes: Argon2id (RFC 9106), made and checked in threads, so that other requests go on.

Comes in: a password as typed. Goes out: a hash in PHC string form, or whether it fits one. A password is
never kept, logged or compared but here; hashes go to the vault (`resolvers.commands.member_secrets`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import argon2
import bcrypt

from policies.passwords import normalized
from schema.errors import SettingsError, UnavailableError

OWASP_FLOOR: Final = ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
"""Memory in KiB and passes: OWASP Password Storage Cheat Sheet, Argon2id, each as good as the others."""

BCRYPT_PREFIXES: Final = ("$2a$", "$2b$", "$2y$")
BCRYPT_BYTES: Final = 72
"""bcrypt never looked further; what made an imported hash did not either."""

LONGEST_TYPED: Final = 1_024
"""Characters. Longer than any password that was ever admitted, and brought to NFC in no time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password fits, and whether its hash should be made anew with today's parameters."""

    fits: bool
    outdated: bool = False


class PasswordHasher:
    """Hashes and verifies, `threads` at a time; more than `queue` waiting are turned away.

    CLAUSE (C14): a password is stored as an Argon2id hash, and only compared.

    `memory` in KiB. Close it when the program ends.
    """

    def __init__(self, *, memory: int, passes: int, threads: int, queue: int) -> None:
        if not any(memory >= least and passes >= times for least, times in OWASP_FLOOR):
            raise SettingsError(
                "`GATEWAY_PASSWORD_MEMORY` and `GATEWAY_PASSWORD_PASSES` are below OWASP's floor:"
                " see docs/settings.md"
            )
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._limit = threads + queue
        self._waiting = 0
        self._decoy = self._argon2.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """The hash of a password.

        Raises:
            UnavailableError: too many passwords are being hashed already.
        """
        return await self._run(lambda: self._argon2.hash(normalized(password)))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Whether `password` fits; with no hash, never, after the same work.

        Raises:
            UnavailableError: too many passwords are being checked already.
        """
        if len(password) > LONGEST_TYPED:
            password_hash, password = None, ""
        return await self._run(lambda: self._verify(password_hash, normalized(password)))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str | None, password: str) -> Verdict:
        if password_hash is not None and password_hash.startswith(BCRYPT_PREFIXES):
            return Verdict(_fits_bcrypt(password_hash, password), outdated=True)
        try:
            self._argon2.verify(self._decoy if password_hash is None else password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return Verdict(fits=False)
        if password_hash is None:
            return Verdict(fits=False)
        return Verdict(fits=True, outdated=self._argon2.check_needs_rehash(password_hash))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._limit:
            raise UnavailableError("too many passwords are being checked: try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _fits_bcrypt(password_hash: str, password: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], password_hash.encode())
    except ValueError:  # a hash that is damaged, or a NUL in the password
        return False
