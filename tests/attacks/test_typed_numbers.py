"""R1: a number that somebody types where others read is found on the way in, whatever the trick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.database import Database
from gateway.keys import Keyring
from tests import world
from tests.asking import Asking
from tests.gateway.importing.files import complete, importer, owner, reasons, write_csv

ADA = world.member("ada").principal
CORRECT = "mutation($i: CorrectProfileInput!) { correctProfile(input: $i) { errors { path code } } }"
MOVE = "mutation($i: SetPrimaryAddressInput!) { setPrimaryAddress(input: $i) { errors { path code } } }"
ADDRESS = {"line1": "Elm St 5", "city": "Salem", "country": "US", "postalCode": "97301", "kind": "HOME"}

TRICKS = [
    "415    555    0132", "415 --- 555 --- 0132", "415 dash 555 dot 0132", "4_1_5_5_5_5_0_1_3_2",
    "four one five five five five oh one three two", "vier eins fünf fünf fünf fünf null eins drei zwei",
    "4l5-555-Ol32", "４１５５５５０１３２", "4⃣1⃣5⃣5⃣5⃣5⃣0⃣1⃣3⃣2⃣", "wa.me/14155550132", "ring 4155550132 now",
    "001 415 555 0132", "415x555x0132",
]  # fmt: skip
SPLIT = [
    ({"givenName": "415 555", "familyName": "0132"}, {"givenName", "familyName"}),
    ({"givenName": "Ada 415-555", "familyName": "0132 L"}, {"givenName", "familyName"}),
    ({"interests": ["415", "555", "0132"]}, {"interests"}),
    ({"interests": ["chess", "call 415 555", "0132"]}, {"interests"}),
]


async def corrected(asking: Asking, **given: Any) -> Any:
    return (await asking.ask(ADA, CORRECT, {"i": given})).data["correctProfile"]["errors"]


@pytest.mark.clause("R1")
@pytest.mark.parametrize("text", TRICKS)
async def test_a_member_cannot_type_a_number_where_partners_read(asking_alone: Asking, text: str) -> None:
    for given in ({"givenName": text}, {"familyName": text}, {"interests": [text]}):
        errors = await corrected(asking_alone, **given)
        assert [error["code"] for error in errors] == ["PHONE_NUMBER_IN_TEXT"], given
    for field in ("line1", "line2", "city", "state"):
        reply = await asking_alone.ask(ADA, MOVE, {"i": ADDRESS | {field: text}})
        errors = reply.data["setPrimaryAddress"]["errors"]
        assert {"path": [field], "code": "PHONE_NUMBER_IN_TEXT"} in errors


@pytest.mark.clause("R1")
@pytest.mark.parametrize(("given", "named"), SPLIT)
async def test_a_member_cannot_spread_a_number_over_texts_read_together(
    asking_alone: Asking, given: dict[str, Any], named: set[str]
) -> None:
    errors = await corrected(asking_alone, **given)

    assert {error["code"] for error in errors} == {"PHONE_NUMBER_IN_TEXT"}
    assert {error["path"][0] for error in errors} == named


@pytest.mark.clause("R1")
async def test_the_second_half_of_a_number_is_refused_when_it_comes_later(asking_alone: Asking) -> None:
    assert await corrected(asking_alone, givenName="415 555") == []
    assert await corrected(asking_alone, familyName="0132") == [
        {"path": ["familyName"], "code": "PHONE_NUMBER_IN_TEXT"}
    ]
    address = ADDRESS | {"line1": "415 555", "line2": "0132"}
    reply = await asking_alone.ask(ADA, MOVE, {"i": address})
    assert {error["path"][0] for error in reply.data["setPrimaryAddress"]["errors"]} == {"line1", "line2"}


@pytest.mark.clause("R1")
async def test_a_change_of_one_part_of_an_address_is_not_told_to_who_sees_another(
    asking_alone: Asking,
) -> None:
    city_only = world.CALLERS["acme-city"].principal
    query = 'query { members(where: {changedSince: "2026-11-23T00:00:00Z"}) { totalCount } }'

    async def told_after(**address: str) -> int:
        """How many changes the partner of cities hears of after this move."""
        async with owner(asking_alone.database) as connection:
            await connection.execute("DELETE FROM share_change")
        reply = await asking_alone.ask(ADA, MOVE, {"i": ADDRESS | address})
        assert reply.data["setPrimaryAddress"]["errors"] == []
        count: int = (await asking_alone.ask(city_only, query)).data["members"]["totalCount"]
        return count

    assert await told_after() == 1
    assert await told_after(line1="Oak St 7") == 0
    assert await told_after(line1="Oak St 7", postalCode="97302") == 0
    assert await told_after(line1="Oak St 7", postalCode="97302", city="Dover") == 1


@pytest.mark.clause("R1")
async def test_an_import_withholds_and_reports_numbers_however_they_are_typed(
    tmp_path: Path, database: Database, keys: Keyring
) -> None:
    columns = ("given_name", "line1", "city", "interests")
    rows = [complete(n, **{columns[n % 4]: text}) for n, text in enumerate(TRICKS)]
    path = write_csv(tmp_path / "typed.csv", rows)

    await importer(path, database, keys).run()

    told = {row for row, _, _, code in reasons(path) if code == "phone_in_text"}
    assert len(told) == len(TRICKS)
    rejects = path.with_name(f"{path.name}.rejects.csv").read_text(encoding="utf-8")
    async with owner(database) as connection:
        texts = [row[0] for row in await connection.fetch("SELECT t::text FROM member t")]
        texts += [row[0] for row in await connection.fetch("SELECT t::text FROM postal_address t")]
    for text in TRICKS:
        assert text not in rejects
        assert all(text not in stored for stored in texts)


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    "split",
    [
        {"given_name": "415 555", "family_name": "0132"},
        {"line1": "415 555", "line2": "0132"},
        {"line1": "Elm St 415", "line2": "555", "city": "0132"},
        {"interests": "415, 555, 0132"},
    ],
)
async def test_an_import_withholds_a_number_that_is_spread_over_cells(
    tmp_path: Path, database: Database, keys: Keyring, split: dict[str, str]
) -> None:
    path = write_csv(tmp_path / "spread.csv", [complete(1) | {"line2": ""} | split])

    await importer(path, database, keys).run()

    assert {code for _, _, _, code in reasons(path)} == {"phone_in_text"}
    async with owner(database) as connection:
        rows = [
            *await connection.fetch("SELECT * FROM member"),
            *await connection.fetch("SELECT * FROM postal_address"),
        ]
    # Identifiers, instants and counters are the database's own: `555` is in them by chance.
    stored = [value for row in rows for value in row.values() if isinstance(value, str | list)]
    assert stored
    assert not any(text in str(value) for text in split.values() for value in stored)
