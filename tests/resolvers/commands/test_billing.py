"""Billing methods, as a member changes them; the token goes to the vault and a card number nowhere."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from resolvers.commands.billing import MAX_METHODS
from tests import world
from tests.asking import Asking

SHOWN = """
  errors { path code message }
  me { version billingMethods { edges { node { id brand lastFour expiryMonth expiryYear } } } }
"""
ADD = f"mutation($input: AddBillingMethodInput!) {{ addBillingMethod(input: $input) {{ {SHOWN} }} }}"
REMOVE = f"mutation($input: RemoveBillingMethodInput!) {{ removeBillingMethod(input: $input) {{ {SHOWN} }} }}"

ADA = world.member("ada").principal
BEN = world.member("ben").principal
CARD = {
    "brand": "Visa",
    "lastFour": "4242",
    "expiryMonth": 11,
    "expiryYear": 2026,
    "processorToken": "tok_of_ada",
}


async def add(asking: Asking, principal: Any = ADA, **change: Any) -> Any:
    return (await asking.ask(principal, ADD, {"input": CARD | change})).data["addBillingMethod"]


async def remove(asking: Asking, method: str, principal: Any = ADA) -> Any:
    return (await asking.ask(principal, REMOVE, {"input": {"id": method}})).data["removeBillingMethod"]


def nodes(answer: Any) -> list[Any]:
    return [edge["node"] for edge in answer["me"]["billingMethods"]["edges"]]


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


async def tokens(asking: Asking) -> dict[str, str]:
    owner = await asyncpg.connect(asking.database.url)
    rows = await owner.fetch("SELECT billing_method_id, token FROM vault.billing_token")
    await owner.close()
    return {str(row["billing_method_id"]): row["token"] for row in rows}


@pytest.mark.clause("C13")
async def test_a_billing_method_is_added_once_and_its_token_is_sealed_away(asking_alone: Asking) -> None:
    answer = await add(asking_alone)
    assert answer["errors"] == []
    assert answer["me"]["version"] == 2
    added = next(node for node in nodes(answer) if node["lastFour"] == "4242")
    assert (added["brand"], added["expiryMonth"], added["expiryYear"]) == ("Visa", 11, 2026)
    assert await tokens(asking_alone) == {added["id"]: "tok_of_ada"}
    assert "tok_of_ada" not in str(answer)
    assert await add(asking_alone) == answer
    assert len(await tokens(asking_alone)) == 1


async def test_a_known_method_is_brought_up_to_date(asking_alone: Asking) -> None:
    before = await add(asking_alone)
    renewed = await add(asking_alone, expiryMonth=1, expiryYear=2031, processorToken="tok_renewed")
    assert [node["id"] for node in nodes(renewed)] == [node["id"] for node in nodes(before)]
    changed = next(node for node in nodes(renewed) if node["lastFour"] == "4242")
    assert (changed["expiryMonth"], changed["expiryYear"]) == (1, 2031)
    assert await tokens(asking_alone) == {changed["id"]: "tok_renewed"}
    assert renewed["me"]["version"] == before["me"]["version"] + 1


async def test_a_token_that_changes_alone_changes_nothing_else(asking_alone: Asking) -> None:
    before = await add(asking_alone)
    assert await add(asking_alone, processorToken="tok_rotated") == before
    assert list((await tokens(asking_alone)).values()) == ["tok_rotated"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"brand": " "}, "brand", "REQUIRED"),
        ({"brand": "x" * 41}, "brand", "TOO_LONG"),
        ({"brand": "4242 4242 4242 4242"}, "brand", "CARD_NUMBER_IN_TEXT"),
        ({"brand": "call 415 555 2671"}, "brand", "PHONE_NUMBER_IN_TEXT"),
        ({"lastFour": "424"}, "lastFour", "BAD_FORMAT"),
        ({"lastFour": "٤٢٤٢"}, "lastFour", "BAD_FORMAT"),
        ({"lastFour": "4242424242424242"}, "lastFour", "BAD_FORMAT"),
        ({"expiryMonth": 0}, "expiryMonth", "BAD_FORMAT"),
        ({"expiryMonth": 13}, "expiryMonth", "BAD_FORMAT"),
        ({"expiryMonth": 10}, "expiryYear", "EXPIRED"),
        ({"expiryYear": -1}, "expiryYear", "EXPIRED"),
        ({"expiryYear": 2_147_483_647}, "expiryYear", "BAD_FORMAT"),
        ({"processorToken": ""}, "processorToken", "BAD_FORMAT"),
        ({"processorToken": "a b"}, "processorToken", "BAD_FORMAT"),
        ({"processorToken": "x" * 256}, "processorToken", "BAD_FORMAT"),
        ({"processorToken": "4242424242424242"}, "processorToken", "CARD_NUMBER_IN_TEXT"),
        ({"processorToken": "tok-378282246310005"}, "processorToken", "CARD_NUMBER_IN_TEXT"),
    ],
)
async def test_a_billing_method_that_cannot_be_is_refused_and_not_repeated(
    asking_alone: Asking, change: dict[str, Any], field: str, code: str
) -> None:
    answer = await add(asking_alone, **change)
    assert codes(answer) == [([field], code)]
    (value,) = change.values()
    assert not isinstance(value, str) or value in {"", " "} or value not in answer["errors"][0]["message"]
    assert len(nodes(answer)) == 2
    assert await tokens(asking_alone) == {}


async def test_methods_are_bounded(asking_alone: Asking) -> None:
    for number in range(MAX_METHODS - 2):
        assert (await add(asking_alone, lastFour=f"{number + 1000}"))["errors"] == []
    assert codes(await add(asking_alone, lastFour="9999")) == [([], "TOO_MANY")]


@pytest.mark.clause("C1")
async def test_methods_are_removed_with_their_tokens_but_the_last_one_stays(asking_alone: Asking) -> None:
    added = nodes(await add(asking_alone))
    kept = next(node for node in added if node["brand"] == "Mastercard")
    for node in added:
        if node != kept:
            answer = await remove(asking_alone, node["id"])
            assert answer["errors"] == []
            assert await remove(asking_alone, node["id"]) == answer
    assert await tokens(asking_alone) == {}
    refused = await remove(asking_alone, kept["id"])
    assert codes(refused) == [(["id"], "LAST_ONE")]
    assert nodes(refused) == [kept]


async def test_nobody_removes_the_method_of_somebody_else(asking_alone: Asking) -> None:
    before = nodes(await add(asking_alone))
    for node in before:
        assert (await remove(asking_alone, node["id"], BEN))["errors"] == []
    assert nodes(await remove(asking_alone, "no id")) == before
    assert len(await tokens(asking_alone)) == 1
