"""Receipts: what stands in one, that it stays the same, and that nobody gets another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from schema.categories import SEALED
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.test_choosing import announce, choose, newest

ADA = world.member("ada").principal
BEN = world.member("ben").principal
RECEIPT = "query ($choice: ID!) { receipt(choice: $choice) { recordId fileName json } }"
LAST = "{ me { choices(first: 1) { edges { node { id policy } } } } }"


async def receipt(asking: Asking, choice: str, principal: Any = ADA) -> Any:
    return (await asking.ask(principal, RECEIPT, {"choice": choice})).data["receipt"]


async def receipt_of(asking: Asking, **given: Any) -> Any:
    """Of a choice that is made now."""
    assert (await choose(asking, **given))["errors"] == []
    edges = (await asking.ask(ADA, LAST)).data["me"]["choices"]["edges"]
    found = await receipt(asking, edges[0]["node"]["id"])
    record = orjson.loads(found["json"])
    assert found["recordId"] == record["record_id"] == edges[0]["node"]["id"]
    assert found["fileName"] == f"receipt-{found['recordId']}.json"
    return record


@pytest.mark.clause("C11")
async def test_a_receipt_says_what_was_asked_when_of_whom_and_under_which_policy(
    asking_alone: Asking,
) -> None:
    record = await receipt_of(
        asking_alone,
        direction="OUT",
        partner="acme",
        purpose="PARTNER_OFFERS",
        categories=["user.name"],
        requestedAt="2026-11-20T08:00:00+01:00",
    )
    assert list(record) == [
        "schema_version", "record_id", "pii_principal_id", "pii_processing", "party_identification", "event",
    ]  # fmt: skip
    assert record["pii_principal_id"] == str(world.person("ada").id)
    processing = record["pii_processing"]
    assert processing["purposes"] == [
        {"purpose": "PARTNER_OFFERS", "purpose_type": "marketing.advertising.third_party.targeted"}
    ]
    assert processing["lawful_basis"] == ["STRATEGIC", "MARKETING", "MEMBER_REQUEST"]
    assert processing["pii_information"] == [{"pii_type": "user.name", "label": "name"}]
    assert processing["recipient_third_parties"] == ["acme"]
    assert processing["collection_method"] == "PROFILE_PAGE"
    assert processing["privacy_notice"]["policy_digest"] == asking_alone.product.matrix.digest
    controller, partner = record["party_identification"]
    assert processing["pii_controllers"] == [controller["party_id"]]
    assert (controller["party_role"], controller["party_email"]) == (
        "PII controller",
        "members@localhost.localdomain",
    )
    assert (partner["party_id"], partner["party_name"]) == ("acme", "Acme")
    (event,) = record["event"]
    assert (event["event_time"], event["received_at"]) == (
        "2026-11-20T07:00:00+00:00",
        world.NOW.isoformat(),
    )
    assert (event["event_type"], event["event_state"]) == ("explicit", "refused")


@pytest.mark.clause("C9")
async def test_the_newsletter_has_a_receipt_of_its_own_kind(asking_alone: Asking) -> None:
    record = await receipt_of(asking_alone, direction="IN", topic="NEWSLETTER")
    processing = record["pii_processing"]
    assert (processing["service"], processing["lawful_basis"]) == ("newsletter", ["CONSENT"])
    assert processing["recipient_third_parties"] == []
    assert [entry["pii_type"] for entry in processing["pii_information"]] == ["user.contact.email"]
    assert record["event"][0]["event_state"] == "given"


@pytest.mark.clause("C16")
async def test_an_answer_to_a_notice_names_it(asking_alone: Asking) -> None:
    notice = await announce(asking_alone)
    record = await receipt_of(asking_alone, direction="OUT", notice=str(notice))
    told = record["pii_processing"]["privacy_notice"]
    assert (told["notice_id"], told["title"]) == (str(notice), "Regions")
    assert record["pii_processing"]["lawful_basis"] == ["STRATEGIC"]


@pytest.mark.clause("C8", "R1")
async def test_a_general_choice_lists_all_that_it_covers_and_nothing_sealed(asking_alone: Asking) -> None:
    record = await receipt_of(asking_alone, direction="IN")
    processing = record["pii_processing"]
    assert processing["recipient_third_parties"] == ["all partners"]
    assert processing["lawful_basis"] == ["STRATEGIC", "MARKETING"], "no request to a particular company"
    assert not {entry["pii_type"] for entry in processing["pii_information"]} & {*SEALED}


async def test_a_receipt_is_the_same_bytes_whatever_happens_later(asking_alone: Asking) -> None:
    first = newest(await choose(asking_alone, direction="OUT", partner="acme"))
    assert first["direction"] == "OUT"
    ids = (await asking_alone.ask(ADA, LAST)).data["me"]["choices"]["edges"]
    choice = ids[0]["node"]["id"]
    before = await receipt(asking_alone, choice)
    asking_alone.now = world.NOW + timedelta(days=1)
    await choose(asking_alone, direction="IN", partner="acme")
    async with asking_alone.database.connection() as connection:
        await connection.execute("UPDATE member SET region = 'DE', version = 9")
    assert await receipt(asking_alone, choice) == before


async def test_every_choice_of_the_world_has_a_receipt_for_its_member_and_for_nobody_else(
    asking_alone: Asking,
) -> None:
    everything = "{ me { id choices { edges { node { id source } } } } }"
    found = 0
    for someone in world.PEOPLE:
        if someone.status == "CLOSED":
            continue
        principal = world.member(someone.name.lower()).principal
        me = (await asking_alone.ask(principal, everything)).data["me"]
        for edge in me["choices"]["edges"]:
            record = orjson.loads((await receipt(asking_alone, edge["node"]["id"], principal))["json"])
            assert record["pii_principal_id"] == me["id"]
            signal = edge["node"]["source"] == "GPC"
            assert record["event"][0]["event_type"] == ("signal" if signal else "explicit")
            assert await receipt(asking_alone, edge["node"]["id"], ADA) is None
            found += 1
    assert found > 5


@pytest.mark.parametrize("choice", ["", "none", str(UUID(int=0))])
async def test_what_is_no_choice_has_no_receipt(asking_alone: Asking, choice: str) -> None:
    assert await receipt(asking_alone, choice) is None
