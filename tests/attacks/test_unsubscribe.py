"""The unsubscribe link: one click by whoever has it, and nothing to be learnt from it (C9, C11)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from gateway.app import Gateway, Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.commands.newsletters import post_newsletter
from resolvers.commands.unsubscribing import MAX_A_DAY, unsubscribe, unsubscribe_token
from resolvers.means import Means
from resolvers.tokens import TokenUse
from tests import world

pytestmark = pytest.mark.clause("C9")

ADA = world.person("ada").id
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def running(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> AsyncIterator[Gateway]:
    quick = settings.model_copy(update={"answer_floor": 0.0})
    async with compose(quick, keys, own_world, product, lambda: world.NOW) as gateway:
        yield gateway


@pytest.fixture
async def mailer(running: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A program that shows mail: no cookies, no origin, no credential."""
    transport = httpx.ASGITransport(app=running.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://shop.test") as client:
        yield client


def path_of(means: Means, member_id: UUID = ADA) -> str:
    return f"/unsubscribe/{unsubscribe_token(means.tokens, member_id)}"


async def ledger(database: Database, member_id: UUID = ADA) -> list[tuple[str, str, str, datetime]]:
    async with database.transaction() as connection:
        rows = await connection.fetch("SELECT * FROM choice WHERE member_id = $1", member_id)
    return [(row["topic"], row["direction"], row["source"], row["requested_at"]) for row in rows]


async def opt_in(database: Database, at: datetime, direction: str = "IN") -> None:
    async with database.transaction() as connection:
        await connection.execute("UPDATE member SET email_verified_at = joined_at")
        await connection.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
            " VALUES (gen_random_uuid(), $1, $2, $2, 'NEWSLETTER', $3, 'PROFILE_PAGE')",
            ADA,
            at,
            direction,
        )


async def reached(database: Database) -> int:
    """How many members a newsletter goes to now."""
    async with database.transaction() as connection:
        return await post_newsletter(connection, "News", "Text", world.NOW, again=True)


async def test_one_click_as_mail_programs_send_it(
    mailer: httpx.AsyncClient, running: Gateway, means: Means
) -> None:
    await opt_in(running.database, world.JUNE)
    assert await reached(running.database) == 1
    answer = await mailer.post(path_of(means), data=ONE_CLICK)

    assert answer.status_code == 200
    assert ("NEWSLETTER", "OUT", "UNSUBSCRIBE_LINK", world.NOW) in await ledger(running.database)
    assert await reached(running.database) == 0


@pytest.mark.parametrize("form", ["urlencoded", "multipart", "empty", "other"])
@pytest.mark.parametrize("origin", [None, "null", "https://mail.example"])
async def test_nothing_but_the_link_is_asked_for(
    mailer: httpx.AsyncClient, running: Gateway, means: Means, form: str, origin: str | None
) -> None:
    headers = {} if origin is None else {"origin": origin, "sec-fetch-site": "cross-site"}
    request = {
        "urlencoded": mailer.build_request("POST", path_of(means), data=ONE_CLICK, headers=headers),
        "multipart": mailer.build_request(
            "POST", path_of(means), files={"List-Unsubscribe": (None, "One-Click")}, headers=headers
        ),
        "empty": mailer.build_request("POST", path_of(means), headers=headers),
        "other": mailer.build_request("POST", path_of(means), json=ONE_CLICK, headers=headers),
    }[form]

    assert (await mailer.send(request)).status_code == 200
    assert len(await ledger(running.database)) == 1


async def test_programs_that_open_every_link_end_no_newsletter(
    mailer: httpx.AsyncClient, running: Gateway, means: Means
) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        await mailer.request(method, path_of(means))

    page = (await mailer.get(path_of(means))).text
    assert page.count("<button>") == 1
    assert await ledger(running.database) == []


async def test_a_member_who_was_erased_is_answered_like_one_who_is_there(
    mailer: httpx.AsyncClient, running: Gateway, means: Means
) -> None:
    async with running.database.transaction() as connection:
        await connection.execute("DELETE FROM member WHERE id = $1", world.person("gus").id)
    answers = []
    for member_id in (ADA, world.person("gus").id, world.person("fay").id, UUID(int=1)):
        for method in ("GET", "HEAD", "POST"):
            answer = await mailer.request(method, path_of(means, member_id))
            headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            answers.append((method, answer.status_code, headers, answer.content))

    assert answers[:3] == answers[3:6] == answers[6:9] == answers[9:]


