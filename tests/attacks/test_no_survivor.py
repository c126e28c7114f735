"""Choices, signals, withdrawals and erasures at the same moment: nothing that was refused is left shared.

What must be shared in the end is worked out by a plain model of the rule, written from REQUIREMENTS and not
from the program: cell by cell, over the requests that were made and not over the ledger that was stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final, TypeAlias

import pytest

from gateway.app import Product
from gateway.keys import Keyring
from gateway.settings import Settings
from policies.principal import MemberPrincipal
from resolvers.commands.erasure import close_account
from resolvers.commands.opt_out_signal import note_signal
from resolvers.commands.partners import set_agreement_status
from resolvers.commands.unsubscribing import unsubscribe
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from schema.categories import Purpose, categories_of
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking
from tests.running import MakeDatabase

WRITERS: Final = 50
CONNECTIONS: Final = 25

PEOPLE: Final = ("ada", "ben", "gus", "hal", "ida", "jon", "lea", "max")
CLOSING: Final = ("lea", "max")
SWITCHED: Final = ("acme", "bolt", "acme-suspended")

_NAME: Final = ("user.name", "user.name.first", "user.name.last")
_ADDRESS: Final = (
    "user.contact.address", "user.contact.address.street", "user.contact.address.city",
    "user.contact.address.state", "user.contact.address.postal_code", "user.contact.address.country",
)  # fmt: skip
_MARKETING: Final = (
    *_NAME, "user.contact.email", "user.location.imprecise", "user.demographic.age_range",
    "user.demographic.profile",
)  # fmt: skip
UNTIL_OPT_OUT: Final[Mapping[str, frozenset[str]]] = {
    "STRATEGIC": frozenset({*_MARKETING, *_ADDRESS, "user.behavior.purchase_history"}),
    "MARKETING": frozenset(_MARKETING),
}
"""The shipped default policy, as REQUIREMENTS says it."""

CHOOSE: Final = "mutation ($input: ChooseInput!) { choose(input: $input) { errors { code } } }"

Shares: TypeAlias = dict[tuple[str, str], frozenset[str]]
"""The categories that leave, by client and member."""


@dataclass(frozen=True)
class Request:
    """What a member asked for. A selector that is None selects everything."""

    who: str
    on: datetime
    direction: str
    topic: str = "SHARING"
    partner: str | None = None
    purpose: Purpose | None = None
    categories: tuple[str, ...] | None = None
    to_company: bool = False
    """A request that ends by itself: it counts on its own basis and nowhere else."""

    def covers(self, partner: str, purpose: Purpose, category: str) -> bool:
        return (
            self.topic == "SHARING"
            and self.partner in {None, partner}
            and self.purpose in {None, purpose}
            and (
                self.categories is None
                or any(category == key or category.startswith(f"{key}.") for key in self.categories)
            )
        )


def latest(requests: Sequence[Request]) -> str | None:
    """What the request of the latest date says; at equal dates OUT."""
    if not requests:
        return None
    last = max(request.on for request in requests)
    return "OUT" if any(r.direction == "OUT" for r in requests if r.on == last) else "IN"


def is_given(terms: Any, partner: str, category: str, requests: Sequence[Request]) -> bool:
    """One cell, as if it stood alone."""
    if not any(category == key or category.startswith(f"{key}.") for key in terms.categories):
        return False
    of_company = terms.basis == "MEMBER_REQUEST"
    covering = [
        request
        for request in requests
        if request.covers(partner, terms.purpose, category)
        and request.to_company is (of_company and request.direction == "IN")
    ]
    if of_company:
        return latest(covering) == "IN"
    return category in UNTIL_OPT_OUT[terms.basis] and latest(covering) != "OUT"


def is_of_age(person: world.Person, today: date) -> bool:
    if person.born is None:
        return False
    return (today.year - 18, today.month, today.day) >= (
        person.born.year,
        person.born.month,
        person.born.day,
    )


def model(requests: Sequence[Request], statuses: Mapping[str, str], closed: Sequence[str]) -> Shares:
    """What must be shared of everybody in the end."""
    every = [category.value for category in categories_of(-1)]
    shares: Shares = {}
    for client, terms in world.AGREEMENTS.items():
        over = terms.valid_until is not None and terms.valid_until <= world.NOW
        if statuses[client] != "ACTIVE" or over:
            continue
        partner = next(name for name in world.PARTNERS if world.partner_id(name) == terms.partner_id)
        for person in world.PEOPLE:
            who = person.name.lower()
            begins = max(world.NOW, terms.valid_from).date()
            if person.status != "ACTIVE" or who in closed or not is_of_age(person, begins):
                continue
            own = [request for request in requests if request.who == who]
            given = {category for category in every if is_given(terms, partner, category, own)}
            whole = {
                category
                for category in given
                if all(below in given for below in every if below.startswith(f"{category}."))
            }
            if whole:
                shares[client, who] = frozenset(whole)
    return shares


def made_before() -> list[Request]:
    """The requests that the world begins with."""
    partners = {world.partner_id(name): name for name in world.PARTNERS}
    return [
        Request(
            person.name.lower(),
            choice["requested_at"],
            choice["direction"],
            partner=None if choice.get("partner_id") is None else partners[choice["partner_id"]],
            purpose=None if choice.get("purpose") is None else Purpose(choice["purpose"]),
            categories=None if choice.get("categories") is None else tuple(choice["categories"]),
            to_company=choice.get("ends_at") is not None,
        )
        for person in world.PEOPLE
        for choice in person.choices
    ]


def drawn(random: Random, people: Sequence[str] = PEOPLE) -> Request:
    """Some request of one of `people`; dates are few, so that several are equal."""
    newsletter = random.random() < 0.15
    request = Request(
        random.choice(people),
        world.NOW - timedelta(hours=random.randrange(8)),
        random.choice(("IN", "OUT")),
        topic="NEWSLETTER" if newsletter else "SHARING",
    )
    if newsletter:
        return request
    keys = ("user.name", "user.name.last", "user.contact", "user.contact.email", "user.demographic.profile")
    return replace(
        request,
        partner=random.choice((None, *world.PARTNERS)),
        purpose=random.choice((None, None, Purpose.PARTNER_OFFERS, Purpose.PARTNER_EMAIL)),
        categories=random.choice((None, None, (random.choice(keys),))),
    )


class Writers:
    """What each kind of writer does, each in a transaction of its own."""

    def __init__(self, asking: Asking, means: Means) -> None:
        self.asking = asking
        self.means = means

    @asynccontextmanager
    async def work(self, who: str, now: datetime) -> AsyncIterator[Work]:
        principal = MemberPrincipal(world.person(who).id, "web", "token")
        async with self.asking.database.transaction() as connection:
            matrix = self.asking.product.matrix
            yield Work(connection, matrix, principal, now, self.means, Exchange(opts_out=True))

    async def choose(self, request: Request) -> None:
        stated = {
            "direction": request.direction,
            "topic": request.topic,
            "requestedAt": request.on.isoformat(),
            "partner": request.partner,
            "purpose": None if request.purpose is None else request.purpose.name,
            "categories": request.categories,
        }
        reply = await self.asking.ask(world.member(request.who).principal, CHOOSE, {"input": stated})
        assert reply.data["choose"]["errors"] == []

    async def signal(self, request: Request) -> None:
        async with self.work(request.who, request.on) as work:
            await note_signal(work, world.person(request.who).id)

    async def leave_newsletter(self, request: Request) -> None:
        async with self.asking.database.transaction() as connection:
            await unsubscribe(connection, world.person(request.who).id, request.on)

    async def switch(self, client: str, status: AgreementStatus) -> None:
        async with self.asking.database.transaction() as connection:
            await set_agreement_status(
                connection, self.asking.product.matrix, agreement_id=world.AGREEMENTS[client].id,
                status=status, now=world.NOW,
            )  # fmt: skip

    async def close(self, who: str) -> None:
        async with self.work(who, world.NOW) as work:
            await close_account(work, None)


async def found(asking: Asking) -> Shares:
    """What is shared of whom, as the table says it."""
    clients = {terms.id: client for client, terms in world.AGREEMENTS.items()}
    people = {person.id: person.name.lower() for person in world.PEOPLE}
    async with asking.database.connection() as connection:
        rows = await connection.fetch("SELECT agreement_id, member_id, mask FROM share")
    return {
        (clients[row["agreement_id"]], people[row["member_id"]]): frozenset(
            category.value for category in categories_of(row["mask"])
        )
        for row in rows
    }


async def statuses(asking: Asking) -> dict[str, str]:
    async with asking.database.connection() as connection:
        rows = {
            row["id"]: row["status"] for row in await connection.fetch("SELECT id, status FROM agreement")
        }
    return {client: rows[terms.id] for client, terms in world.AGREEMENTS.items()}


async def wants_newsletter(asking: Asking, who: str) -> bool:
    reply = await asking.ask(world.member(who).principal, "{ me { newsletter } }")
    wanted: bool = reply.data["me"]["newsletter"]
    return wanted


@pytest.fixture
def crowded(
    make_database: MakeDatabase,
    world_template: str,
    product: Product,
    settings: Settings,
    keys: Keyring,
    means: Means,
) -> Callable[[], Any]:
    """A world of one's own in which many commands run at once."""
    wide = settings.model_copy(update={"app_connections": CONNECTIONS, "statement_timeout": 60.0})

    @asynccontextmanager
    async def opened() -> AsyncIterator[Writers]:
        async with make_database(template=world_template, settings=wide) as database:
            yield Writers(Asking(product, database, keys, wide, means, world.NOW), means)

    return opened


