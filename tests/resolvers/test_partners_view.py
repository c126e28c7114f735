"""What each partner may get, and why: told to the member as it is decided, by the code that decides it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from policies.choices import Choice, Ledger
from policies.decision import Allow
from policies.sharing import EVERYTHING, decide
from resolvers.commands.partners import set_agreement_status
from resolvers.decision_facts import read_choices, read_facts
from resolvers.partners_view import CHANGING, MESSAGES, Outcome, PartnerView, view_partners
from schema.categories import categories_of, expand
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking
from tests.resolvers.commands.test_choosing import choose

PARTNERS = """{ partners { name displayName agreements {
  id basis purpose categories validFrom validUntil inForce
  leaves { category label reason message evidence } withheld { category reason message evidence }
} } }"""

PRESENT = [someone.name.lower() for someone in world.PEOPLE]


async def view(asking: Asking, who: str, now: datetime | None = None) -> list[PartnerView]:
    async with asking.database.connection() as connection:
        return list(
            await view_partners(connection, asking.product.matrix, world.person(who).id, now or world.NOW)
        )


def told(views: list[PartnerView], agreement: UUID) -> dict[str, Outcome]:
    """The outcomes of one agreement by category."""
    return {
        outcome.category.value: outcome
        for partner in views
        for applied in partner.agreements
        if applied.terms.id == agreement
        for outcome in (*applied.leaves, *applied.withheld)
    }


@pytest.mark.clause("C8", "C11", "C17")
@pytest.mark.parametrize("who", PRESENT)
async def test_it_tells_what_is_shared_and_each_reason_as_it_is_decided(asking: Asking, who: str) -> None:
    person = world.person(who)
    views = await view(asking, who)
    async with asking.database.connection() as connection:
        rows = await connection.fetch("SELECT agreement_id, mask FROM share WHERE member_id = $1", person.id)
        (member,) = await connection.fetch(
            "SELECT birth_date, region, status FROM member WHERE id = $1", person.id
        )
        choices: Ledger | list[Choice] = (await read_choices(connection, [person.id])).get(person.id, [])
    shared = {row["agreement_id"]: categories_of(row["mask"]) for row in rows}
    applied = {each.terms.id: each for partner in views for each in partner.agreements}
    assert shared.keys() <= applied.keys() | {world.AGREEMENTS["acme-ended"].id}
    for agreement_id, each in applied.items():
        leaving = {outcome.category for outcome in each.leaves}
        assert leaving == shared.get(agreement_id, frozenset())
        named = set(expand(each.terms.categories))
        assert leaving | {outcome.category for outcome in each.withheld} == named
        for outcome in (*each.leaves, *each.withheld):
            verdict = decide(
                asking.product.matrix, each.terms, EVERYTHING, read_facts(member), choices,
                category=outcome.category, now=max(world.NOW, each.terms.valid_from),
            )  # fmt: skip
            assert outcome.reason == verdict.reason.value
            assert isinstance(verdict, Allow) == (outcome in each.leaves)
            assert outcome.message == MESSAGES[verdict.reason]


@pytest.mark.clause("C8")
async def test_a_member_sees_every_partner_with_what_is_or_will_be_in_force(asking: Asking) -> None:
    data = (await asking.both(world.member("ada").principal, PARTNERS)).data["partners"]
    assert [partner["name"] for partner in data] == ["acme", "bolt", "wish"]
    listed = {agreement["id"]: agreement for partner in data for agreement in partner["agreements"]}
    clients = ("acme", "bolt", "bolt-begins", "wish")
    assert listed.keys() == {str(world.AGREEMENTS[client].id) for client in clients}
    acme = listed[str(world.AGREEMENTS["acme"].id)]
    assert (acme["basis"], acme["purpose"], acme["inForce"]) == ("STRATEGIC", "PARTNER_OFFERS", True)
    email = next(entry for entry in acme["leaves"] if entry["category"] == "user.contact.email")
    assert (email["label"], email["reason"]) == ("e-mail address", "PRESUMED")
    assert "permit" in email["evidence"][0]
    assert not listed[str(world.AGREEMENTS["bolt-begins"].id)]["inForce"]


@pytest.mark.clause("C8", "C11", "C17")
@pytest.mark.parametrize(
    ("who", "client", "category", "reason", "evidence"),
    [
        ("ida", "acme", "user.name", "REFUSED", "opted out on 2026-01-05"),
        ("jon", "acme", "user.contact.email", "REFUSED", "opted out on 2026-01-05"),
        ("gus", "bolt", "user.contact.email", "REFUSED", "all partners"),
        ("hal", "acme", "user.contact.email", "REQUESTED", "opted in on 2026-02-06"),
        ("cid", "acme", "user.name", "PROTECTED", "under 18"),
        ("dot", "acme", "user.name", "PROTECTED", "unknown"),
        ("eve", "acme", "user.name", "INACTIVE", None),
        ("ada", "wish", "user.contact.email", "NOT_REQUESTED", "no rule permits to presume"),
        ("max", "wish", "user.contact.email", "REQUESTED", "this partner"),
    ],
)
async def test_the_reason_names_what_it_rests_on(
    asking: Asking, who: str, client: str, category: str, reason: str, evidence: str | None
) -> None:
    outcome = told(await view(asking, who), world.AGREEMENTS[client].id)[category]
    assert outcome.reason == reason
    assert (evidence is None) == (outcome.evidence == ())
    assert evidence is None or evidence in " ".join(outcome.evidence)


@pytest.mark.clause("C11")
async def test_it_follows_a_choice_and_a_suspension(asking_alone: Asking) -> None:
    acme = world.AGREEMENTS["acme"].id
    before = told(await view(asking_alone, "ada"), acme)
    assert before["user.contact.email"].reason == "PRESUMED"
    await choose(asking_alone, direction="OUT", partner="acme", categories=["user.contact.email"])
    assert told(await view(asking_alone, "ada"), acme)["user.contact.email"].reason == "REFUSED"
    async with asking_alone.database.transaction() as connection:
        await set_agreement_status(
            connection, asking_alone.product.matrix, agreement_id=acme,
            status=AgreementStatus.SUSPENDED, now=world.NOW,
        )  # fmt: skip
    assert told(await view(asking_alone, "ada"), acme) == {}


async def test_what_time_alone_changed_is_told_as_changing(asking: Asking) -> None:
    """Cid comes of age; until the shares have followed, the partner still gets nothing."""
    of_age = datetime.combine(world.person("cid").born or world.NOW, datetime.min.time(), world.NOW.tzinfo)
    later = of_age + timedelta(days=366 * 18)
    acme = told(await view(asking, "cid", later), world.AGREEMENTS["acme"].id)
    assert {outcome.reason for outcome in acme.values()} == {CHANGING}


async def test_nobody_but_a_member_has_this_view(asking: Asking) -> None:
    for who in ("visitor", "acme"):
        schema: Any = asking.contract(world.CALLERS[who].principal).schema
        assert not {"partners", "receipt", "previewAsPartner"} & schema.query_type.fields.keys()
