"""Postal addresses, as a member changes them, and what partners see of it."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.commands.addresses import MAX_ADDRESSES
from tests import world
from tests.asking import Asking

MOVE = """
mutation($input: SetPrimaryAddressInput!) {
  setPrimaryAddress(input: $input) {
    errors { path code }
    me { region version addresses { edges { node { line1 city isPrimary } } } }
  }
}
"""
ADD = """
mutation($input: AddAddressInput!) {
  addAddress(input: $input) {
    errors { path code }
    me { region version addresses { edges { node { id line1 city kind isPrimary } } } }
  }
}
"""
REMOVE = """
mutation($input: RemoveAddressInput!) {
  removeAddress(input: $input) {
    errors { path code }
    me { version addresses { edges { node { id city isPrimary } } } }
  }
}
"""
LOOK_UP = "query($id: ID!) { member(id: $id) { address { city } region } }"
CHANGED = 'query { members(where: {changedSince: "2026-11-20T00:00:00Z"}) { edges { node { id } } } }'

ADA = world.member("ada").principal
BEN = world.member("ben").principal
ACME = world.partner("acme").principal
ADDRESS = {"line1": "Hauptstr. 5", "city": "Berlin", "country": "DE", "postalCode": "10117", "kind": "HOME"}


async def seen_by_acme(asking: Asking) -> Any:
    subject = str(world.subject("acme", "ada"))
    seen = (await asking.ask(ACME, LOOK_UP, {"id": subject})).data["member"]
    return seen, (await asking.ask(ACME, CHANGED)).data


async def add(asking: Asking, **change: Any) -> Any:
    return (await asking.ask(ADA, ADD, {"input": ADDRESS | change})).data["addAddress"]


async def remove(asking: Asking, address: str) -> Any:
    return (await asking.ask(ADA, REMOVE, {"input": {"id": address}})).data["removeAddress"]


def nodes(answer: Any) -> list[Any]:
    return [edge["node"] for edge in answer["me"]["addresses"]["edges"]]


async def test_another_primary_address_moves_the_member_and_the_region(asking_alone: Asking) -> None:
    answer = (await asking_alone.ask(ADA, MOVE, {"input": ADDRESS})).data["setPrimaryAddress"]
    assert answer["errors"] == []
    assert answer["me"]["region"] == "DE"
    primary = [e["node"] for e in answer["me"]["addresses"]["edges"] if e["node"]["isPrimary"]]
    assert primary == [{"line1": "Hauptstr. 5", "city": "Berlin", "isPrimary": True}]
    assert (await seen_by_acme(asking_alone))[0] == {"address": {"city": "Berlin"}, "region": "DE"}
    again = (await asking_alone.ask(ADA, MOVE, {"input": ADDRESS})).data["setPrimaryAddress"]
    assert again["me"]["version"] == answer["me"]["version"]


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"country": "Germany"}, "country", "BAD_FORMAT"),
        ({"postalCode": "10117!"}, "postalCode", "BAD_FORMAT"),
        ({"postalCode": None}, "postalCode", "REQUIRED"),
        ({"line2": "Tel. 030 901820"}, "line2", "PHONE_NUMBER_IN_TEXT"),
        ({"city": ""}, "city", "REQUIRED"),
    ],
)
async def test_an_address_that_cannot_be_is_refused(
    asking_alone: Asking, change: dict[str, Any], path: str, code: str
) -> None:
    answer = (await asking_alone.ask(ADA, MOVE, {"input": ADDRESS | change})).data["setPrimaryAddress"]
    assert [(error["path"], error["code"]) for error in answer["errors"]] == [([path], code)]


@pytest.mark.clause("C13")
async def test_a_further_address_is_added_once_and_no_partner_is_told(asking_alone: Asking) -> None:
    before = await seen_by_acme(asking_alone)
    answer = await add(asking_alone, kind="SHIPPING")
    assert answer["errors"] == []
    added = nodes(answer)[-1]
    assert (added["line1"], added["city"], added["isPrimary"]) == ("Hauptstr. 5", "Berlin", False)
    assert answer["me"]["region"] == "US-CA"
    assert answer["me"]["version"] == 2
    assert await add(asking_alone, kind="SHIPPING") == answer
    assert await seen_by_acme(asking_alone) == before


async def test_an_added_address_is_checked_as_the_primary_one_is(asking_alone: Asking) -> None:
    answer = await add(asking_alone, line1="call 415 555 2671", postalCode=None)
    assert [e["code"] for e in answer["errors"]] == ["PHONE_NUMBER_IN_TEXT", "REQUIRED"]


async def test_addresses_are_bounded(asking_alone: Asking) -> None:
    for number in range(MAX_ADDRESSES - 3):
        assert (await add(asking_alone, line1=f"Street {number}"))["errors"] == []
    assert (await add(asking_alone, line1="One more"))["errors"] == [{"path": [], "code": "TOO_MANY"}]


@pytest.mark.clause("C13")
async def test_an_address_is_removed_once_and_the_primary_one_stays(asking_alone: Asking) -> None:
    before = await seen_by_acme(asking_alone)
    primary, *others = nodes(await remove(asking_alone, "no id"))
    answer = await remove(asking_alone, others[0]["id"])
    assert answer["errors"] == []
    assert nodes(answer) == [primary, *others[1:]]
    assert await remove(asking_alone, others[0]["id"]) == answer
    refused = await remove(asking_alone, primary["id"])
    assert refused["errors"] == [{"path": ["id"], "code": "LAST_ONE"}]
    assert nodes(refused) == nodes(answer)
    assert await seen_by_acme(asking_alone) == before


async def test_nobody_removes_the_address_of_somebody_else(asking_alone: Asking) -> None:
    before = nodes(await remove(asking_alone, "no id"))
    for address in before:
        given = {"input": {"id": address["id"]}}
        answer = (await asking_alone.ask(BEN, REMOVE, given)).data["removeAddress"]
        assert answer["errors"] == []
    assert nodes(await remove(asking_alone, "no id")) == before
