"""Whoever asks whatever: a member who may not be seen answers like one who does not exist, to the last byte.

Two worlds: in one there are members of every kind that partners may not see, in the other they never were.
And two more, in which what some members withhold has other values. Only partners ask, with every scope there
is in `tests.world`, and they guess the ids of the hidden as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

import pytest

from gateway.app import Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.serving import listen, served
from gateway.settings import Settings
from policies.principal import PartnerPrincipal
from tests import world
from tests.attacks.comparing import contract_of, outcome, send, shape
from tests.attacks.generator import Generator, Pool, Template
from tests.attacks.wire import Line, connected
from tests.conftest import MakeDatabase
from tests.running import Callers

RUN_SEED: Final = 20_261_125
FOCUSED: Final = 300
THOROUGH: Final = 5_000

REPEATED: Final = 0.85
"""How many requests send a document again with other values."""

HIDDEN: Final = ("cid", "dot", "eve", "fay", "gus")
"""Under 18, of unknown age, invited, closed, opted out of everything: see `tests.world.PEOPLE`."""

PARTNERS: Final = {
    name: caller for name, caller in world.CALLERS.items() if isinstance(caller.principal, PartnerPrincipal)
}


async def _never_were(database: Database) -> None:
    """Take the hidden out of a world, with everything that belongs to them."""
    async with database.transaction() as connection:
        removed = await connection.execute(
            "DELETE FROM member WHERE id = ANY($1::uuid[])", [world.person(name).id for name in HIDDEN]
        )
    assert removed == f"DELETE {len(HIDDEN)}"


async def _are_others(database: Database) -> None:
    """Give what is withheld, or not shared with anybody, another value."""
    async with database.transaction() as connection:
        for name, change in (
            ("jon", "email = 'somebody.else@example.net'"),
            ("kim", "region = 'FR'"),
            ("lea", "family_name = 'Otherwise'"),
            ("ada", "birth_date = birth_date + 3, number = 'M-777', supervisor_email = 'x@example.net'"),
        ):
            await connection.execute(f"UPDATE member SET {change} WHERE id = $1", world.person(name).id)
        await connection.execute(
            "UPDATE postal_address SET city = 'Elsewhere', line1 = 'Other Street 9' WHERE member_id = $1",
            world.person("kim").id,
        )


DIFFERENCES: Final[Mapping[str, Callable[[Database], Awaitable[None]]]] = {
    "absent": _never_were,
    "others": _are_others,
}


@pytest.fixture
async def lines(
    request: pytest.FixtureRequest,
    make_database: MakeDatabase,
    world_template: str,
    settings: Settings,
    keys: Keyring,
    product: Product,
) -> AsyncIterator[tuple[Line, Line]]:
    """Connections to a gateway on the world, and to one on the other world."""
    opened = []
    async with AsyncExitStack() as stack:
        for change in (None, DIFFERENCES[request.param]):
            database = await stack.enter_async_context(make_database(template=world_template))
            if change is not None:
                await change(database)
            gateway = await stack.enter_async_context(
                compose(settings, keys, database, product, lambda: world.NOW)
            )
            url = await stack.enter_async_context(served(gateway.app, listen("127.0.0.1", 0)))
            opened.append(await stack.enter_async_context(connected(url)))
        yield opened[0], opened[1]


@pytest.mark.clause("C8", "C11", "C17")
@pytest.mark.parametrize(("lines", "most"), [("others", FOCUSED), ("absent", THOROUGH)], indirect=["lines"])
async def test_what_is_withheld_answers_like_what_is_not_there(
    lines: tuple[Line, Line], settings: Settings, keys: Keyring, most: int, hurried: bool
) -> None:
    requests = FOCUSED if hurried else most
    callers = Callers("http://unused.test", settings, keys)
    tokens = {name: callers.authorization(name).removeprefix("Bearer ") for name in PARTNERS}
    contracts = {name: await contract_of(lines[0], token) for name, token in tokens.items()}
    asking = sorted(name for name, contract in contracts.items() if contract is not None)
    pool = Pool(
        ids=[
            *(str(world.subject(partner, name)) for partner in world.PARTNERS for name in HIDDEN),
            *(str(world.person(name).id) for name in HIDDEN),
        ]
    )
    templates: dict[str, list[Template]] = {}
    outcomes: Counter[str] = Counter()
    for index in range(requests):
        rng = random.Random(f"{RUN_SEED}/{index}")  # noqa: S311 - to be repeated
        name = rng.choice(asking)
        known = templates.setdefault(name, [])
        again = rng.choice(known) if known and rng.random() < REPEATED else None
        contract = contracts[name]
        assert contract is not None
        generator = Generator(rng, contract, pool, again)
        wire = generator.wire()
        answers = [await send(line, wire, tokens[name]) for line in lines]
        assert shape(answers[0]) == shape(answers[1]), f"index={index} as {name}: {wire}"
        answer = answers[0].json
        pool.learn(answer.get("data"))
        if answer.get("data") and again is None and generator.template is not None:
            known.append(generator.template)
        outcomes[outcome(answer)] += 1
    print(f"\nwithheld and absent: {requests} requests compared: {dict(outcomes.most_common())}")  # noqa: T201
    assert outcomes["with data"] > requests / 4