async def test_no_other_text_is_a_link(mailer: httpx.AsyncClient, running: Gateway, means: Means) -> None:
    token = unsubscribe_token(means.tokens, ADA)
    tokens = means.tokens
    others = [
        token[:-1], token + "A", token.swapcase(), "x", str(ADA), "A" * 300,
        tokens.seal(TokenUse.LINK, ADA.bytes + b"NEWSLETTER"),
        tokens.seal(TokenUse.UNSUBSCRIBE, ADA.bytes),
        tokens.seal(TokenUse.UNSUBSCRIBE, ADA.bytes + b"SHARING"),
        tokens.seal(TokenUse.UNSUBSCRIBE, b"NEWSLETTER"),
    ]  # fmt: skip
    for other in others:
        for method in ("GET", "POST"):
            answer = await mailer.request(method, f"/unsubscribe/{other}")
            assert answer.status_code == 404
            assert len(other) < 20 or other not in answer.text
    assert await ledger(running.database) == []


async def test_the_link_holds_nothing_of_the_member(means: Means) -> None:
    token = unsubscribe_token(means.tokens, ADA)
    assert ADA.hex not in token
    assert len({unsubscribe_token(means.tokens, person.id)[:8] for person in world.PEOPLE}) == len(
        world.PEOPLE
    )


async def test_pressing_it_again_says_the_same_and_fills_nothing(
    mailer: httpx.AsyncClient, running: Gateway, means: Means
) -> None:
    answers = {(await mailer.post(path_of(means), data=ONE_CLICK)).content for _ in range(MAX_A_DAY + 5)}

    assert len(answers) == 1
    assert len(await ledger(running.database)) == MAX_A_DAY
    await opt_in(running.database, world.NOW + timedelta(minutes=1))
    async with running.database.transaction() as connection:
        await unsubscribe(connection, ADA, world.NOW + timedelta(minutes=2))
    assert await reached(running.database) == 0, "a link that says something new always counts"


@pytest.mark.clause("C11")
@pytest.mark.parametrize("seed", range(12))
async def test_the_latest_request_counts_in_whatever_order_they_arrive(running: Gateway, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - examples, the same in every run
    requests = [
        (world.JUNE + timedelta(seconds=dice.randrange(6)), dice.choice(("IN", "OUT", "LINK")))
        for _ in range(dice.randrange(1, 9))
    ]

    async def arrive(at: datetime, what: str) -> None:
        if what == "LINK":
            async with running.database.transaction() as connection:
                await unsubscribe(connection, ADA, at)
        else:
            await opt_in(running.database, at, what)

    async with running.database.transaction() as connection:
        await connection.execute("UPDATE member SET email_verified_at = joined_at")
    if seed % 2:
        await asyncio.gather(*(arrive(*request) for request in requests))
    else:
        for request in requests:
            await arrive(*request)
    # The plain rule: the latest date wins, and at equal dates the refusal.
    latest = max(at for at, _ in requests)
    wanted = all(what == "IN" for at, what in requests if at == latest)
    assert await reached(running.database) == int(wanted)


async def test_a_newsletter_on_its_way_is_dropped_for_who_left_meanwhile(
    mailer: httpx.AsyncClient, running: Gateway, means: Means
) -> None:
    await opt_in(running.database, world.JUNE)
    assert await reached(running.database) == 1
    await mailer.post(path_of(means), data=ONE_CLICK)

    assert await running.sender.drain() == 0
    async with running.database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM outgoing_mail") == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET email_verified_at = NULL",
        "UPDATE member SET status = 'CLOSED'",
        "DELETE FROM member WHERE given_name = 'Ada'",
    ],
)
async def test_who_cannot_be_asked_any_more_gets_no_newsletter(running: Gateway, change: str) -> None:
    await opt_in(running.database, world.JUNE)
    async with running.database.transaction() as connection:
        await connection.execute(change)
    assert await reached(running.database) == 0
