"""The engine and the gateway around it: what leaves, when, and what has been recorded by then."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from typing import Any

import pytest

from gateway.app import Gateway
from gateway.egress import Egress
from policies.principal import MemberPrincipal
from resolvers.disclosure_log import DisclosureLog
from schema.errors import DisclosureUnrecordedError
from tests import world
from tests.asking import Asking, still_counts
from tests.running import Callers

ACME = world.CALLERS["acme"].principal
EXPORT = "query Export { members { edges { node { id email } } } }"
RECORDS = "SELECT * FROM disclosure WHERE operation_name IS DISTINCT FROM 'Export' OR token_id <> 'token'"


async def recorded(gateway: Gateway) -> list[Any]:
    """On another connection than the one that wrote."""
    connection = await gateway.database.listen()
    try:
        return await connection.fetch(f"{RECORDS} ORDER BY recorded_at, id")
    finally:
        await connection.close()


@pytest.mark.clause("C7", "C8", "R2")
async def test_what_left_to_a_partner_has_its_record(gateway: Gateway, callers: Callers) -> None:
    answer = await callers.ask("acme", EXPORT)
    assert answer.status_code == 200
    nodes = [edge["node"] for edge in answer.json()["data"]["members"]["edges"]]
    assert len(nodes) == 8
    (record,) = await recorded(gateway)
    assert (record["partner_id"], record["agreement_id"]) == (ACME.partner_id, ACME.agreement_id)  # type: ignore[union-attr]
    assert (record["client_id"], record["operation_name"]) == ("acme", "Export")
    assert (record["basis"], record["purpose"]) == (
        "STRATEGIC",
        world.AGREEMENTS["acme"].purpose.value,
    )
    assert record["categories"] == ["user.contact.email", "user.unique_id.pseudonymous"]
    names = {person.log_id: person.name.lower() for person in world.PEOPLE}
    assert {str(world.subject("acme", names[member])) for member in record["members"]} == {
        node["id"] for node in nodes
    }


@pytest.mark.clause("C12")
async def test_the_member_sees_the_disclosure_that_was_just_made(callers: Callers) -> None:
    ask = "{ me { disclosures(first: 1) { totalCount edges { node { categories partner { name } } } } } }"
    before = (await callers.ask("ada", ask)).json()["data"]["me"]["disclosures"]
    await callers.ask("bolt", EXPORT)
    after = (await callers.ask("ada", ask)).json()["data"]["me"]["disclosures"]
    assert after["totalCount"] == before["totalCount"] + 1
    assert after["edges"][0]["node"] == {
        "categories": ["user.contact.email", "user.unique_id.pseudonymous"],
        "partner": {"name": "bolt"},
    }


@pytest.mark.clause("R2")
async def test_where_no_record_can_be_written_nothing_leaves(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_self: DisclosureLog, *_: Any) -> None:
        raise OSError("the disk is full of ada@example.org")

    monkeypatch.setattr(DisclosureLog, "_commit", fails)
    answer = await callers.ask("acme", EXPORT)
    assert answer.status_code == 503
    body = answer.json()
    assert body.keys() == {"errors"}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["DISCLOSURE_UNRECORDED"]
    assert "example.org" not in answer.text
    member = await callers.ask("ada", "{ me { number } }")
    assert member.json() == {"data": {"me": {"number": "M-001"}}}


async def test_a_record_that_takes_too_long_is_none(
    asking_alone: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stalls(_self: DisclosureLog, *_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(DisclosureLog, "_commit", stalls)
    async with DisclosureLog(asking_alone.database.disclosures, flush_interval=0, timeout=0.05) as log:
        monkeypatch.setattr(asking_alone.engine, "_egress", Egress(log, still_counts))
        with pytest.raises(DisclosureUnrecordedError):
            await asking_alone.ask(ACME, EXPORT)


async def test_a_command_leaves_nothing_for_the_collector(asking_alone: Asking) -> None:
    """Its pauses took one correction in a hundred five times as long as the others."""
    command = 'mutation { correctProfile(input: {interests: ["chess"]}) { me { number interests } } }'
    ada = world.CALLERS["ada"].principal
    await asking_alone.ask(ada, command)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            assert (await asking_alone.ask(ada, command)).data["correctProfile"]["me"]["number"] == "M-001"
        assert gc.collect() < 20
    finally:
        gc.enable()


async def test_two_partners_cannot_join_their_members(callers: Callers) -> None:
    """Pairwise ids: nothing that both are shown names the same member."""
    ask = "{ members { edges { cursor node { id } } } }"
    one, two = [
        (await callers.ask(name, ask)).json()["data"]["members"]["edges"] for name in ("acme", "bolt")
    ]
    values = [
        {edge["cursor"] for edge in edges} | {edge["node"]["id"] for edge in edges} for edges in (one, two)
    ]
    assert not values[0] & values[1]


@pytest.mark.parametrize("client", ["acme-suspended", "acme-ended", "bolt-begins"])
async def test_a_client_whose_agreement_is_not_in_force_is_not_let_in(callers: Callers, client: str) -> None:
    answer = await callers.ask(client, "{ viewer { audience } }")
    assert answer.status_code == 401


@pytest.mark.parametrize("client", ["acme-suspended", "acme-ended", "bolt-begins"])
async def test_nor_do_its_rows_of_share_count(asking: Asking, client: str) -> None:
    """`bolt-begins` has rows already; the statement itself asks whether the agreement is in force."""
    reply = await asking.both(
        world.CALLERS[client].principal, "{ members { totalCount edges { node { id } } } }"
    )
    assert reply.data == {"members": {"totalCount": 0, "edges": []}}


@pytest.mark.clause("C16")
async def test_the_policy_in_force_is_everybodys_to_read(callers: Callers, gateway: Gateway) -> None:
    for name in ("visitor", "ada", "acme"):
        answer = await callers.ask(name, "{ policy { digest } }")
        assert answer.json()["data"]["policy"]["digest"] == gateway.product.matrix.digest


@pytest.mark.clause("C16")
async def test_the_policy_is_told_in_words_as_on_its_page(callers: Callers) -> None:
    ask = """{ policy { version inForceSince text(language: DE) { level title paragraphs }
      ruleTexts(language: DE) { id effect clause text } } }"""
    page = (await callers.http.get("/policy.json", headers={"accept-language": "de"})).json()
    for name in ("visitor", "ada", "acme"):
        policy = (await callers.ask(name, ask)).json()["data"]["policy"]
        assert policy["text"] == page["text"]
        assert policy["version"] == page["version"] == "1"
        assert datetime.fromisoformat(policy["inForceSince"]) == datetime.fromisoformat(page["inForceSince"])
        assert policy["ruleTexts"] == page["rules"]
    title, *_ = page["text"]
    assert title["title"] == "Ihre Daten, und wer sie sehen darf"
    assert title["paragraphs"][1].startswith("Fassung 1 unserer Regeln zur Weitergabe, in Kraft seit dem ")


@pytest.mark.clause("C2", "C3", "C12")
async def test_a_member_reads_the_interactions_and_visits_of_her_own_and_of_nobody_else(
    callers: Callers,
) -> None:
    ask = """{ me {
      interactions { edges { node { kind source content } } }
      visits { edges { node { ipAddress browser } } }
    } }"""
    ada, ben = [(await callers.ask(name, ask)).json()["data"]["me"] for name in ("ada", "ben")]
    assert [edge["node"] for edge in ada["interactions"]["edges"]] == [
        {"kind": kind, "source": "web", "content": f"answer {number}"}
        for number, kind in ((4, "RECEIVED_EMAIL"), (3, "SWEEPSTAKES"), (2, "SURVEY"), (1, "PURCHASE_FORM"))
    ]
    assert ada["visits"]["edges"][0]["node"] == {"ipAddress": "192.0.2.2", "browser": "Mosaic"}
    assert ben == {"interactions": {"edges": []}, "visits": {"edges": []}}


@pytest.mark.clause("C6")
async def test_a_member_reads_carts_and_orders_of_her_own_and_of_nobody_else(callers: Callers) -> None:
    ask = "{ me { orders { edges { node { number status } } } carts { totalCount } } }"
    ada, ben = [(await callers.ask(name, ask)).json()["data"]["me"] for name in ("ada", "ben")]
    assert [edge["node"]["number"] for edge in ada["orders"]["edges"]] == ["O-3", "O-2", "O-1"]
    assert {edge["node"]["status"] for edge in ada["orders"]["edges"]} == {"DELIVERED"}
    assert [edge["node"]["number"] for edge in ben["orders"]["edges"]] == ["O-99"]
    assert (ada["carts"]["totalCount"], ben["carts"]["totalCount"]) == (3, 0)


async def test_a_member_who_is_gone_is_told_to_sign_in_again(asking: Asking) -> None:
    nobody = MemberPrincipal(world.row_id("agreement", 1), "web", "token")
    reply = await asking.both(nobody, "{ me { number } }")
    assert reply.codes == ["UNAUTHENTICATED"]
    assert reply.data is None


async def test_a_wrong_page_size_is_refused_before_anything_is_read(asking: Asking) -> None:
    for first in (-1, 501, 2_147_483_647):
        reply = await asking.both(ACME, "query($n: Int) { members(first: $n) { totalCount } }", {"n": first})
        assert reply.codes == ["PAGE_SIZE"]
        assert str(first) not in reply.body.decode()
        assert reply.statements == ()


async def test_the_same_document_is_planned_once(asking: Asking) -> None:
    document = (
        "query($n: Int, $x: Boolean = true) { members(first: $n) { edges { node { id @include(if: $x) } } } }"
    )
    for variables in ({"n": 1}, {"n": 2}, {"n": 3, "x": True}):
        await asking.ask(ACME, document, variables)
    plans = len(asking.engine._planner._plans._values)
    await asking.ask(ACME, document, {"n": 4})
    assert len(asking.engine._planner._plans._values) == plans
    await asking.ask(ACME, document, {"n": 4, "x": False})
    assert len(asking.engine._planner._plans._values) == plans + 1


async def test_callers_at_the_same_time_each_get_their_own(callers: Callers) -> None:
    names = ["ada", "ben", "acme", "bolt", "visitor"] * 6
    ask = {
        "ada": "{ me { number } }",
        "ben": "{ me { number } }",
        "acme": "{ members { totalCount } agreement { basis } }",
        "bolt": "{ members { totalCount } agreement { basis } }",
        "visitor": "{ viewer { audience } }",
    }
    expected = {
        "ada": {"me": {"number": "M-001"}},
        "ben": {"me": {"number": "M-002"}},
        "acme": {"members": {"totalCount": 8}, "agreement": {"basis": "STRATEGIC"}},
        "bolt": {"members": {"totalCount": 8}, "agreement": {"basis": "MARKETING"}},
        "visitor": {"viewer": {"audience": "VISITOR"}},
    }
    answers = await asyncio.gather(*(callers.ask(name, ask[name]) for name in names))
    for name, answer in zip(names, answers, strict=True):
        assert answer.json() == {"data": expected[name]}
