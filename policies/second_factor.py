"""Codes of a second factor: six digits that follow from a secret and the half minute (TOTP, RFC 6238).

In come a secret, what was typed and the clock; out comes the time step whose code it is, or None. Whether
that step was used before is for the caller to find out and to write down: a code counts once.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES: Final = 20
"""160 bits, what RFC 4226 recommends and every authenticator takes."""

DIGITS: Final = 6
STEP: Final = 30
"""Seconds. With SHA-1 and six digits, the only values that every authenticator app reads from the address."""

DRIFT: Final = 1
"""Steps before and after that count as well: a code typed slowly, a clock that is off (RFC 6238, 5.2)."""


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step of which `code` is the code; None if it is of none near `now`.

    Every step is compared, in constant time each, whichever fits.
    """
    typed = "".join(code.split()).encode("ascii", "replace")
    current = int(now.timestamp()) // STEP
    generator = HOTP(secret, DIGITS, SHA1())  # noqa: S303 - as RFC 6238 has it; HMAC does not need collisions
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(generator.generate(step), typed):
            found = step
    return found


def address_of(secret: bytes, account: str, issuer: str) -> str:
    """The `otpauth://` address that an authenticator app reads, as text or as a QR code."""
    return TOTP(secret, DIGITS, SHA1(), STEP).get_provisioning_uri(account, issuer)  # noqa: S303 - as above
