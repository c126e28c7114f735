"""The keys that our own tokens are signed with: which one signs at which time, and who may still verify.

    signing-<kid>.json    an Ed25519 key as JWK (RFC 8037), with `signs_from` in Unix seconds

Time alone moves a key on, by the clock of whoever looks, so that all replicas agree and none has to write:

    NEXT -> ACTIVE        at its `signs_from`; published before, so that whoever verifies knows it by then
    ACTIVE -> RETIRING    when the next one begins to sign
    RETIRING -> EXPIRED   when every token that it signed has expired; not published any more, file removable

A rotation is one new file. A running gateway looks at the folder once a second and needs no restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.telemetry import failure
from resolvers.revocations import LONGEST_TOKEN
from schema.errors import SettingsError

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the folder: as long as a revocation may take to be heard of."""

RETIRED_FOR: Final = LONGEST_TOKEN + timedelta(minutes=5)
"""How long a key verifies after its last signature: the longest token, and the clocks."""

PATTERN: Final = "signing-*.json"


class SigningStatus(StrEnum):
    """What a key does at a given time. Only ACTIVE signs; all but EXPIRED verify and are published."""

    NEXT = "NEXT"
    ACTIVE = "ACTIVE"
    RETIRING = "RETIRING"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for our own tokens. `kid` is the thumbprint of the public key (RFC 7638)."""

    kid: str
    signs_from: float
    private_key: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What verifies."""
        return self.private_key.public_key()


class SigningKeys:
    """The keys of a process, followed as their folder changes. `version` rises with every change.

    `read` gives the keys that are in `folder`; without a folder they stay as they are.
    """

    def __init__(
        self,
        keys: Sequence[SigningKey],
        *,
        folder: Path | None = None,
        read: Callable[[Path], Sequence[SigningKey]] | None = None,
    ) -> None:
        """Take the keys as they are.

        Raises:
            SettingsError: none of them signs now.
        """
        self._keys = _checked(keys)
        self._folder = folder
        self._read = read
        self._seen = _look_of(folder)
        self._looked_at = time.monotonic()
        self._version = 0

    @property
    def version(self) -> int:
        """Which keys these are: whoever kept something that one of them vouched for compares it."""
        self._look()
        return self._version

    def by_status(self, now: float | None = None) -> Sequence[tuple[SigningKey, SigningStatus]]:
        """Every key with what it does, in the order in which they sign."""
        self._look()
        return with_status(self._keys, time.time() if now is None else now)

    @property
    def signing_key(self) -> SigningKey:
        """The one that signs now."""
        return next(key for key, status in self.by_status() if status is SigningStatus.ACTIVE)

    @property
    def verification_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """What our own tokens may be verified with now, by `kid`."""
        return {
            key.kid: key.public_key for key, status in self.by_status() if status is not SigningStatus.EXPIRED
        }

    def _look(self) -> None:
        """Read the folder again if it has changed; what cannot be read leaves the keys as they were."""
        if self._folder is None or self._read is None or time.monotonic() - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = time.monotonic()
        seen = _look_of(self._folder)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._keys = _checked(self._read(self._folder))
        except SettingsError as error:
            failure("signing keys not read", error)
            return
        self._version += 1


def with_status(keys: Sequence[SigningKey], now: float) -> list[tuple[SigningKey, SigningStatus]]:
    """The keys with what they do at `now`, in the order in which they sign."""
    ordered = sorted(keys, key=lambda key: (key.signs_from, key.kid))
    ends = [*(key.signs_from for key in ordered), float("inf")]
    return [(key, _status(key, ends[place], now)) for place, key in enumerate(ordered, start=1)]


def _status(key: SigningKey, end: float, now: float) -> SigningStatus:
    """What a key does that signs until `end`."""
    if now < key.signs_from:
        return SigningStatus.NEXT
    if now < end:
        return SigningStatus.ACTIVE
    if now < end + RETIRED_FOR.total_seconds():
        return SigningStatus.RETIRING
    return SigningStatus.EXPIRED


def _checked(keys: Sequence[SigningKey]) -> tuple[SigningKey, ...]:
    if not any(status is SigningStatus.ACTIVE for _, status in with_status(keys, time.time())):
        raise SettingsError("no signing key signs now: restore one, or run `gateway init`")
    return tuple(keys)


def _look_of(folder: Path | None) -> object:
    """What changes when a file of the folder does."""
    if folder is None:
        return None
    try:
        found = [(path.name, path.stat()) for path in folder.glob(PATTERN)]
    except OSError:  # a file went while we looked: the next look will tell
        return None
    return sorted((name, state.st_mtime_ns, state.st_ino, state.st_size) for name, state in found)