def test_the_model_agrees_with_the_world_as_it_begins() -> None:
    begun = model(made_before(), {c: t.status.value for c, t in world.AGREEMENTS.items()}, ())
    assert ("acme", "ada") in begun
    assert ("acme", "gus") not in begun
    assert ("bolt", "hal") not in begun
    assert begun["wish", "max"] == {"user.account.username", "user.contact.email"}


@pytest.mark.clause("C4", "C8", "C9", "C11")
@pytest.mark.parametrize("people", [PEOPLE, ("ada", "max")], ids=["many", "few"])
@pytest.mark.parametrize("seed", range(3))
async def test_fifty_writers_leave_nothing_shared_that_was_refused(
    crowded: Callable[[], Any], seed: int, people: Sequence[str]
) -> None:
    random = Random(seed)  # noqa: S311 - the same in every run
    requests = made_before()
    async with crowded() as writers:
        assert await found(writers.asking) == model(requests, await statuses(writers.asking), ())
        writing: list[Callable[[], Awaitable[None]]] = [partial(writers.close, who) for who in CLOSING]
        for number in range(WRITERS - len(CLOSING)):
            request = drawn(random, people)
            if number % 8 == 0:
                client = random.choice(SWITCHED)
                status = random.choice((AgreementStatus.ACTIVE, AgreementStatus.SUSPENDED))
                writing.append(partial(writers.switch, client, status))
                continue
            if number % 8 == 1:
                request = Request(request.who, request.on, "OUT")
                writing.append(partial(writers.signal, request))
            elif number % 8 == 2:
                request = Request(request.who, request.on, "OUT", topic="NEWSLETTER")
                writing.append(partial(writers.leave_newsletter, request))
            else:
                writing.append(partial(writers.choose, request))
            requests.append(request)
        assert len(writing) == WRITERS
        random.shuffle(writing)
        await asyncio.gather(*(write() for write in writing))
        expected = model(requests, await statuses(writers.asking), CLOSING)
        assert await found(writers.asking) == expected
        for who in PEOPLE:
            said = [r for r in requests if r.who == who and r.topic == "NEWSLETTER"]
            assert await wants_newsletter(writers.asking, who) == (latest(said) == "IN")


