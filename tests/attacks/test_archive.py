"""The access archive under attack: what must be in it, what must never be, and who opens a number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.database import Database
from gateway.officer_opening import NumberOpener, open_numbers
from resolvers.commands.member_secrets import MemberSecrets, write_secrets
from resolvers.sealed_numbers import read_sealed_numbers
from resolvers.sealing import PhoneSealer
from schema.archive_left_out import COLUMNS_LEFT_OUT, TABLES_LEFT_OUT
from schema.errors import InputError
from tests import world
from tests.attacks.test_erasure import ADA, owner, plant
from tests.canaries import Detector
from tests.conftest import MakeDatabase
from tests.gateway.archive.opening import archive_of

__all__ = ["owner"]

NUMBERS: Final = ("+14155550132", "+4930901820")

OTHERS: Final = frozenset({"claim's number", "claim's name", "claim's hash", "claim's id"})
"""Of somebody who claims her address, and has not shown that it is theirs."""


def left_out(place: str) -> bool:
    """Whether there is a reason why what was planted there is in no archive."""
    table, _, column = place.rpartition(".")
    return (
        place in OTHERS
        or place.startswith("vault.")
        or table in TABLES_LEFT_OUT
        or ((table, column) in COLUMNS_LEFT_OUT)
    )


@pytest.mark.clause("C12")
async def test_every_datum_that_is_stored_about_a_member_is_in_the_archive_and_nothing_else(
    own_world: Database, owner: Any, tmp_path: Path
) -> None:
    """The canaries of an erasure, each in a column of its own: all of them, but those with a reason."""
    planted, _ = await plant(owner)
    made = await archive_of(own_world, ADA, tmp_path)
    text, page = made.text.lower(), made.page.lower()
    missing = {place for value, place in planted.places.items() if value not in text}
    expected = {place for place in planted.places.values() if left_out(place)}
    assert missing == expected
    words = {place for value, place in planted.places.items() if value.endswith("canary")} - expected
    unread = {place for value, place in planted.places.items() if place in words and value not in page}
    assert unread == set(), "people read it as well"


@pytest.mark.clause("C12")
@pytest.mark.parametrize("name", ["ben", "ida", "eve"])
async def test_nothing_of_anybody_else_is_in_an_archive(
    own_world: Database, owner: Any, tmp_path: Path, name: str
) -> None:
    planted, _ = await plant(owner)
    made = await archive_of(own_world, world.person(name).id, tmp_path)
    text = made.text.lower()
    assert {place for value, place in planted.places.items() if value in text} == set()
    others = {person.email for person in world.PEOPLE} - {world.person(name).email}
    assert not [email for email in others if email in text]
    assert not [person for person in world.PEOPLE if str(person.log_id) in text]


@pytest.mark.clause("C8", "C12")
async def test_what_an_order_defers_is_not_told_before_its_end(
    own_world: Database, owner: Any, tmp_path: Path
) -> None:
    """Nor that the authority knows her at all."""
    acme = world.partner_id("acme")
    set_until = "UPDATE agreement SET deferred_until = $2 WHERE partner_id = $1"
    await owner.execute(set_until, acme, world.NOW + timedelta(microseconds=1))
    made = await archive_of(own_world, ADA, tmp_path)
    assert "Acme" not in made.text
    assert str(world.subject("acme", "ada")) not in made.text
    assert [each["partner"] for each in made.data["disclosures"]] == ["Bolt"]
    await owner.execute(set_until, acme, world.NOW)
    made = await archive_of(own_world, ADA, tmp_path)
    assert [each["partner"] for each in made.data["disclosures"]] == ["Bolt", "Acme"]
    assert str(world.subject("acme", "ada")) in made.text


async def seal(database: Database, key: X25519PrivateKey) -> None:
    """Two numbers of hers, sealed to the officer's key."""
    sealer = PhoneSealer(key.public_key(), "test-phone-key")
    async with database.transaction() as connection:
        rows = await connection.fetch("SELECT id FROM phone WHERE member_id = $1 ORDER BY added_at, id", ADA)
        phones = [
            (row["id"], ADA, sealer.seal(number, row["id"]))
            for row, number in zip(rows, NUMBERS, strict=True)
        ]
        await write_secrets(connection, MemberSecrets(phones=phones), key_id=sealer.key_id, now=world.NOW)


