from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from gateway.web.addresses import addresses_of
from resolvers.commands.clients import revoke_client
from resolvers.tokens import SealedTokens
from tests import world
from tests.mailers import CHECK, SCRUB, Mailer, choose, give_key, records, refuse
from tests.running import Callers

HIS = ("gus@example.org", "hal@example.org", "ida@example.org", "jon@example.org", "ada@example.org")


@pytest.fixture
async def acme(callers: Callers, own_world: Database, keys: Keyring) -> Mailer:
    return Mailer(callers, "acme", await give_key(own_world, keys, "acme"))


@pytest.fixture
async def bolt(callers: Callers, own_world: Database, keys: Keyring) -> Mailer:
    return Mailer(callers, "bolt", await give_key(own_world, keys, "bolt"))


@pytest.mark.clause("C9", "C11")
async def test_a_check_tells_of_each_address_whether_it_must_not_be_mailed(
    acme: Mailer, bolt: Mailer, own_world: Database
) -> None:
    answer = await acme.check(*HIS, "nobody@example.net")
    assert answer.json() == {
        "results": [
            {"digest": acme.digest(address), "suppressed": suppressed}
            for address, suppressed in zip(
                (*HIS, "nobody@example.net"), (True, False, True, True, False, False), strict=True
            )
        ]
    }
    assert await bolt.suppressed(*HIS) == [True, True, False, True, False]
    told = [world.person(name).log_id for name in ("gus", "ida", "jon")]
    (first, _) = await records(own_world)
    assert first["operation_name"] == "POST /partner/suppressions/check"
    assert first["categories"] == ["user.privacy_preferences"]
    assert sorted(first["members"]) == sorted(told)


async def test_what_is_left_of_the_day_is_told_and_nothing_beyond_is_answered(
    acme: Mailer, own_world: Database
) -> None:
    answer = await acme.check(*HIS)
    assert '"suppression-digests";r=1999995;t=43200' in answer.headers.get_list("ratelimit")
    again = await acme.check(*HIS)
    assert '"suppression-digests";r=1999995;t=43200' in again.headers.get_list("ratelimit")
    await own_world.app.execute("UPDATE suppression_use SET brought = 1999999")
    refused = await acme.check("one@example.net", "two@example.net")
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["extensions"]["code"] == "QUOTA_EXCEEDED"
    assert refused.headers["retry-after"] == "43200"
    assert (await acme.suppressed("one@example.net")) == [False], "what fits is answered"
    assert await own_world.app.fetchval("SELECT count(*) FROM suppression_watch") == 6


async def test_a_scrub_answers_with_the_lines_that_are_suppressed(acme: Mailer, own_world: Database) -> None:
    answer = await acme.scrub([*HIS, "nobody@example.net", "gus@example.org"])
    gus, ida, jon = (acme.digest(HIS[number]) for number in (0, 2, 3))
    assert answer.text.splitlines() == [gus, ida, jon, gus, "complete 7 4"]
    (record,) = await records(own_world)
    assert record["operation_name"] == "POST /partner/suppressions/scrub"


async def test_lines_may_end_in_any_way(acme: Mailer) -> None:
    given = {"gus": acme.digest("gus@example.org"), "ada": acme.digest("ada@example.org")}
    given["GUS"] = given["gus"].upper()
    headers = {**acme.callers.headers("acme"), "content-type": "text/plain"}
    for body, expected in (
        ("", "complete 0 0\n"),
        ("\n\r\n", "complete 0 0\n"),
        ("{gus}", "{gus}\ncomplete 1 1\n"),
        ("{GUS}\r\n{ada}\r\n", "{gus}\ncomplete 2 1\n"),
    ):
        answer = await acme.callers.http.post(SCRUB, content=body.format(**given), headers=headers)
        assert answer.text == expected.format(**given)


