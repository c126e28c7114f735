"""Telephone numbers, as a member changes them: what is stored, what is shown, and what nobody can tell."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from resolvers.commands.phones import MAX_PHONES
from schema.tables import Table
from tests import world
from tests.asking import Asking
from tests.canaries import Detector
from tests.resolvers.test_sealing import open_sealed

SHOWN = "errors { path code message } me { version updatedAt phones { edges { node { id label addedAt } } } }"
ADD = f"mutation($input: AddPhoneInput!) {{ addPhone(input: $input) {{ {SHOWN} }} }}"
REPLACE = f"mutation($input: ReplacePhoneInput!) {{ replacePhone(input: $input) {{ {SHOWN} }} }}"
REMOVE = f"mutation($input: RemovePhoneInput!) {{ removePhone(input: $input) {{ {SHOWN} }} }}"
SEEN: Final = (
    "{ members(first: 100) { totalCount edges { cursor node { id name email } } } }",
    'query { members(where: {changedSince: "2020-01-01T00:00:00Z"}) { totalCount edges { node { id } } } }',
    'query { members(where: {changedSince: "2026-11-20T00:00:00Z"}) { totalCount edges { node { id } } } }',
)

ADA = world.member("ada").principal
BEN = world.member("ben").principal
NUMBER: Final = "+12025550143"
OTHER: Final = "+12025550186"
AS_WRITTEN: Final = "(202) 555-0143"


async def change(asking: Asking, document: str, principal: Any = ADA, **given: Any) -> Any:
    (answer,) = (await asking.ask(principal, document, {"input": given})).data.values()
    return answer


def labels(answer: Any) -> list[str]:
    return [edge["node"]["label"] for edge in answer["me"]["phones"]["edges"]]


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


def id_of(answer: Any, label: str) -> str:
    return next(str(e["node"]["id"]) for e in answer["me"]["phones"]["edges"] if e["node"]["label"] == label)


async def sealed(asking: Asking) -> dict[UUID, tuple[UUID, str, bytes]]:
    """What the vault holds, read as its owner: the service itself cannot."""
    owner = await asyncpg.connect(asking.database.url)
    rows = await owner.fetch("SELECT phone_id, member_id, key_id, ciphertext FROM vault.sealed_phone")
    await owner.close()
    return {row["phone_id"]: (row["member_id"], row["key_id"], row["ciphertext"]) for row in rows}


async def seen_by_partners(asking: Asking) -> list[bytes]:
    callers = [world.partner(client).principal for client in ("acme", "bolt", "wish")]
    return [(await asking.ask(caller, document)).body for caller in callers for document in SEEN]


async def public_text(asking: Asking) -> str:
    owner = await asyncpg.connect(asking.database.url)
    rows = [
        str(row[0])
        for table in Table.metadata.tables.values()
        for row in await owner.fetch(f"SELECT t::text FROM {table.fullname} t")
    ]
    await owner.close()
    return "\n".join(rows)


@pytest.mark.clause("C10", "C13", "R1")
async def test_a_number_is_sealed_and_only_the_officer_opens_it(
    asking_alone: Asking, phone_private_key: X25519PrivateKey
) -> None:
    answer = await change(asking_alone, ADD, number=AS_WRITTEN, label=" work ")
    assert answer["errors"] == []
    assert labels(answer) == ["mobile", "home", "work"]
    phone_id = UUID(id_of(answer, "work"))
    owner, key_id, ciphertext = (await sealed(asking_alone))[phone_id]
    assert (owner, key_id) == (world.person("ada").id, "test-phone-key")
    assert open_sealed(ciphertext, phone_private_key, phone_id) == NUMBER


@pytest.mark.clause("C10", "R1")
async def test_a_number_is_in_no_answer_log_or_public_table(
    asking_alone: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    detector = Detector()
    for number in (NUMBER, OTHER):
        detector.add_number(number)
    answers = [await change(asking_alone, ADD, number=AS_WRITTEN, label="work")]
    phone = id_of(answers[0], "work")
    answers += [
        await change(asking_alone, ADD, number=AS_WRITTEN, label="work"),
        await change(asking_alone, ADD, number=AS_WRITTEN, label=f"call {OTHER}"),
        await change(asking_alone, ADD, number=NUMBER + "00000", label="longer"),
        await change(asking_alone, REPLACE, id=phone, number=OTHER, label="work"),
        await change(asking_alone, REPLACE, id=NUMBER, number=OTHER, label="other"),
        await change(asking_alone, REMOVE, id=phone),
    ]
    assert [bool(answer["errors"]) for answer in answers] == [False, True, True, True, False, True, False]
    assert detector.search(f"{answers} {caplog.text} {await public_text(asking_alone)}") == []


@pytest.mark.clause("R1", "C10")
async def test_no_partner_can_tell_that_a_number_changed(asking_alone: Asking) -> None:
    before, public = await seen_by_partners(asking_alone), await public_text(asking_alone)
    added = await change(asking_alone, ADD, number=NUMBER, label="work")
    await change(asking_alone, REPLACE, id=id_of(added, "work"), number=OTHER, label="office")
    assert await seen_by_partners(asking_alone) == before
    last = await change(asking_alone, REMOVE, id=id_of(added, "work"))
    assert await seen_by_partners(asking_alone) == before
    assert last["me"]["version"] == 1
    assert await public_text(asking_alone) == public


@pytest.mark.clause("R1")
async def test_whether_a_number_is_on_file_already_makes_no_difference(asking_alone: Asking) -> None:
    first = await change(asking_alone, ADD, number=NUMBER, label="work")
    asked: list[list[str]] = []
    for number in (NUMBER, OTHER):
        reply = await change(asking_alone, REPLACE, id=id_of(first, "work"), number=number, label="work")
        assert reply == first
        asked.append([sql for sql, _ in asking_alone.statements])
    assert asked[0] == asked[1]
    same, other = [
        await change(asking_alone, ADD, principal=BEN, number=number, label=label)
        for number, label in ((NUMBER, "a"), (OTHER, "b"))
    ]
    assert (same["errors"], other["errors"]) == ([], [])


async def test_a_replaced_number_keeps_its_id_and_loses_its_ciphertext(
    asking_alone: Asking, phone_private_key: X25519PrivateKey
) -> None:
    added = await change(asking_alone, ADD, number=NUMBER, label="work")
    phone_id = UUID(id_of(added, "work"))
    before = await sealed(asking_alone)
    answer = await change(asking_alone, REPLACE, id=str(phone_id), number=OTHER, label="office")
    assert labels(answer) == ["mobile", "home", "office"]
    assert id_of(answer, "office") == str(phone_id)
    after = await sealed(asking_alone)
    assert after.keys() == before.keys()
    assert open_sealed(after[phone_id][2], phone_private_key, phone_id) == OTHER
    again = await change(asking_alone, REPLACE, id=str(phone_id), number=OTHER, label="office")
    assert again == answer


@pytest.mark.clause("C1")
async def test_numbers_are_removed_but_the_last_one_stays(asking_alone: Asking) -> None:
    added = await change(asking_alone, ADD, number=NUMBER, label="work")
    kept = id_of(added, "work")
    for label in ("mobile", "home"):
        answer = await change(asking_alone, REMOVE, id=id_of(added, label))
        assert answer["errors"] == []
        assert await change(asking_alone, REMOVE, id=id_of(added, label)) == answer
    refused = await change(asking_alone, REMOVE, id=kept)
    assert codes(refused) == [(["id"], "LAST_ONE")]
    assert labels(refused) == ["work"]
    assert UUID(kept) in await sealed(asking_alone)


async def test_a_removed_number_leaves_the_vault(asking_alone: Asking) -> None:
    added = await change(asking_alone, ADD, number=NUMBER, label="work")
    await change(asking_alone, REMOVE, id=id_of(added, "work"))
    assert await sealed(asking_alone) == {}


@pytest.mark.parametrize("number", ["", "555-0143", "+1 202 555", "12345", "none", "+12025550143000"])
async def test_what_is_no_number_is_refused_and_not_repeated(asking_alone: Asking, number: str) -> None:
    answer = await change(asking_alone, ADD, number=number, label="work")
    assert codes(answer) == [(["number"], "BAD_FORMAT")]
    assert not any(character.isdigit() for character in answer["errors"][0]["message"])
    assert labels(answer) == ["mobile", "home"]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (" ", "REQUIRED"),
        ("x" * 61, "TOO_LONG"),
        ("a\u0007b", "CONTROL_CHARACTER"),
        ("call 202 555 0143", "PHONE_NUMBER_IN_TEXT"),
        ("ends in 0143", "PHONE_NUMBER_IN_TEXT"),
        ("ends in ٠١٤٣", "PHONE_NUMBER_IN_TEXT"),
        ("Home", "TAKEN"),
    ],
)
async def test_a_label_is_a_name_of_its_own_without_a_number(
    asking_alone: Asking, label: str, code: str
) -> None:
    answer = await change(asking_alone, ADD, number=NUMBER, label=label)
    assert codes(answer) == [(["label"], code)]
    assert labels(answer) == ["mobile", "home"]
    assert await sealed(asking_alone) == {}


async def test_numbers_are_bounded(asking_alone: Asking) -> None:
    for number in range(MAX_PHONES - 2):
        assert (await change(asking_alone, ADD, number=NUMBER, label=f"no {number}"))["errors"] == []
    assert codes(await change(asking_alone, ADD, number=NUMBER, label="more")) == [([], "TOO_MANY")]


async def test_nobody_touches_the_number_of_somebody_else(asking_alone: Asking) -> None:
    added = await change(asking_alone, ADD, number=NUMBER, label="work")
    before = await sealed(asking_alone)
    foreign = id_of(added, "work")
    replaced = await change(asking_alone, REPLACE, principal=BEN, id=foreign, number=OTHER, label="mine")
    assert codes(replaced) == [(["id"], "UNKNOWN")]
    assert (await change(asking_alone, REMOVE, principal=BEN, id=foreign))["errors"] == []
    assert await sealed(asking_alone) == before