@pytest.fixture(scope="module")
async def sealed(
    make_database: MakeDatabase, world_template: str, phone_private_key: X25519PrivateKey
) -> AsyncIterator[Database]:
    """The world with her numbers in the vault, for tests that only read."""
    async with make_database(template=world_template) as database:
        await seal(database, phone_private_key)
        yield database


@pytest.fixture
async def sealed_alone(own_world: Database, phone_private_key: X25519PrivateKey) -> Database:
    """The same, for one test alone."""
    await seal(own_world, phone_private_key)
    return own_world


@pytest.fixture
def detector() -> Detector:
    made = Detector()
    for number in NUMBERS:
        made.add_number(number)
    return made


@pytest.mark.clause("R1", "C10", "C12")
async def test_without_the_officers_key_an_archive_holds_no_number_in_any_spelling(
    sealed: Database, detector: Detector, tmp_path: Path
) -> None:
    made = await archive_of(sealed, ADA, tmp_path)
    assert [phone["label"] for phone in made.data["telephone_numbers"]] == ["mobile", "home"]
    assert not any("number" in phone for phone in made.data["telephone_numbers"])
    assert made.data["telephone_numbers_opened"] is False
    for name, data in made.files.items():
        assert detector.search(data.decode()) == [], name


@pytest.mark.clause("R1")
async def test_an_archive_without_the_key_is_the_same_whatever_the_numbers_are(
    sealed_alone: Database, owner: Any, tmp_path: Path
) -> None:
    with_numbers = await archive_of(sealed_alone, ADA, tmp_path)
    await owner.execute("DELETE FROM vault.sealed_phone")
    without = await archive_of(sealed_alone, ADA, tmp_path)
    assert with_numbers.files == without.files


@pytest.mark.clause("C12")
async def test_with_the_officers_key_it_holds_them(
    sealed: Database, phone_private_key: X25519PrivateKey, tmp_path: Path
) -> None:
    opened = await open_numbers(sealed, NumberOpener([phone_private_key]), ADA)
    assert [each.number for each in opened] == list(NUMBERS)
    assert not any(number in repr(opened) for number in NUMBERS)
    numbers = {str(each.phone_id): each.number for each in opened}
    made = await archive_of(sealed, ADA, tmp_path, numbers=numbers)
    shown = {phone["label"]: phone["number"] for phone in made.data["telephone_numbers"]}
    assert shown == dict(zip(("mobile", "home"), NUMBERS, strict=True))
    assert all(number in made.page for number in NUMBERS)


@pytest.mark.clause("C10")
async def test_another_key_opens_nothing_and_the_error_names_the_key_alone(
    sealed: Database, detector: Detector
) -> None:
    with pytest.raises(InputError, match="test-phone-key") as refused:
        await open_numbers(sealed, NumberOpener([X25519PrivateKey.generate()]), ADA)
    assert detector.search(str(refused.value)) == []


@pytest.mark.clause("C10")
async def test_a_ciphertext_that_was_moved_to_another_row_opens_nothing(
    sealed_alone: Database, owner: Any, phone_private_key: X25519PrivateKey
) -> None:
    await owner.execute(
        "UPDATE vault.sealed_phone SET ciphertext ="
        " (SELECT ciphertext FROM vault.sealed_phone s WHERE s.phone_id <> sealed_phone.phone_id)"
    )
    with pytest.raises(InputError):
        await open_numbers(sealed_alone, NumberOpener([phone_private_key]), ADA)


@pytest.mark.clause("R1", "C10")
@pytest.mark.parametrize("pool", ["app", "reader", "disclosures", "vault"])
async def test_no_role_of_the_service_reads_what_an_opener_needs(sealed: Database, pool: str) -> None:
    connections = sealed.app if pool == "vault" else getattr(sealed, pool)
    async with connections.acquire() as connection, connection.transaction():
        if pool == "vault":
            await connection.execute("SET LOCAL ROLE gateway_vault")
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
            await read_sealed_numbers(connection, ADA)