@pytest.mark.clause("C11")
@pytest.mark.parametrize("seed", range(2))
async def test_the_same_requests_come_to_the_same_in_every_order_of_arrival(
    crowded: Callable[[], Any], seed: int
) -> None:
    random = Random(f"order {seed}")  # noqa: S311
    requests = [drawn(random) for _ in range(20)]
    outcomes: list[Shares] = []
    for _ in range(3):
        random.shuffle(requests)
        async with crowded() as writers:
            for request in requests:
                await writers.choose(request)
            outcomes.append(await found(writers.asking))
            assert outcomes[-1] == model([*made_before(), *requests], await statuses(writers.asking), ())
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.clause("C9", "C11")
@pytest.mark.parametrize("seed", range(6))
async def test_an_unsubscription_that_races_an_opt_in_of_the_same_date_wins(
    crowded: Callable[[], Any], seed: int
) -> None:
    opt_in = Request("ada", world.NOW, "IN", topic="NEWSLETTER")
    async with crowded() as writers:
        writing = [partial(writers.choose, opt_in) for _ in range(5)]
        writing.append(partial(writers.leave_newsletter, replace(opt_in, direction="OUT")))
        Random(seed).shuffle(writing)  # noqa: S311
        await asyncio.gather(*(write() for write in writing))
        assert not await wants_newsletter(writers.asking, "ada")
