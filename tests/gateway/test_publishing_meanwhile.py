"""A policy is published while partners read, members choose and processes die; the past stays told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

import resolvers.announcing
import resolvers.policy_publishing
from gateway.app import Gateway
from gateway.upkeep import Upkeep
from policies.directory import PolicyDirectory, read_directory
from policies.officers import Act, Role
from resolvers.announcing import mail_notices
from resolvers.commands.agreement_changes import narrow_agreement
from resolvers.connection import Link
from resolvers.disclosure_log import DisclosureEntry
from resolvers.explanations_at import DIFFERS, ExplainedAt
from resolvers.officers.members import explain_at, explain_field
from resolvers.officers.policies import publish
from resolvers.policy_publishing import Publication
from resolvers.shares import take_turn
from schema.categories import DataCategory
from schema.errors import ForbiddenError, InputError
from tests import world
from tests.gateway.test_publishing import (
    CHOOSE,
    COMPILED,
    NOTICE,
    OLGA,
    PAGE,
    Scene,
    letter,
    scene,
    with_usernames,
)
from tests.world import person

__all__ = ["scene"]

DAY = timedelta(days=1)
BOUGHT = "{ members(first: 50) { edges { node { id purchaseCategories } } } }"
ASKED = {p.name.lower() for p in world.PEOPLE if any(c["direction"] == "IN" for c in p.choices)}
"""Whoever opted in to anything: what is not presumed any more is shown of nobody else."""

MINUTE = timedelta(minutes=1)


def without(*, action: str) -> PolicyDirectory:
    """The shipped policy without purchase categories: not at all, or only for who asks."""
    shipped = with_usernames().files
    rule = (
        f'\n@id("no-purchases") @clause("C8") @text("x")\nforbid (principal == Basis::"STRATEGIC", {action},'
        ' resource in DataCategory::"user.behavior.purchase_history");\n'
    )
    files = {**shipped, "sharing.cedar": shipped["sharing.cedar"] + rule}
    files["texts/de.toml"] += 'no-purchases = "x"\n'
    for name in [each for each in files if each.startswith("decisions/")]:
        rows = files[name].split("  - name:")[1:]
        files[name] = "rows:\n" + "".join(f"  - name:{row}" for row in rows if "purchase" not in row)
    return read_directory(files)


class Held:
    """Disclosures of a gateway that are recorded when they are told to."""

    def __init__(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()
        log = gateway.engine._egress._log
        record = log.record

        async def held(entry: DisclosureEntry) -> None:
            self.arrived.set()
            await self.go_on.wait()
            await record(entry)

        monkeypatch.setattr(log, "record", held)


@asynccontextmanager
async def in_flight(
    scene: Scene, replica: int, monkeypatch: pytest.MonkeyPatch, *queries: str
) -> AsyncIterator[list[httpx.Response]]:
    """Pages of acme whose statements have run, and which leave when the block is over."""
    held = Held(scene.gateways[replica], monkeypatch)
    answers: list[httpx.Response] = []
    asking = [asyncio.create_task(scene.acme(scene.callers[replica], query)) for query in queries]
    await held.arrived.wait()
    yield answers
    held.go_on.set()
    answers += await asyncio.gather(*asking)


async def heard(scene: Scene, before: Sequence[int]) -> None:
    """Both replicas know that another policy decides: within the second that is promised."""
    async with asyncio.timeout(1):
        while any(g.policy.heard == b for g, b in zip(scene.gateways, before, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.clause("C16", "R2")
@pytest.mark.parametrize(("replica", "action"), [(0, "action"), (1, 'action == Action::"presume"')])
async def test_a_page_that_was_read_before_a_cell_closed_does_not_leave_after_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, replica: int, action: str
) -> None:
    before = [gateway.policy.heard for gateway in scene.gateways]
    async with in_flight(scene, replica, monkeypatch, BOUGHT) as answers:
        await scene.publish(without(action=action))
        await heard(scene, before)
    (answer,) = answers
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")
    assert answer.json()["errors"][0]["extensions"]["code"] == "POLICY_CHANGED"
    assert "chess" not in answer.text
    assert answer.json().get("data") is None
    for gateway, callers in zip(scene.gateways, scene.callers, strict=True):
        await gateway.policy.settled()
        again = await scene.acme(callers, BOUGHT)
        if again.status_code == 400:  # the field is gone
            assert action == "action"
            continue
        nodes = [edge["node"] for edge in again.json()["data"]["members"]["edges"]]
        shown = {node["id"] for node in nodes if node["purchaseCategories"] is not None}
        assert shown <= {str(world.subject("acme", name)) for name in ASKED}


@pytest.mark.clause("C16")
async def test_a_page_that_a_publication_does_not_concern_leaves(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [gateway.policy.heard for gateway in scene.gateways]
    async with in_flight(scene, 0, monkeypatch, PAGE) as answers:
        await scene.publish(with_usernames())  # closes nothing, and opens nothing yet
        await heard(scene, before)
    assert [answer.status_code for answer in answers] == [200]


@pytest.mark.clause("C11", "C16")
async def test_a_choice_that_waited_for_a_publication_counts_under_the_new_policy(scene: Scene) -> None:
    refusal = {"direction": "OUT", "categories": [DataCategory.EMAIL.value]}
    async with scene.database.transaction() as connection:
        done = await publish(
            scene.desk(connection), without(action="action"), notice_days=30, effective_at=None, mailed=True,
            compiled=COMPILED,
        )  # fmt: skip
        asked = [
            asyncio.create_task(callers.ask(who, CHOOSE, input=refusal))
            for callers, who in zip(scene.callers, ("ada", "jon"), strict=True)
        ]
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in asked)
    for answer in await asyncio.gather(*asked):
        assert answer.json()["data"]["choose"]["errors"] == []
    digest = await scene.database.app.fetchval("SELECT digest FROM applied_policy")
    rows = await scene.database.app.fetch(
        "SELECT policy FROM choice WHERE member_id = ANY($1::uuid[]) AND categories = $2 AND policy <> ''",
        [person("ada").id, person("jon").id],
        [DataCategory.EMAIL.value],
    )
    assert done.number == 2
    assert [row["policy"] for row in rows] == [digest, digest]


@pytest.mark.clause("C16")
async def test_a_publication_that_ends_half_way_did_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = ("policy_version", "notice", "notice_mailing", "share_change", "revocation", "officer_action")

    async def counted() -> list[int]:
        return [await scene.database.app.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    before, shares = await counted(), await scene.database.app.fetch("SELECT * FROM share ORDER BY 1, 2")
    async with scene.database.transaction() as other:
        await take_turn(other)  # the publication waits, and its server process is ended meanwhile
        publishing = asyncio.create_task(scene.publish(without(action="action")))
        pid = None
        while pid is None:
            pid = await scene.database.app.fetchval(
                # Of this database alone: other tests wait for locks on the same server.
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
            )
            await asyncio.sleep(0.01)
        await other.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver makes of it
        await publishing

    async def dies(*_: object, **__: object) -> None:
        raise InputError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(resolvers.policy_publishing, "revoke", dies)  # all is written but the last line
        with pytest.raises(InputError):
            await scene.publish(without(action="action"))
    assert await counted() == before
    assert await scene.database.app.fetch("SELECT * FROM share ORDER BY 1, 2") == shares
    assert (await scene.publish(without(action="action"))).number == 2


@pytest.mark.clause("C9", "C16")
async def test_who_was_not_mailed_when_the_command_died_is_mailed_by_upkeep_and_nobody_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.announcing, "MAILED", 3)
    await scene.publish(with_usernames())
    async with scene.database.transaction() as connection:
        (mailing,) = await resolvers.announcing.unfinished_mailings(connection)
        part = await resolvers.announcing.mail_more(connection, mailing, scene.clock())
    assert (part.queued, part.finished) == (3, False)
    upkeep = Upkeep(scene.database, scene.gateways[0].policy, scene.clock)
    while await scene.database.app.fetchval("SELECT finished_at FROM notice_mailing") is None:
        await upkeep.round()
    rows = await scene.database.app.fetch(
        "SELECT id FROM member WHERE status = 'ACTIVE' AND email IS NOT NULL ORDER BY id"
    )
    mailed = await scene.database.app.fetch(
        "SELECT member_id FROM outgoing_mail WHERE kind = 'NEW_PRACTICE' ORDER BY member_id"
    )
    assert [row["member_id"] for row in mailed] == [row["id"] for row in rows]


@pytest.mark.clause("C16")
async def test_what_waits_is_told_in_the_readers_language_and_apart_from_the_rules_in_force(
    scene: Scene,
) -> None:
    await scene.publish(with_usernames())
    while not all(gateway.policy().waiting for gateway in scene.gateways):  # noqa: ASYNC110 - until both heard
        await asyncio.sleep(0.05)
    for callers in scene.callers:
        page = (await callers.http.get("/policy?lang=de")).text
        assert "Neu: Angebote, die zu Ihnen passen" in page
        assert page.index("Angekündigte Regeln") < page.index("Partner erhalten den Benutzernamen")
        told = (await callers.http.get("/policy.json?lang=de")).json()
        assert [rule["id"] for rule in told["announcedRules"]] == ["usernames"]
        assert "usernames" not in {rule["id"] for rule in told["rules"]}
    await scene.move(NOTICE)
    await scene.opened()
    told = (await scene.callers[0].http.get("/policy.json")).json()
    assert (told["announcedRules"], told["rules"][-1]["id"]) == ([], "usernames")


@pytest.mark.clause("C16")
async def test_a_click_on_the_link_that_comes_with_another_policy_is_done_and_not_refused(
    scene: Scene,
) -> None:
    await scene.publish(with_usernames())
    await mail_notices(scene.database.transaction, scene.clock)
    mail = await letter(scene, "ada")
    (link,) = re.findall(r"/refuse/\S+", mail)
    await scene.move(timedelta(0))
    asked = await scene.callers[0].http.get(link, headers={"accept-language": "de"})
    assert (asked.status_code, "Ich widerspreche" in asked.text) == (200, True)
    await scene.publish(without(action="action"))
    answers = [await callers.http.post(link) for callers in scene.callers]
    assert [answer.status_code for answer in answers] == [200, 200]
    refusals = "SELECT count(*) FROM choice WHERE notice_id IS NOT NULL AND member_id = $1"
    assert await scene.database.app.fetchval(refusals, person("ada").id) == 2


# -- what could be seen at a date


async def asked(scene: Scene, connection: Link, who: str, at: datetime, key: DataCategory) -> ExplainedAt:
    """The answer about acme's agreement."""
    answers = await explain_at(
        scene.desk(connection), COMPILED, partner="acme", member=f"M-{person(who).number:03}", category=key,
        scopes=None, at=at,
    )  # fmt: skip
    return next(each for each in answers if each.terms.id == world.AGREEMENTS["acme"].id)