async def test_what_is_no_digest_is_refused_and_not_repeated(acme: Mailer) -> None:
    headers = acme.callers.headers("acme")
    for line in ("ada@example.org", "0" * 63, "g" * 64, "0" * 65, "é" * 32, "x" * 500_000):
        scrubbed = await acme.callers.http.post(
            SCRUB, content=f"{'0' * 64}\n{line}\n", headers={**headers, "content-type": "text/plain"}
        )
        assert scrubbed.status_code == 400
        assert scrubbed.json()["errors"][0]["message"].startswith("digest 2 is none: send HMAC-SHA256")
        checked = await acme.callers.http.post(CHECK, json={"digests": [line]}, headers=headers)
        assert checked.status_code in {400, 413}
        for answer in (scrubbed, checked):
            assert line not in answer.text


async def test_a_check_without_digests_or_with_too_many_is_refused(acme: Mailer) -> None:
    headers = {**acme.callers.headers("acme"), "content-type": "application/json"}
    for body in (b"", b"[]", b"{}", b'{"digests": "x"}', b'{"digests": []}', b'{"digests": [1]}', b"\xff"):
        answer = await acme.callers.http.post(CHECK, content=body, headers=headers)
        assert answer.status_code == 400
    digests = [f"{number:064x}" for number in range(1_001)]
    answer = await acme.callers.http.post(CHECK, json={"digests": digests}, headers=headers)
    assert answer.status_code == 400
    most = await acme.callers.http.post(CHECK, json={"digests": digests[1:]}, headers=headers)
    assert most.status_code == 200
    for path, wrong in ((CHECK, "text/plain"), (SCRUB, "application/json")):
        refused = await acme.callers.http.post(path, content=b"x", headers={**headers, "content-type": wrong})
        assert refused.status_code == 415


@pytest.mark.clause("C8")
async def test_only_who_may_mail_people_asks(callers: Callers) -> None:
    for name in ("wish", "acme-names", "acme-nothing", "ada", "visitor"):
        for path in (CHECK, SCRUB):
            answer = await callers.http.post(path, content=b"", headers=callers.headers(name))
            assert answer.status_code == (401 if name == "visitor" else 403)
        root = await callers.ask(name, "{ suppressions { endCursor } }")
        assert root.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        shown = await callers.ask(name, "{ __schema { types { name fields { name } } } }")
        assert "uppression" not in shown.text
    shown = await callers.ask("acme", "{ __schema { types { name fields { name } } } }")
    assert "SuppressionChange" in shown.text


@pytest.mark.clause("C9", "C11")
async def test_a_refusal_in_the_middle_of_a_scrub_counts_for_what_comes_after(
    acme: Mailer, own_world: Database
) -> None:
    """The answer streams while the list is still being sent: curl, a program that does both at once."""
    late = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for number in range(6_000):
            yield f"{number:064x}\n".encode()
        yield f"{acme.digest('gus@example.org')}\n".encode()
        await asyncio.wait_for(late.wait(), 20)
        yield f"{acme.digest('ada@example.org')}\n".encode()

    async def opt_out() -> None:
        await until_recorded(own_world)
        await choose(own_world, "ada", "OUT", world.NOW)
        late.set()

    headers = {**acme.callers.headers("acme"), "content-type": "text/plain"}
    answer, _ = await asyncio.gather(
        acme.callers.http.post(SCRUB, content=body(), headers=headers, timeout=30), opt_out()
    )
    digests = [acme.digest(address) for address in ("gus@example.org", "ada@example.org")]
    assert answer.text.splitlines() == [*digests, "complete 6002 2"]


