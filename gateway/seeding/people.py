"""One member from a seed value and an index: who it is, without the secrets.

Every member has a random stream of its own, so member 7 is the same among ten members and among a million.
"""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.seeding.pools import INTERESTS, LANDS, Pool, pools
from policies.registration import region_of
from schema.tables.member import MemberStatus

MINORS: Final = 0.03
WITHOUT_BIRTH_DATE: Final = 0.04
INVITED: Final = 0.02
OLDEST_MEMBERSHIP: Final = timedelta(days=2_400)
_CARDS: Final = ("Visa", "Mastercard", "American Express", "Maestro")
_LABELS: Final = (("mobile",), ("home",), ("mobile", "home"), ("work", "mobile"))
_NOT_PLAIN: Final = re.compile(r"[^a-z]")
_WEIGHTS: Final = tuple(land.weight for land in LANDS)


@dataclass(frozen=True, slots=True)
class Outline:
    """The first draws for a member: where it comes from, which numbers it has. `rng` goes on."""

    pool: Pool
    phone_labels: tuple[str, ...]
    rng: random.Random


@dataclass(frozen=True, slots=True)
class Person:
    """A member's rows, by table. `joined_at` bounds everything that the member did."""

    id: UUID
    country: str
    joined_at: datetime
    member: list[Any]
    address: tuple[Any, ...]
    phones: list[tuple[Any, ...]]
    billing: list[tuple[Any, ...]]
    tokens: list[tuple[UUID, UUID, str]]
    has_password: bool


def outline(seed_value: int, index: int) -> Outline:
    """The beginning of the member with this index."""
    rng = random.Random(f"{seed_value}/member/{index}")  # noqa: S311 - fiction, to be repeated
    pool = rng.choices(pools(seed_value), _WEIGHTS)[0]
    return Outline(pool, rng.choice(_LABELS), rng)


def draw_id(rng: random.Random, at: datetime) -> UUID:
    """An id like `schema.ids.new_id` makes them, from the given stream and time."""
    value = int(at.timestamp() * 1_000) << 80 | 0x7 << 76 | rng.getrandbits(76)
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def member_number(seed_value: int, index: int) -> str:
    """Names the member; different seed values can live in one database."""
    return f"S{seed_value}-{index + 1:06d}"


def draw_person(seed_value: int, index: int, start: Outline, now: datetime) -> Person:
    """The member's own rows. `purchase_categories` are empty until the orders are drawn."""
    rng, pool = start.rng, start.pool
    country = pool.land.country
    given, family = rng.choice(pool.given_names), rng.choice(pool.family_names)
    joined_at = now - timedelta(seconds=int(rng.random() * OLDEST_MEMBERSHIP.total_seconds()) + 1)
    updated_at = joined_at + (now - joined_at) * rng.random()
    member_id = draw_id(rng, joined_at)
    invited = rng.random() < INVITED
    city, state, postal_code = rng.choice(pool.places)
    street, house = rng.choice(pool.streets), rng.randrange(1, 240)
    line1 = f"{house} {street}" if pool.land.house_first else f"{street} {house}"
    line2 = f"Apt {rng.randrange(1, 60)}" if rng.random() < 0.2 else None  # noqa: PLR2004 - a fifth
    plain = _plain(given)
    username = f"{plain}.{seed_value}.{index + 1}" if rng.random() < 0.6 else None  # noqa: PLR2004 - most
    email = f"{plain}.{_plain(family)}{index + 1}@s{seed_value}.example.com"
    interests = sorted(rng.sample(INTERESTS, rng.choice((0, 1, 2, 3, 3, 4, 6))))
    birth_date = _birth_date(rng, now.date())
    verified = None if rng.random() < 0.2 else joined_at + timedelta(minutes=rng.randrange(1, 600))  # noqa: PLR2004
    status = MemberStatus.INVITED if invited else MemberStatus.ACTIVE
    identity = [member_id, member_number(seed_value, index), status.value, username, given, family, email]
    facts = [verified and min(verified, now), birth_date, region_of(country, state), interests, []]
    member = [*identity, *facts, joined_at, updated_at, 1]
    billing, tokens = _draw_billing(rng, member_id, joined_at, 0 if invited else rng.choice((1, 1, 1, 2)))
    address_id = draw_id(rng, joined_at)
    return Person(
        id=member_id,
        country=country,
        joined_at=joined_at,
        member=member,
        address=(
            address_id,
            member_id,
            "HOME",
            True,
            line1,
            line2,
            city,
            state,
            postal_code,
            country,
            joined_at,
        ),
        phones=[(draw_id(rng, joined_at), member_id, label, joined_at) for label in start.phone_labels],
        billing=billing,
        tokens=tokens,
        has_password=not invited,
    )


def _draw_billing(
    rng: random.Random, member_id: UUID, at: datetime, count: int
) -> tuple[list[tuple[Any, ...]], list[tuple[UUID, UUID, str]]]:
    methods, tokens = [], []
    for _ in range(count):
        method_id = draw_id(rng, at)
        month, year = rng.randrange(1, 13), at.year + rng.randrange(2, 8)
        methods.append(
            (method_id, member_id, rng.choice(_CARDS), f"{rng.randrange(10_000):04d}", month, year, at)
        )
        tokens.append((method_id, member_id, f"tok_{rng.getrandbits(96):024x}"))
    return methods, tokens


def _birth_date(rng: random.Random, today: date) -> date | None:
    draw = rng.random()
    if draw < WITHOUT_BIRTH_DATE:
        return None
    if draw < WITHOUT_BIRTH_DATE + MINORS:
        days = rng.uniform(8 * 365.25, 17.9 * 365.25)
    else:
        days = rng.triangular(18.1 * 365.25, 88 * 365.25, 36 * 365.25)
    return today - timedelta(days=int(days))


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return _NOT_PLAIN.sub("", letters) or "member"
