"""Corrections and choices, asked for as a member does, and what they do to what partners see."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.commands.correction import MAX_INTERESTS
from tests import world
from tests.asking import Asking

CORRECT = """
mutation($input: CorrectProfileInput!) {
  correctProfile(input: $input) {
    errors { path code message }
    me { givenName familyName username interests version }
  }
}
"""
CHOOSE = """
mutation($input: ChooseInput!) {
  choose(input: $input) {
    errors { path code }
    me { shares { edges { node { agreement { partner { name } } } } } }
  }
}
"""
LOOK_UP = "query($id: ID!) { member(id: $id) { name email address { city } region } }"
CHANGED = 'query { members(where: {changedSince: "2026-11-20T00:00:00Z"}) { edges { node { id } } } }'

ADA = world.member("ada").principal
ACME = world.partner("acme").principal


async def correct(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(ADA, CORRECT, {"input": given})).data["correctProfile"]


async def seen_by_acme(asking: Asking) -> Any:
    subject = str(world.subject("acme", "ada"))
    return (await asking.ask(ACME, LOOK_UP, {"id": subject})).data["member"]


async def told_to_acme(asking: Asking) -> bool:
    """Whether acme is told of a change of Ada."""
    edges = (await asking.ask(ACME, CHANGED)).data["members"]["edges"]
    return str(world.subject("acme", "ada")) in [edge["node"]["id"] for edge in edges]


@pytest.mark.clause("C13")
async def test_a_correction_shows_in_the_same_answer_and_to_the_partner(asking_alone: Asking) -> None:
    answer = await correct(asking_alone, givenName="  Augusta ", interests=["go", "maths", "go"])
    assert answer["errors"] == []
    assert answer["me"]["givenName"] == "Augusta"
    assert answer["me"]["interests"] == ["go", "maths"]
    assert (await seen_by_acme(asking_alone))["name"] == "Augusta Lovelace"
    assert await told_to_acme(asking_alone)


async def test_what_is_already_so_changes_nothing(asking_alone: Asking) -> None:
    before = (await correct(asking_alone))["me"]
    assert (await correct(asking_alone, givenName=before["givenName"], username="ada"))["me"] == before
    assert not await told_to_acme(asking_alone)


async def test_all_findings_are_reported_at_once_and_nothing_is_stored(asking_alone: Asking) -> None:
    before = (await correct(asking_alone))["me"]
    answer = await correct(
        asking_alone,
        givenName=" ",
        familyName="x" * 101,
        username="a\u202eb",
        interests=["x"] * (MAX_INTERESTS + 1),
    )
    assert [(e["path"], e["code"]) for e in answer["errors"]] == [
        (["givenName"], "REQUIRED"),
        (["familyName"], "TOO_LONG"),
        (["username"], "CONTROL_CHARACTER"),
        (["interests"], "TOO_MANY"),
    ]
    assert answer["me"] == before


@pytest.mark.parametrize("field", ["givenName", "familyName", "username", "interests"])
@pytest.mark.parametrize(
    "number", ["+1 415 555 2671", "(415) 555-2671", "4 1 5 5 5 5 2 6 7 1", "４１５５５５２６７１"]
)
async def test_a_telephone_number_in_a_text_is_refused_and_not_repeated(
    asking_alone: Asking, field: str, number: str
) -> None:
    answer = await correct(asking_alone, **{field: [number] if field == "interests" else f"call {number}"})
    assert [error["code"] for error in answer["errors"]] == ["PHONE_NUMBER_IN_TEXT"]
    assert answer["errors"][0]["path"] == [field]
    assert "2671" not in answer["errors"][0]["message"]


async def test_a_user_name_that_is_taken_is_refused_without_repeating_it(asking_alone: Asking) -> None:
    answer = await correct(asking_alone, username="MAX")
    assert [(e["path"], e["code"]) for e in answer["errors"]] == [(["username"], "TAKEN")]
    assert "max" not in answer["errors"][0]["message"].lower()


async def test_a_version_that_was_overtaken_is_a_conflict(asking_alone: Asking) -> None:
    version = (await correct(asking_alone))["me"]["version"]
    assert (await correct(asking_alone, givenName="A", version=version))["errors"] == []
    stale = await correct(asking_alone, givenName="B", version=version)
    assert [(e["path"], e["code"]) for e in stale["errors"]] == [(["version"], "CONFLICT")]
    assert stale["me"]["givenName"] == "A"


async def test_a_card_number_in_a_text_is_refused_and_not_repeated(asking_alone: Asking) -> None:
    answer = await correct(asking_alone, interests=["４242 4242 4242 4242"])
    assert [(e["path"], e["code"]) for e in answer["errors"]] == [(["interests"], "CARD_NUMBER_IN_TEXT")]
    assert "42" not in answer["errors"][0]["message"]


async def choose(asking: Asking, **given: Any) -> Any:
    answer = (await asking.ask(ADA, CHOOSE, {"input": given})).data["choose"]
    shares = answer["me"]["shares"]["edges"]
    return [e["code"] for e in answer["errors"]], {e["node"]["agreement"]["partner"]["name"] for e in shares}


@pytest.mark.clause("C11")
async def test_the_latest_date_of_request_wins_whenever_it_arrives(asking_alone: Asking) -> None:
    _, before = await choose(asking_alone, direction="IN", requestedAt="2026-11-01T00:00:00Z")
    assert "acme" in before
    _, shares = await choose(
        asking_alone, direction="OUT", partner="acme", requestedAt="2026-11-10T00:00:00Z"
    )
    assert shares == before - {"acme"}
    _, late = await choose(asking_alone, direction="IN", partner="acme", requestedAt="2026-11-09T00:00:00Z")
    assert late == shares
    _, equal = await choose(asking_alone, direction="IN", partner="acme", requestedAt="2026-11-10T00:00:00Z")
    assert equal == shares
    _, later = await choose(asking_alone, direction="IN", partner="acme", requestedAt="2026-11-11T00:00:00Z")
    assert "acme" in later


@pytest.mark.clause("C11")
async def test_a_choice_that_cannot_be_is_refused(asking_alone: Asking) -> None:
    codes, _ = await choose(
        asking_alone,
        direction="OUT",
        partner="nobody",
        categories=["user.contact.phone_number"],
        requestedAt="2027-01-01T00:00:00Z",
    )
    assert sorted(codes) == ["BAD_DATE", "UNKNOWN_CATEGORY", "UNKNOWN_PARTNER"]


async def test_who_opted_out_cannot_be_looked_up_any_more(asking_alone: Asking) -> None:
    assert await seen_by_acme(asking_alone) is not None
    await choose(asking_alone, direction="OUT")
    assert await seen_by_acme(asking_alone) is None
