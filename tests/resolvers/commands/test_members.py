from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from gateway.database import Database
from gateway.policy_source import load_shipped_directory
from policies.matrix import compile_matrix
from resolvers.commands.import_members import Batch, Ingredients, Job, import_batch, open_job
from resolvers.commands.member_changes import told_of
from resolvers.commands.member_records import (
    AddressRecord,
    BillingRecord,
    MemberRecord,
    OptionalColumn,
    PhoneRecord,
)
from resolvers.commands.members import UpsertOutcome, upsert_members
from schema.categories import Basis, DataCategory, Purpose, mask_of
from schema.errors import UnavailableError
from schema.ids import new_id

NOW = datetime(2025, 1, 15, 12, tzinfo=UTC)
STATED = frozenset(OptionalColumn)
ADA = MemberRecord(
    row=2,
    number="M-1",
    email="ada@example.com",
    complete=True,
    given_name="Ada",
    family_name="Lovelace",
    birth_date=date(1985, 12, 10),
    region="US-CA",
    interests=("chess",),
    address=AddressRecord("1 Elm St", None, "Salem", "CA", "94043", "US"),
    billing=BillingRecord("Visa", "4242", 12, 2029),
)


def phone() -> PhoneRecord:
    return PhoneRecord(new_id(), "home", bytes(72))


async def store(
    database: Database, *records: MemberRecord, stated: frozenset[OptionalColumn] = STATED, days: int = 0
) -> UpsertOutcome:
    async with database.transaction() as connection:
        now = NOW + timedelta(days=days)
        return await upsert_members(connection, records, stated=stated, key_id="test", now=now)


async def one(database: Database, query: str) -> asyncpg.Record:
    connection = await asyncpg.connect(database.url)
    try:
        row = await connection.fetchrow(query)
    finally:
        await connection.close()
    assert row is not None
    return row


async def test_a_new_member_is_reported_as_created(database: Database) -> None:
    outcome = await store(database, replace(ADA, phones=(phone(),)))

    assert len(outcome.created) == 1
    assert (outcome.touched, outcome.conflicts) == ({}, [])


@pytest.mark.clause("R1")
async def test_a_change_of_number_or_password_touches_nothing_of_the_member(database: Database) -> None:
    await store(database, replace(ADA, phones=(phone(),), password_hash="first"))
    before = await one(database, "SELECT * FROM member")

    outcome = await store(database, replace(ADA, phones=(phone(), phone()), password_hash="second"), days=1)

    assert (outcome.created, outcome.touched) == ([], {})
    assert await one(database, "SELECT * FROM member") == before
    assert (await one(database, "SELECT count(*) FROM share_change"))[0] == 0
    assert (await one(database, "SELECT count(*) FROM vault.sealed_phone"))[0] == 2
    assert (await one(database, "SELECT password_hash FROM vault.credential"))[0] == "second"


@pytest.mark.clause("R1")
async def test_numbers_are_written_anew_even_where_they_are_the_same(database: Database) -> None:
    await store(database, replace(ADA, phones=(phone(),)))
    first = await one(database, "SELECT id, added_at FROM phone")

    await store(database, replace(ADA, phones=(phone(),)), days=1)

    second = await one(database, "SELECT id, added_at FROM phone")
    assert second["id"] != first["id"]
    assert second["added_at"] == first["added_at"] + timedelta(days=1)


async def test_a_record_without_numbers_leaves_those_on_file(database: Database) -> None:
    await store(database, replace(ADA, phones=(phone(),)))

    await store(database, ADA, days=1)

    assert (await one(database, "SELECT count(*) FROM phone"))[0] == 1
    assert (await one(database, "SELECT count(*) FROM vault.sealed_phone"))[0] == 1


CHANGES = [
    ({"given_name": "Augusta"}, {DataCategory.FIRST_NAME, DataCategory.NAME}),
    ({"email": "augusta@example.com"}, {DataCategory.EMAIL, DataCategory.CONTACT}),
    ({"interests": ("tea",)}, {DataCategory.PROFILE}),
    ({"birth_date": date(1985, 12, 11)}, {DataCategory.DATE_OF_BIRTH, DataCategory.AGE_RANGE}),
    ({"billing": BillingRecord("Visa", "4242", 1, 2031)}, {DataCategory.CREDIT_CARD}),
    (
        {"address": AddressRecord("1 Elm St", None, "Athens", "CA", "94043", "US")},
        {DataCategory.CITY, DataCategory.ADDRESS, DataCategory.CONTACT},
    ),
]


@pytest.mark.parametrize(("changes", "categories"), CHANGES)
async def test_what_changed_is_named_with_all_that_is_made_of_it(
    database: Database, changes: dict[str, object], categories: set[DataCategory]
) -> None:
    await store(database, ADA)

    outcome = await store(database, replace(ADA, **changes), days=1)  # type: ignore[arg-type]

    assert list(outcome.touched) == [mask_of(categories)]
    member = await one(database, "SELECT version, updated_at FROM member")
    assert tuple(member) == (2, NOW + timedelta(days=1))


