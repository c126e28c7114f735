from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.database import Database
from gateway.keys import Keyring
from schema.categories import Basis, DataCategory, Purpose
from schema.ids import new_id
from tests.gateway.importing.files import complete, importer, owner, reasons, write_csv

Row = dict[str, str]

EMAILS = st.sampled_from(["a@example.com", "A@example.com", "b@example.com", "c@example.com", "broken"])
ROWS = st.lists(
    st.builds(
        lambda number, email, name, interests, sharing, year: complete(
            number,
            email=email,
            username=name,
            interests=interests,
            newsletter="",
            sharing=sharing,
            consent_date=f"{year}-05-01",
        ),
        st.integers(1, 3),
        EMAILS,
        st.sampled_from(["", "ada", "Ada", "grace"]),
        st.sampled_from(["", "chess", "tea"]),
        st.sampled_from(["", "yes", "no"]),
        st.integers(2020, 2022),
    ),
    min_size=1,
    max_size=7,
)

_OF_MEMBER = "JOIN member m ON m.id = t.member_id ORDER BY 1, 2, 3"
_OF_SUBJECT = "JOIN pairwise_subject s ON s.subject = t.subject JOIN member m ON m.id = s.member_id"
FACTS = (
    "SELECT number, status, email, username, interests, version FROM member ORDER BY 1",
    f"SELECT m.number, t.direction, t.requested_at FROM choice t {_OF_MEMBER}",
    f"SELECT m.number, t.label, 1 FROM phone t {_OF_MEMBER}",
    f"SELECT m.number, t.mask, 1 FROM share t {_OF_MEMBER}",
    f"SELECT m.number, t.mask FROM share_change t {_OF_SUBJECT} ORDER BY m.number, t.seq",
    "SELECT rows_done, accepted, invited, rejected FROM import_job",
)


async def _agree(database: Database) -> None:
    """A partner to share with, so that shares and the feed are compared as well."""
    async with owner(database) as connection:
        partner = new_id()
        await connection.execute("INSERT INTO partner VALUES ($1, 'acme', 'Acme', now())", partner)
        await connection.execute(
            "INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, status, version)"
            " VALUES ($1, $2, $3, $4, $5, now() - interval '1 day', 'ACTIVE', 1)",
            new_id(),
            partner,
            Basis.STRATEGIC.value,
            Purpose.PARTNER_OFFERS.value,
            [DataCategory.NAME.value, DataCategory.EMAIL.value],
        )


async def _stored(database: Database, keys: Keyring, rows: Sequence[Row], batch_rows: int) -> object:
    """What an import into an empty database leaves there, and in the rejects file."""
    async with owner(database) as connection:
        await connection.execute("TRUNCATE member, share_change, import_job CASCADE")
        if not await connection.fetchval("SELECT count(*) FROM partner"):
            await _agree(database)
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(Path(folder) / "members.csv", rows)
        await importer(path, database, keys, batch_rows=batch_rows).run()
        async with owner(database) as connection:
            facts = [[tuple(row) for row in await connection.fetch(query)] for query in FACTS]
        return facts, reasons(path)


FREED = [complete(1, email="a@example.com"), complete(2, email="b@example.com")]
FREED += [complete(1, email="c@example.com"), complete(3, email="a@example.com")]
REFUSED = [complete(1, username="ada"), complete(2, username="ada", email="c@example.com")]
REFUSED += [complete(3, username="", email="c@example.com")]


@given(rows=ROWS, batch_rows=st.integers(2, 8))
@example(rows=FREED, batch_rows=8)
@example(rows=REFUSED, batch_rows=8)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_where_batches_end_changes_nothing_of_what_is_stored(
    database: Database, keys: Keyring, rows: Sequence[Row], batch_rows: int
) -> None:
    one_by_one = await _stored(database, keys, rows, 1)

    assert await _stored(database, keys, rows, batch_rows) == one_by_one
