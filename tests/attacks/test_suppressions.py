"""Suppressions as somebody would use them who wants to learn who is a member."""

from __future__ import annotations

import asyncio
import hmac
import json

import pytest

from gateway.database import Database
from gateway.http.suppressions import SCRUBS_EACH
from gateway.keys import Keyring
from tests import world
from tests.mailers import CHECK, Mailer, choose, give_key, records, refuse
from tests.running import Callers

MEMBERS_ALL = [person.email for person in world.PEOPLE]
STRANGERS = [f"s{number}@example.org" for number in range(len(MEMBERS_ALL))]


@pytest.fixture
async def acme(callers: Callers, own_world: Database, keys: Keyring) -> Mailer:
    return Mailer(callers, "acme", await give_key(own_world, keys, "acme"))


@pytest.mark.clause("C8", "C9", "C17")
async def test_a_member_who_refused_nothing_is_answered_as_nobody_is(
    acme: Mailer, own_world: Database
) -> None:
    """Active, invited, gone, or a child who refused: alike in bytes, headers, records and feed."""
    await choose(own_world, "cid", "OUT", world.NOW)
    await choose(own_world, "dot", "OUT", world.NOW, topic="NEWSLETTER")
    silent = [p.email for p in world.PEOPLE if p.name not in {"Gus", "Ida", "Jon"}]
    strangers = STRANGERS[: len(silent)]
    ours, theirs = await acme.check(*silent), await acme.check(*strangers)
    for answer, addresses in ((ours, silent), (theirs, strangers)):
        text = answer.text
        for address in addresses:
            text = text.replace(acme.digest(address), "d")
        entry = '{"digest":"d","suppressed":false}'
        assert text == f'{{"results":[{",".join([entry] * len(addresses))}]}}'
    unlike = {"ratelimit", "x-request-id", "date"}
    assert {k: v for k, v in ours.headers.items() if k not in unlike} == {
        k: v for k, v in theirs.headers.items() if k not in unlike
    }
    scrubbed = [await acme.scrub(addresses) for addresses in (silent, strangers)]
    assert {answer.text for answer in scrubbed} == {f"complete {len(silent)} 0\n"}
    assert (await acme.feed())["changes"] == []
    told = await records(own_world)
    assert len(told) == 5
    assert [row["members"] for row in told] == [[]] * 5


@pytest.mark.clause("C8")
async def test_two_partners_cannot_compare_and_a_wrong_key_finds_nothing(
    acme: Mailer, callers: Callers, own_world: Database, keys: Keyring
) -> None:
    bolt = Mailer(callers, "bolt", await give_key(own_world, keys, "bolt"))
    assert acme.digest("gus@example.org") != bolt.digest("gus@example.org")
    stolen = Mailer(callers, "bolt", acme.key)
    plain = Mailer(callers, "acme", b"")
    guessed = Mailer(callers, "acme", b"acme")
    for wrong in (stolen, plain, guessed):
        assert await wrong.suppressed("gus@example.org", "jon@example.org") == [False, False]
    assert await bolt.suppressed("gus@example.org") == [True]
    rows = await own_world.app.fetch("SELECT digest FROM suppression")
    assert not {row["digest"] for row in rows} & {
        hmac.digest(key, f"{name}@example.org".encode(), "sha256")
        for key in (b"", b"acme")
        for name in ("gus", "jon")
    }


@pytest.mark.clause("C8")
async def test_the_feed_lists_nobody_whom_the_partner_has_not_brought(
    acme: Mailer, own_world: Database
) -> None:
    await acme.check("stranger@example.net")
    before = await acme.feed()
    await refuse(own_world, "other@example.net", world.NOW)
    await choose(own_world, "ada", "OUT", world.NOW)
    assert before["changes"] == []
    assert await acme.feed() == before, "not even the cursor tells that something happened elsewhere"
    bolt = Mailer(acme.callers, "bolt", b"x" * 32)
    await bolt.check("gus@example.org")
    assert (await bolt.feed())["changes"] == []


async def test_at_the_same_moment_everybody_is_answered_and_counted_once(
    acme: Mailer, own_world: Database
) -> None:
    """Overlapping lists in other orders, refusals meanwhile: no deadlock, no lost count, no stale answer."""
    lists = [[*STRANGERS[number:], *STRANGERS[:number], *MEMBERS_ALL] for number in range(4)]

    async def refuse_some() -> None:
        for number in range(6):
            await refuse(own_world, STRANGERS[number], world.NOW)
            await choose(own_world, "ada", "OUT" if number % 2 else "IN", world.at(f"2026-03-0{number + 1}"))

    meanwhile = asyncio.create_task(refuse_some())
    *scrubbed, first, second = await asyncio.gather(
        *(acme.scrub(addresses) for addresses in lists[:SCRUBS_EACH]),
        *(acme.check(*addresses) for addresses in lists[SCRUBS_EACH:]),
    )
    await meanwhile
    assert {first.status_code, second.status_code} == {200}
    for answer in scrubbed:
        assert answer.text.splitlines()[-1].startswith(f"complete {2 * len(STRANGERS)} "), answer.text
    used = await own_world.app.fetchval("SELECT brought FROM suppression_use")
    assert used == len(STRANGERS) + len(MEMBERS_ALL)
    assert await acme.suppressed(*STRANGERS[:7], "ada@example.org") == [True] * 6 + [False, True]


async def test_what_is_told_at_the_same_time_as_it_is_brought_is_in_the_answer_or_in_the_feed(
    acme: Mailer, own_world: Database
) -> None:
    """A partner that checks once and follows the feed from before misses no refusal."""
    cursor = (await acme.feed())["endCursor"]

    async def check(address: str) -> tuple[str, bool]:
        return address, (await acme.suppressed(address))[0]

    *checked, _ = await asyncio.gather(
        *(check(address) for address in STRANGERS),
        *(refuse(own_world, address, world.NOW) for address in STRANGERS),
        return_exceptions=False,
    )
    known = {pair[0]: pair[1] for pair in checked if isinstance(pair, tuple)}
    for _ in range(200):
        page = await acme.feed(cursor)
        cursor = page["endCursor"]
        told = {line["digest"] for line in page["changes"]}
        known |= {address: True for address in STRANGERS if acme.digest(address) in told}
        if all(known.values()):
            break
        await asyncio.sleep(0.05)
    assert all(known.values())


@pytest.mark.clause("C10", "C14")
async def test_nothing_but_digests_and_words_of_ours_leaves(acme: Mailer) -> None:
    """R1: every byte of the answers is what was brought, or a constant."""
    answer = (await acme.check(*MEMBERS_ALL)).json()
    assert set(answer) == {"results"}
    assert all(set(result) == {"digest", "suppressed"} for result in answer["results"])
    allowed = {acme.digest(address) for address in MEMBERS_ALL}
    lines = (await acme.scrub(MEMBERS_ALL)).text.splitlines()
    assert set(lines[:-1]) <= allowed
    feed = json.dumps(await acme.feed())
    assert "example" not in feed
    for secret in ("+1", "phone", "password"):
        assert secret not in feed + json.dumps(answer)


async def test_the_routes_take_no_addresses(acme: Mailer) -> None:
    """So that no partner learns to send them."""
    headers = acme.callers.headers("acme")
    answer = await acme.callers.http.post(CHECK, json={"digests": ["ada@example.org"]}, headers=headers)
    assert answer.status_code == 400
    assert "never an address" in answer.text
    assert "ada" not in answer.text