async def test_another_card_is_added_and_a_new_expiry_replaces_the_old(
    database: Database,
) -> None:
    await store(database, ADA)
    await store(database, replace(ADA, billing=BillingRecord("Visa", "4242", 1, 2031)))
    await store(database, replace(ADA, billing=BillingRecord("Maestro", "1111", 2, 2032)))

    row = await one(
        database,
        "SELECT array_agg((brand, last_four, expiry_year)::text ORDER BY brand) FROM billing_method",
    )
    assert row[0] == ["(Maestro,1111,2032)", "(Visa,4242,2031)"]


@pytest.mark.clause("C1")
async def test_an_invited_member_becomes_active_with_a_complete_record(
    database: Database,
) -> None:
    bare = MemberRecord(row=2, number="M-1", email="ada@example.com", complete=False)
    await store(database, bare)
    assert (await one(database, "SELECT status FROM member"))[0] == "INVITED"

    await store(database, ADA)
    assert (await one(database, "SELECT status FROM member"))[0] == "ACTIVE"

    await store(database, bare)
    member = await one(database, "SELECT status, given_name, region FROM member")
    assert tuple(member) == ("ACTIVE", "Ada", "US-CA")


async def test_columns_that_the_source_does_not_state_are_left_alone(database: Database) -> None:
    await store(database, replace(ADA, username="ada"))

    await store(database, ADA, stated=frozenset())
    assert (await one(database, "SELECT username FROM member"))[0] == "ada"

    await store(database, replace(ADA, interests=()), stated=STATED)
    member = await one(database, "SELECT username, interests FROM member")
    assert tuple(member) == (None, [])


async def test_a_new_email_address_is_unverified(database: Database) -> None:
    await store(database, ADA)
    connection = await asyncpg.connect(database.url)
    await connection.execute("UPDATE member SET email_verified_at = now()")
    await connection.close()

    await store(database, replace(ADA, given_name="Augusta"))
    assert (await one(database, "SELECT email_verified_at IS NULL FROM member"))[0] is False

    await store(database, replace(ADA, email="augusta@example.com"))
    assert (await one(database, "SELECT email_verified_at IS NULL FROM member"))[0] is True


def test_no_mask_can_name_a_number_or_a_password() -> None:
    assert told_of(DataCategory.PHONE_NUMBER) == mask_of({DataCategory.CONTACT})


async def _agreement(database: Database) -> UUID:
    connection = await asyncpg.connect(database.url)
    partner, agreement = new_id(), new_id()
    await connection.execute("INSERT INTO partner VALUES ($1, 'acme', 'Acme', $2)", partner, NOW)
    await connection.execute(
        "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'ACTIVE', 1)",
        agreement,
        partner,
        Basis.STRATEGIC.value,
        Purpose.PARTNER_OFFERS.value,
        [DataCategory.NAME.value, DataCategory.EMAIL.value],
        NOW - timedelta(days=1),
    )
    await connection.close()
    return agreement


async def _import(database: Database, job: Job | None, records: Sequence[MemberRecord], last_row: int) -> Job:
    using = Ingredients(STATED, "test", compile_matrix(load_shipped_directory().source), NOW)
    async with database.transaction() as connection:
        if job is None:
            job = await open_job(connection, file_sha256="00", mapping="m", now=NOW, again=False)
        after, _ = await import_batch(connection, job, Batch(last_row, records, 0), using)
    return after


@pytest.mark.clause("C1")
async def test_an_import_shares_active_members_and_no_invited_one(database: Database) -> None:
    await _agreement(database)
    invited = replace(ADA, row=3, number="M-2", email="b@example.com", complete=False)

    job = await _import(database, None, [ADA, invited], 3)

    shared = await one(
        database, "SELECT array_agg(m.number) FROM share s JOIN member m ON m.id = s.member_id"
    )
    assert shared[0] == ["M-1"]
    assert (job.rows_done, job.accepted, job.invited, job.rejected) == (3, 1, 1, 0)


async def test_partners_are_told_of_changes_that_they_may_see_and_of_no_others(database: Database) -> None:
    await _agreement(database)
    job = await _import(database, None, [ADA], 2)
    job = await _import(database, job, [replace(ADA, phones=(phone(),), interests=("tea",))], 3)
    assert (await one(database, "SELECT count(*) FROM share_change"))[0] == 1

    await _import(database, job, [replace(ADA, email="augusta@example.com")], 4)

    row = await one(database, "SELECT mask FROM share_change ORDER BY seq DESC LIMIT 1")
    assert row["mask"] == mask_of({DataCategory.EMAIL})


async def test_two_processes_do_not_import_the_same_rows(database: Database) -> None:
    job = await _import(database, None, [ADA], 2)

    with pytest.raises(UnavailableError, match="another process"):
        await _import(database, replace(job, rows_done=0), [ADA], 2)
