"""R1: whoever asks whatever, two worlds that differ only in their vaults answer alike, to the last byte."""

from __future__ import annotations

import io
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import sqlalchemy
from asyncpg import Record

from gateway.seeding import seeded_password_hashes, seeded_phone_numbers
from gateway.telemetry import _SILENCED, configure_logging
from schema.tables import Table, VaultTable
from tests.attacks.comparing import contract_of, outcome, send, shape
from tests.attacks.generator import Generator, Pool, Template
from tests.attacks.twins import MEMBERS, SECRET_VALUES, SEED_VALUE, Twins, World
from tests.attacks.wire import Line, connected
from tests.canaries import WATCH
from tests.conftest import CACHE, EXTERNAL_URL
from tests.gateway.importing.files import owner

RUN_SEED: Final = 20_250_601
"""Another one asks other questions; the failure message names it."""

FOCUSED: Final = 300
THOROUGH: Final = 3_000

REPEATED: Final = 0.85
"""How many requests send a document again with other values: a plan made once answers them all."""

RECORDS: Final = (
    "SELECT recorded_at, partner_id, agreement_id, client_id, token_id, operation_name, operation_hash,"
    " basis, purpose, categories, members FROM disclosure ORDER BY id"
)


EMPTY_LOG: Final = "TRUNCATE disclosure, disclosure_part, disclosure_of RESTART IDENTITY"
"""Records, and by which of them a member is found.

Other tests use the twins as well, so what the database made up meanwhile is made alike besides: numbers of
transactions, by which feeds are ordered, and the log's names of members.
"""

BY_CLOCK: Final = frozenset(
    {"suppression_due", "disclosure_checkpoint", "disclosure_part", "disclosure_of", "quota"}
)
"""Filled or emptied in the background, in each world at another moment, out of what is compared: records of
the log and refusals. None of it knows a member's numbers."""

_TABLES: Final = (
    "SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'm', 'p')"
    " AND nspname NOT IN ('vault', 'pg_catalog', 'information_schema')"
)


@pytest.fixture
async def lines(twins: Twins) -> AsyncIterator[tuple[Line, Line]]:
    async with connected(twins.left.base_url) as left, connected(twins.right.base_url) as right:
        yield left, right


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines written since it was last asked, without what differs between any two requests."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers, root.level, logging.raiseExceptions
    configure_logging(stream=stream)

    def taken() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        return [
            {
                name: value
                for name, value in line.items()
                if name not in {"time", "milliseconds", "request_id"}
            }
            for line in lines
        ]

    yield taken
    root.handlers, level, logging.raiseExceptions = before
    root.setLevel(level)
    for name in _SILENCED:
        logging.getLogger(name).disabled = False


class Ids:
    """Ids that are the same in both worlds: they depend on the request and on their place in it."""

    def __init__(self) -> None:
        self._next = 0

    def start(self, request: int) -> None:
        """From here on the ids of this request, in this world."""
        self._next = (request + 1) << 64

    def __call__(self) -> UUID:
        self._next += 1
        return UUID(int=self._next, version=4)


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> Ids:
    """Every id that a request makes: of records of disclosures, of what commands write, of subjects."""
    made = Ids()
    for name, module in list(sys.modules.items()):
        for maker in ("new_id", "pairwise_id"):
            if name.startswith("resolvers.") and hasattr(module, maker):
                monkeypatch.setattr(module, maker, made)
    return made