@pytest.mark.clause("C16")
async def test_who_asks_why_something_announced_is_not_shared_is_told_when_it_will_be(scene: Scene) -> None:
    async def explained(category: DataCategory) -> str:
        async with scene.database.transaction() as connection:
            answers = await explain_field(
                scene.desk(connection), partner="acme", member="M-001", category=category, scopes=None
            )
        acme = world.AGREEMENTS["acme"].id
        return next("; ".join(each.lines()) for each in answers if each.agreement.terms.id == acme)

    await scene.publish(with_usernames())
    opens = scene.clock() + NOTICE
    assert f"opens on {opens:%Y-%m-%d}" in await explained(DataCategory.USERNAME)
    assert "opens on" not in await explained(DataCategory.NAME)
    await scene.move(NOTICE)
    await scene.opened()
    assert "opens on" not in await explained(DataCategory.USERNAME)


@pytest.mark.clause("C16", "C11")
async def test_what_could_be_seen_at_a_date_is_told_with_the_reasons_of_then(scene: Scene) -> None:
    start = scene.clock()
    scene.clock.now += DAY
    done: Publication = await scene.publish(with_usernames())
    scene.clock.now += DAY
    refusal = {"direction": "OUT", "notice": str(done.notices[0])}
    assert (await scene.callers[0].ask("ada", CHOOSE, input=refusal)).status_code == 200
    # What acme owes it deletes in time: otherwise it would be given nothing by the time the field opens.
    await scene.database.app.execute("UPDATE deletion SET confirmed_at = $1", scene.clock())
    await scene.move(NOTICE)
    assert (await scene.opened())["kim"] == "kim"
    opened = scene.clock()
    scene.clock.now += DAY
    assert (await scene.callers[0].ask("kim", CHOOSE, input=refusal)).status_code == 200
    refused = scene.clock()
    scene.clock.now += DAY
    async with scene.database.transaction() as connection:
        await narrow_agreement(
            connection, scene.gateways[0].policy(), agreement_id=world.AGREEMENTS["acme"].id,
            categories=["user.account.username"], now=scene.clock(),
        )  # fmt: skip
    key = DataCategory.USERNAME
    async with scene.database.transaction() as connection:
        told = {
            (who, name): await asked(scene, connection, who, at, key)
            for who in ("ada", "kim", "jon", "cid")
            for name, at in (
                ("start", start),
                ("announced", start + 2 * DAY),
                ("opened", opened),
                ("refused", refused),
                ("narrowed", scene.clock()),
            )
        }
    seen = {asked_for for asked_for, answer in told.items() if answer.shared}
    assert seen == {("kim", "opened"), ("jon", "opened"), ("jon", "refused")}
    assert all(answer.agrees for answer in told.values())
    reasons = {name: a.explanation.verdict.reason for (who, name), a in told.items() if who == "kim"}
    assert reasons == {
        "start": "POLICY", "announced": "POLICY", "opened": "PRESUMED", "refused": "REFUSED",
        "narrowed": "AGREEMENT",
    }  # fmt: skip
    assert told["ada", "opened"].explanation.verdict.reason == "REFUSED"
    assert told["cid", "opened"].explanation.verdict.reason == "PROTECTED"
    versions = {name: (a.policy.version, a.policy.held_back) for (_, name), a in told.items()}
    assert versions == {"start": (1, ()), "announced": (2, (1,)), "opened": (2, ()), "refused": (2, ()),
                        "narrowed": (2, ())}  # fmt: skip
    lines = "\n".join(told["kim", "announced"].lines())
    assert "could NOT be seen" in lines
    assert "held back by version 1" in lines
    (line,) = await scene.database.app.fetch("SELECT * FROM officer_action ORDER BY seq DESC LIMIT 1")
    log_id = await scene.database.app.fetchval("SELECT log_id FROM member WHERE id = $1", person("cid").id)
    assert (line["act"], line["member_log_id"]) == (Act.DECISION_EXPLAIN, log_id)


