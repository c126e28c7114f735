"""What a seeded member did: carts, orders, interactions, visits, communications, choices. Rows by table."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.seeding.people import Person, draw_id
from gateway.seeding.pools import (
    BROWSERS,
    CONTENTS,
    INTERESTS,
    MESSAGES,
    PAGES,
    PRODUCTS,
    PROVIDERS,
    REFERRERS,
    SURVEY,
)
from schema.categories import DataCategory, Purpose
from schema.vocabulary import ChoiceSource, Direction

Rows = dict[str, list[Any]]

WITH_CHOICES: Final = 0.3
CURRENCIES: Final = {
    "US": "USD",
    "CA": "CAD",
    "GB": "GBP",
    "AU": "AUD",
    "SE": "SEK",
    "DE": "EUR",
    "FR": "EUR",
}
_STATUSES: Final = (
    "PLACED",
    "PAID",
    "SHIPPED",
    "DELIVERED",
    "DELIVERED",
    "DELIVERED",
    "CANCELLED",
    "RETURNED",
)
_KINDS: Final = tuple(CONTENTS)
_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")
"""Kept for documentation (RFC 5737)."""

_PURPOSES: Final = (
    None,
    Purpose.PARTNER_OFFERS,
    Purpose.PARTNER_EMAIL,
    Purpose.JOINT_SERVICE,
    Purpose.OWN_OFFERS,
)
_CATEGORIES: Final = (
    None,
    None,
    [DataCategory.EMAIL.value],
    [DataCategory.NAME.value],
    [DataCategory.ADDRESS.value],
    [DataCategory.AGE_RANGE.value, DataCategory.PROFILE.value],
    [DataCategory.LAST_NAME.value],
)
_SOURCES: Final = (
    ChoiceSource.REGISTRATION,
    ChoiceSource.PROFILE_PAGE,
    ChoiceSource.UNSUBSCRIBE_LINK,
    ChoiceSource.MAIL,
    ChoiceSource.IMPORT,
)


def draw_activity(
    rng: random.Random, person: Person, now: datetime, rows: Rows, partners: Sequence[UUID]
) -> None:
    """Add everything that one member did to `rows`, and the purchase categories to the member's row."""
    span = now - person.joined_at
    moments = sorted(person.joined_at + span * rng.random() for _ in range(12))
    bought: set[str] = set()
    for position in range(rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
        bought |= _draw_order(rng, person, f"{person.member[1]}-{position + 1}", moments[position], rows)
    person.member[_PURCHASE_CATEGORIES] = sorted(bought)
    if rng.random() < 0.4:  # noqa: PLR2004 - most carts are empty
        _draw_cart(rng, person, moments[4], now, rows)
    for at in moments[5 : 5 + rng.choice((0, 1, 1, 2))]:
        _draw_interaction(rng, person, at, rows)
    for at in moments[7 : 7 + rng.choice((0, 1, 1, 2))]:
        _draw_visit(rng, person, at, now, rows)
    for at in moments[9 : 9 + rng.choice((0, 0, 1, 2))]:
        direction, subject, body = rng.choice(MESSAGES)
        rows["communication"].append((draw_id(rng, at), person.id, direction, subject, body, at))
    if rng.random() < WITH_CHOICES:
        for at in moments[: rng.choice((1, 1, 2, 3))]:
            _draw_choice(rng, person, at, rows, partners)


_PURCHASE_CATEGORIES: Final = 11
"""Position in a row of `member`."""


def _draw_order(rng: random.Random, person: Person, number: str, at: datetime, rows: Rows) -> set[str]:
    order_id, status = draw_id(rng, at), rng.choice(_STATUSES)
    total, categories = Decimal(0), set()
    for category, name, price in rng.sample(PRODUCTS, rng.choice((1, 1, 2, 3))):
        quantity, unit = rng.choice((1, 1, 1, 2)), Decimal(price) / 100
        total += unit * quantity
        categories.add(category)
        line_id = draw_id(rng, at)
        rows["order_line"].append((line_id, order_id, _sku(name), name, category, quantity, unit))
    currency = CURRENCIES[person.country]
    rows["customer_order"].append((order_id, person.id, number, status, at, total, currency))
    return set() if status == "CANCELLED" else categories


def _draw_cart(rng: random.Random, person: Person, at: datetime, now: datetime, rows: Rows) -> None:
    cart_id = draw_id(rng, at)
    status = rng.choice(("OPEN", "OPEN", "ORDERED", "ABANDONED"))
    rows["cart"].append((cart_id, person.id, status, at, min(now, at + timedelta(minutes=rng.randrange(90)))))
    for _, name, price in rng.sample(PRODUCTS, rng.choice((1, 2, 3))):
        unit, item_id = Decimal(price) / 100, draw_id(rng, at)
        rows["cart_item"].append(
            (item_id, cart_id, _sku(name), name, rng.choice((1, 1, 2)), unit, CURRENCIES[person.country])
        )


def _draw_interaction(rng: random.Random, person: Person, at: datetime, rows: Rows) -> None:
    kind = rng.choice(_KINDS)
    content = CONTENTS[kind].format(
        yes=rng.choice(("yes", "no")),
        who=rng.choice(("a friend", "a newsletter", "a poster")),
        mood=rng.choice(SURVEY),
        topic=rng.choice(INTERESTS),
    )
    source = rng.choice(("website", "shop", "e-mail", "fair"))
    rows["interaction"].append((draw_id(rng, at), person.id, kind, source, at, content))


def _draw_visit(rng: random.Random, person: Person, at: datetime, now: datetime, rows: Rows) -> None:
    visit_id = draw_id(rng, at)
    pages = rng.sample(PAGES, rng.randrange(1, 6))
    address = f"{rng.choice(_NETWORKS)}.{rng.randrange(1, 255)}"
    technical = (rng.choice(PROVIDERS), rng.choice(BROWSERS), rng.choice(REFERRERS))
    rows["visit"].append((visit_id, person.id, at, address, *technical, pages[-1]))
    viewed_at = at
    for page in pages:
        seconds = rng.randrange(2, 240)
        rows["page_view"].append((draw_id(rng, viewed_at), visit_id, page, viewed_at, seconds))
        viewed_at = min(now, viewed_at + timedelta(seconds=seconds))


def _draw_choice(
    rng: random.Random, person: Person, at: datetime, rows: Rows, partners: Sequence[UUID]
) -> None:
    """Of all kinds: general and narrow, in and out, and the browser's signal (GPC): a general no."""
    if rng.random() < 0.25:  # noqa: PLR2004 - a quarter
        gpc = (Direction.OUT.value, ChoiceSource.GPC.value, None, None, None)
        rows["choice"].append((draw_id(rng, at), person.id, at, at, *gpc))
        return
    direction = rng.choice((Direction.OUT, Direction.OUT, Direction.IN))
    partner = rng.choice(partners) if partners and rng.random() < 0.3 else None  # noqa: PLR2004 - some
    purpose = rng.choice(_PURPOSES)
    narrow = (partner, purpose and purpose.value, rng.choice(_CATEGORIES))
    rows["choice"].append(
        (draw_id(rng, at), person.id, at, at, direction.value, rng.choice(_SOURCES).value, *narrow)
    )


def _sku(name: str) -> str:
    return "-".join(word[:4].upper() for word in name.replace("-", " ").split())