@pytest.mark.clause("R1", "C10", "C14")
async def test_twin_worlds_answer_alike(
    twins: Twins,
    lines: tuple[Line, Line],
    log_lines: Callable[[], list[dict[str, Any]]],
    ids: Ids,
    hurried: bool,
) -> None:
    requests = FOCUSED if hurried else THOROUGH
    left, right = lines
    contracts = {caller: await contract_of(left, token) for caller, token in twins.tokens.items()}
    visitor = contracts["visitor"]
    assert visitor is not None, "no introspection"
    pool = Pool(numbers=[n for s in SECRET_VALUES for n in seeded_phone_numbers(SEED_VALUE, 8, s)])
    pool.ids += [str(value) for value in (*twins.agreements, *twins.members[:20])]
    callers = sorted(contracts, key=lambda caller: (contracts[caller] is None, caller))
    weights = [10 if contracts[caller] is not None else 1 for caller in callers]
    outcomes: Counter[str] = Counter()
    templates: dict[str, list[Template]] = {}
    await contract_of(right, None)
    for world in (twins.left, twins.right):
        async with owner(world.database) as connection:
            await connection.execute(EMPTY_LOG)
            for table in ("share_change", "suppression"):
                await connection.execute(f"UPDATE {table} SET transaction = 1")
            # What a request of the run itself makes due is numbered alike as well.
            await connection.execute("ALTER TABLE share_change ALTER COLUMN transaction SET DEFAULT 1")
            await connection.execute("UPDATE member SET log_id = id")
    log_lines()
    for index in range(requests):
        rng = random.Random(f"{RUN_SEED}/{index}")  # noqa: S311 - to be repeated
        caller = rng.choices(callers, weights)[0]
        known = templates.setdefault(caller, [])
        again = rng.choice(known) if known and rng.random() < REPEATED else None
        generator = Generator(rng, contracts[caller] or visitor, pool, again)
        wire = generator.wire()
        repeat = f"RUN_SEED={RUN_SEED} index={index} caller={caller!r} {wire}"
        answers, logged = [], []
        for line in lines:
            ids.start(requests << 20 | index)
            answers.append(await send(line, wire, twins.tokens[caller]))
            logged.append(log_lines())

        assert shape(answers[0]) == shape(answers[1]), repeat
        assert logged[0] == logged[1], repeat
        assert answers[0].status in {200, 400, 401, 405, 406, 414, 415}, (answers[0].body, repeat)
        assert b"INTERNAL" not in answers[0].body, (answers[0].body, repeat)
        answer = answers[0].json
        pool.learn(answer.get("data"))
        if answer.get("data") and again is None and generator.template is not None:
            known.append(generator.template)
        outcomes[outcome(answer)] += 1
    print(f"\ntwin worlds: {requests} requests compared: {dict(outcomes.most_common())}")  # noqa: T201
    assert outcomes["with data"] > requests / 4
    assert len(outcomes) > 5
    await _compare_databases(twins)
    await _search_databases(twins)


async def _compare_databases(twins: Twins) -> None:
    """The records of what left, and all that the reader's role can count, measure or explain.

    The size of a table, which any role may ask for, follows from the lengths of its rows, and from when old
    versions of them were cleared away. So the lengths are compared, which no moment changes.
    """
    left, right = twins.left.database, twins.right.database
    records = await left.app.fetch(RECORDS)
    assert records == await right.app.fetch(RECORDS)
    assert records
    for table in (*Table.metadata.sorted_tables, *VaultTable.metadata.sorted_tables):
        if table.name not in BY_CLOCK:
            assert await _lengths(twins.left, table) == await _lengths(twins.right, table), table.fullname
    for name in ("member", "phone", "share", "share_change", "disclosure", "billing_method"):
        count = f"SELECT count(*) FROM {name}"
        assert await left.reader.fetchval(count) == await right.reader.fetchval(count)


async def _lengths(world: World, table: sqlalchemy.Table) -> list[Record]:
    """How many bytes each value of each row takes, as it is stored."""
    sizes = [f'pg_column_size("{column.name}")' for column in table.columns]
    order = ", ".join(str(place) for place in range(1, len(sizes) + 1))
    async with owner(world.database) as connection:
        return await connection.fetch(f"SELECT {', '.join(sizes)} FROM {table.fullname} ORDER BY {order}")


async def _search_databases(twins: Twins) -> None:
    """Both databases as text, but for their vaults, and the server's log: searched like all that leaves."""
    for world, secret_value in zip((twins.left, twins.right), SECRET_VALUES, strict=True):
        text = await _dump(world)
        assert len(text) > 100_000
        WATCH.leave("table", text)
        for number in seeded_phone_numbers(SEED_VALUE, MEMBERS, secret_value):
            WATCH.detector.add_number(number)
        for password_hash in seeded_password_hashes(SEED_VALUE, MEMBERS, secret_value):
            WATCH.detector.add_secret(password_hash)
        assert WATCH.detector.search(text) == []
    if EXTERNAL_URL is None:
        assert WATCH.detector.search(_server_log()) == []


def _server_log() -> str:
    return Path(CACHE / "postgres" / "server.log").read_text(encoding="utf-8", errors="replace")


async def _dump(world: World) -> str:
    async with owner(world.database) as connection:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        assert len(tables) >= len(Table.metadata.tables)
        dumped = []
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text FROM {table} t")
            dumped += [f"{table} {row[0]}" for row in rows]
    return "\n".join(dumped)
