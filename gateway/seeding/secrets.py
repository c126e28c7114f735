"""The secrets of seeded members: fictional telephone numbers, and the form of password hashes.

Numbers lie in ranges that regulators keep for fiction (NANPA 555-01xx, Ofcom, Bundesnetzagentur, ARCEP,
ACMA, PTS) and are valid to libphonenumber, so that every check treats them as real. The hashes are
Argon2id in form; no password fits them.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_AREAS: Final = {
    "US": (
        *(206, 212, 213, 214, 215, 267, 303, 305, 312, 313, 314, 346, 404, 412, 415, 469, 503, 504, 512, 518),
        *(602, 612, 615, 617, 619, 646, 702, 713, 718, 786, 801, 808, 818, 904, 913, 916, 917, 919, 929, 971),
    ),
    "CA": (204, 250, 306, 403, 416, 418, 506, 514, 604, 613, 647, 705, 709, 778, 780, 902, 905),
}

_PREFIXES: Final[Mapping[str, tuple[tuple[str, int], ...]]] = MappingProxyType(
    {
        "US": tuple((f"+1{area}55501", 2) for area in _AREAS["US"]),
        "CA": tuple((f"+1{area}55501", 2) for area in _AREAS["CA"]),
        "GB": (
            ("+442079460", 3),
            *((f"+44{area}4960", 3) for area in (113, 114, 116, 117, 118, 121, 131, 141, 151, 161)),
        ),
        "DE": (
            ("+493023125", 3),
            ("+496990009", 3),
            ("+494066969", 3),
            ("+492214710", 3),
            ("+498999998", 3),
        ),
        "FR": (("+3319900", 4), ("+3326191", 4), ("+3335301", 4), ("+3346571", 4), ("+3353649", 4)),
        "AU": (("+6125550", 4), ("+6127010", 4), ("+6137010", 4), ("+6177010", 4), ("+6187010", 4)),
        "SE": (("+463139006", 2), ("+4684650045", 1), ("+464062804", 2), ("+467017406", 2)),
    }
)
"""For each country prefixes, and how many digits are free after each."""


def phone_numbers_of(secret_value: int, index: int, country: str, count: int) -> list[str]:
    """The numbers of the member with this index, in E.164."""
    rng = random.Random(f"{secret_value}/phones/{index}")  # noqa: S311 - fiction, to be repeated
    numbers = []
    for _ in range(count):
        prefix, free = rng.choice(_PREFIXES[country])
        numbers.append(f"{prefix}{rng.randrange(10**free):0{free}d}" if free else prefix)
    return numbers


def password_hash_of(secret_value: int, index: int) -> str:
    """An Argon2id hash in PHC form, with random bytes for salt and hash."""
    rng = random.Random(f"{secret_value}/password/{index}")  # noqa: S311 - fiction, to be repeated
    salt, digest = (b64encode(rng.randbytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m=65536,t=3,p=4${salt}${digest}"


def seeded_phone_numbers(seed_value: int, members: int, secret_value: int | None = None) -> list[str]:
    """Every number that `seed` gives to this many members, in their order: what tests search for."""
    from gateway.seeding.people import outline  # noqa: PLC0415 - people draw their countries from the pools

    secret = seed_value if secret_value is None else secret_value
    outlines = ((index, outline(seed_value, index)) for index in range(members))
    return [
        n for i, o in outlines for n in phone_numbers_of(secret, i, o.pool.land.country, len(o.phone_labels))
    ]


def seeded_password_hashes(seed_value: int, members: int, secret_value: int | None = None) -> list[str]:
    """Every password hash that `seed` may give to this many members."""
    secret = seed_value if secret_value is None else secret_value
    return [password_hash_of(secret, index) for index in range(members)]