async def test_reasons_that_do_not_lead_to_the_record_say_so(scene: Scene) -> None:
    start = scene.clock()
    scene.clock.now += DAY
    async with scene.database.transaction() as connection:
        before = await asked(scene, connection, "ada", start, DataCategory.NAME)
        # As if her birth date had been corrected since: who is under 18 today was shared then.
        await connection.execute(
            "UPDATE member SET birth_date = '2015-01-01' WHERE id = $1", person("ada").id
        )
        after = await asked(scene, connection, "ada", start, DataCategory.NAME)
    assert (before.shared, before.agrees) == (True, True)
    assert (after.shared, after.agrees) == (True, False)
    assert list(after.lines())[-1] == DIFFERS
    assert "2015" not in "\n".join(after.lines())


async def test_the_past_is_told_to_who_may_read_records_and_no_future_is_told(scene: Scene) -> None:
    sam = replace(OLGA, name="sam", roles=frozenset({Role.SUPPORT}))
    for officer, at, refusal in (
        (sam, scene.clock(), ForbiddenError),
        (OLGA, scene.clock() + MINUTE, InputError),
    ):
        with pytest.raises(refusal):
            async with scene.database.transaction() as connection:
                await explain_at(
                    replace(scene.desk(connection), officer=officer), COMPILED, partner="acme",
                    member=f"M-{person('ada').number:03}", category=DataCategory.NAME, scopes=None, at=at,
                )  # fmt: skip