async def test_a_revocation_in_the_middle_stops_a_scrub(acme: Mailer, own_world: Database) -> None:
    """Nobody takes what came so far for the whole: the last line is missing, and the connection breaks."""
    revoked = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for number in range(5_000):
            yield f"{number:064x}\n".encode()
        await asyncio.wait_for(revoked.wait(), 20)
        yield f"{acme.digest('gus@example.org')}\n".encode()

    async def stop() -> None:
        await until_recorded(own_world)
        async with own_world.transaction() as connection:
            await revoke_client(connection, client_id="acme", now=datetime.now(UTC))
        for _ in range(500):
            if (await acme.check("ada@example.org")).status_code == 401:
                break
            await asyncio.sleep(0.01)
        revoked.set()

    received = b""

    async def read() -> None:
        nonlocal received
        headers = {**acme.callers.headers("acme"), "content-type": "text/plain"}
        async with acme.callers.http.stream(
            "POST", SCRUB, content=body(), headers=headers, timeout=30
        ) as answer:
            async for chunk in answer.aiter_bytes():
                received += chunk

    with pytest.raises(httpx.HTTPError):
        await asyncio.gather(read(), stop())
    assert acme.digest("gus@example.org").encode() not in received
    assert b"complete" not in received


async def test_a_scrub_that_cannot_be_recorded_tells_nothing(
    acme: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R2."""
    await acme.check("gus@example.org")

    async def fails(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("resolvers.disclosure_log.DisclosureLog._commit", fails)
    for answer in (await acme.scrub(HIS), await acme.check(*HIS)):
        assert answer.status_code == 503
        assert acme.digest("gus@example.org") not in answer.text


async def test_a_client_that_reads_only_when_it_has_sent_all_is_answered(
    acme: Mailer, own_world: Database
) -> None:
    """httpx sends the whole body first; 20,000 suppressed lines are more than sockets hold."""
    addresses = [f"n{number}@example.net" for number in range(20_000)]
    async with own_world.transaction() as connection:
        await connection.execute(
            "INSERT INTO suppression (agreement_id, digest, generation, suppressed, since, changed_at)"
            " SELECT $1, d, 1, true, $3, $3 FROM unnest($2::bytea[]) d",
            world.AGREEMENTS["acme"].id,
            [bytes.fromhex(acme.digest(address)) for address in addresses],
            world.NOW,
        )
    lines = (await acme.scrub(addresses)).text.splitlines()
    assert lines == [*(acme.digest(address) for address in addresses), "complete 20000 20000"]
    assert len(await records(own_world)) == 4


async def test_curl_scrubs_a_file(acme: Mailer, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.fail("curl belongs to what these tests need")
    hashed = tmp_path / "list.txt"
    hashed.write_text("".join(f"{acme.digest(address)}\n" for address in HIS))
    process = await asyncio.create_subprocess_exec(
        curl, "--silent", "--fail", "-T", hashed, "-X", "POST", "-H", "Content-Type: text/plain",
        "-H", f"Authorization: {acme.callers.authorization('acme')}",
        f"{acme.callers.endpoint.removesuffix('/graphql')}{SCRUB}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert output.decode().splitlines()[-1] == "complete 5 3"


@pytest.mark.clause("C11")
async def test_the_feed_tells_what_changes_about_what_was_brought(acme: Mailer, own_world: Database) -> None:
    await acme.check("gus@example.org", "ada@example.org", "new@example.net")
    start = await changes(acme, None, 1)
    assert [line["digest"] for line in start["changes"]] == [acme.digest("gus@example.org")]
    assert start["changes"][0]["requestedAt"] == "2026-01-05T00:00:00Z"
    await choose(own_world, "ada", "OUT", world.at("2026-03-01"))
    await choose(own_world, "kim", "OUT", world.at("2026-03-01"))  # never brought
    await refuse(own_world, "New@Example.net", world.at("2026-04-01"))
    page = await changes(acme, start["endCursor"], 2)
    assert {(line["kind"], line["digest"]) for line in page["changes"]} == {
        ("SUPPRESSED", acme.digest("ada@example.org")),
        ("SUPPRESSED", acme.digest("new@example.net")),
    }
    assert (await records(own_world))[-1]["members"] == [world.person("ada").log_id]
    await choose(own_world, "ada", "IN", world.at("2026-02-01"))  # older: changes nothing
    await choose(own_world, "gus", "IN", world.at("2026-05-01"))
    last = await changes(acme, page["endCursor"], 1)
    assert last["changes"] == [
        {"kind": "LIFTED", "digest": acme.digest("gus@example.org"), "requestedAt": "2026-05-01T00:00:00Z"}
    ]
    assert await acme.suppressed("gus@example.org", "ada@example.org") == [False, True]
    again = await changes(acme, None, 3)
    assert {line["kind"] for line in again["changes"]} == {"SUPPRESSED", "LIFTED"}


async def until_recorded(database: Database) -> None:
    for _ in range(500):
        if await records(database):
            return
        await asyncio.sleep(0.01)
    pytest.fail("nothing was recorded")


async def changes(mailer: Mailer, after: str | None, least: int) -> Any:
    """A page with as many: other tests' transactions on this server may hold the feed back for a moment."""
    for _ in range(200):
        page = await mailer.feed(after)
        if len(page["changes"]) >= least:
            return page
        await asyncio.sleep(0.05)
    pytest.fail("the feed does not go on")


async def test_the_feed_is_read_by_page_and_its_cursors_are_its_own(acme: Mailer) -> None:
    await acme.check(*HIS)
    await changes(acme, None, 3)
    seen: list[str] = []
    page: Any = {"endCursor": None, "hasNextPage": True}
    while page["hasNextPage"]:
        page = await acme.feed(page["endCursor"], 1)
        assert len(page["changes"]) == 1
        seen += [line["digest"] for line in page["changes"]]
    assert set(seen) == {acme.digest(HIS[number]) for number in (0, 2, 3)}
    assert len(seen) == 3
    assert (await acme.feed(page["endCursor"]))["changes"] == []
    query = "query($after: String) { suppressions(after: $after) { endCursor } }"
    for after in (page["endCursor"], "x", "é"):
        answer = await acme.callers.ask("bolt", query, after=after)
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
    for first in (0, 1_001, -1):
        wrong = await acme.callers.ask("acme", f"{{ suppressions(first: {first}) {{ endCursor }} }}")
        assert wrong.json()["errors"][0]["extensions"]["code"] == "PAGE_SIZE"


async def test_the_feed_never_tells_of_what_was_allowed_again_before_it_was_brought(
    acme: Mailer, own_world: Database
) -> None:
    await choose(own_world, "gus", "IN", world.at("2026-05-01"))
    await acme.check("ida@example.org")  # settles: Gus was refused once
    await own_world.app.execute("UPDATE suppression SET changed_at = changed_at - interval '1 day'")
    await acme.check("gus@example.org")
    page = await changes(acme, None, 1)
    assert [line["digest"] for line in page["changes"]] == [acme.digest("ida@example.org")]


@pytest.mark.clause("C9")
async def test_a_link_refuses_mail_at_an_address_of_no_member(
    acme: Mailer, own_world: Database, settings: Settings, keys: Keyring
) -> None:
    """One click, as mail programs send it: nobody is signed in, nobody is a member."""
    link = addresses_of(settings, SealedTokens(keys.token_key)).refuse("stranger@example.net")
    path = link.removeprefix(str(settings.public_url).rstrip("/"))
    http = acme.callers.http
    asked = await http.get(path)
    assert asked.status_code == 200
    assert "promotional mail" in asked.text
    assert "stranger" not in asked.text + path
    assert await acme.suppressed("stranger@example.net") == [False]
    done = await http.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert await acme.suppressed("stranger@example.net", "other@example.net") == [True, False]
    for _ in range(3):
        assert (await http.post(path)).text == done.text
    assert await own_world.app.fetchval("SELECT count(*) FROM refused_address") == 1
    assert (await http.post(path[:-2])).status_code == 404
