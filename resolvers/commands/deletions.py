"""What a partner has to delete: telling it, and taking in its signed word that it is done.

An obligation belongs to one agreement and one member; a partner is told of those of all its agreements, and
its word counts for all of them, because an ended agreement has no tokens any more. In the caller's
transaction.

INVARIANT (confirmed-by-statement): an obligation is confirmed only by a verified statement that is stored
with it, and only as far as the statement says and as things stood at its date: a category that was withdrawn
later stays owed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record

from resolvers.commands.statement_keys import read_statement_keys
from resolvers.connection import Link
from resolvers.deletions import restrict
from resolvers.statements import ReadStatement, Statement, refused_statement
from schema.categories import Basis, DataCategory, Purpose, categories_of, expand, mask_of
from schema.errors import FieldErrors, FieldProblem, NotFoundError
from schema.ids import new_id

MAX_STATEMENTS_A_DAY: Final = 1_000
"""Of one partner: enough for 600,000 members, and no more than a disk takes, since each is kept for good."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one agreement's partner has to delete of one member, or has deleted."""

    row_id: UUID
    subject: UUID
    log_id: UUID | None
    basis: Basis
    purpose: Purpose
    mask: int
    erased: bool
    withdrawn_at: datetime
    due_at: datetime
    told_at: datetime | None
    confirmed_at: datetime | None

    @property
    def categories(self) -> list[str]:
        """The keys to delete; of an erased member the pairwise id as well."""
        keys = {category.value for category in categories_of(self.mask)}
        return sorted(keys | ({DataCategory.PSEUDONYM.value} if self.erased else set()))

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been confirmed by `now`."""
        return self.confirmed_at is None and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a statement did: of which ids nothing is left to delete, of which some, of which nothing was."""

    statement_id: UUID
    confirmed: list[UUID] = field(default_factory=list)
    still_owed: list[UUID] = field(default_factory=list)
    not_owed: list[UUID] = field(default_factory=list)
    log_ids: list[UUID] = field(default_factory=list)


async def list_obligations(
    connection: Link,
    partner_id: UUID,
    *,
    confirmed: bool,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Obligation]:
    """Those of all agreements of the partner, the first due first."""
    rows = await connection.fetch(
        "SELECT d.id AS row_id, d.subject, m.log_id, a.basis, a.purpose, d.mask, d.erased, d.withdrawn_at,"
        " d.due_at, d.told_at, d.confirmed_at"
        " FROM deletion d JOIN agreement a ON a.id = d.agreement_id LEFT JOIN member m ON m.id = d.member_id"
        " WHERE a.partner_id = $1 AND (d.confirmed_at IS NOT NULL) = $2"
        " AND ($3::timestamptz IS NULL OR (d.due_at, d.id) > ($3, $4::uuid))"
        " ORDER BY d.due_at, d.id LIMIT $5",
        partner_id,
        confirmed,
        None if after is None else after[0],
        None if after is None else after[1],
        limit,
    )
    return [
        Obligation(**(dict(row) | {"basis": Basis(row["basis"]), "purpose": Purpose(row["purpose"])}))
        for row in rows
    ]


async def count_obligations(connection: Link, partner_id: UUID, *, confirmed: bool) -> int:
    """How many `list_obligations` has in all."""
    total: int = await connection.fetchval(
        "SELECT count(*) FROM deletion JOIN agreement ON agreement.id = agreement_id"
        " WHERE partner_id = $1 AND (confirmed_at IS NOT NULL) = $2",
        partner_id,
        confirmed,
    )
    return total


async def note_shown(connection: Link, shown: Sequence[Obligation], now: datetime) -> None:
    """Note that the partner has been told of these obligations. It waits for nobody who is changing one.

    Of one to which something came since it was read, the partner has not been told.
    """
    await connection.execute(
        "UPDATE deletion SET told_at = $4 WHERE id IN (SELECT id FROM deletion"
        " JOIN unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS shown (row_id, mask, erased) ON row_id = id"
        " WHERE told_at IS NULL AND deletion.mask & ~shown.mask = 0 AND (shown.erased OR NOT deletion.erased)"
        " FOR NO KEY UPDATE OF deletion SKIP LOCKED)",
        [one.row_id for one in shown],
        [one.mask for one in shown],
        [one.erased for one in shown],
        now,
    )


async def partner_of_client(connection: Link, client_id: str) -> UUID:
    """The partner of a client, revoked or not.

    Raises:
        NotFoundError: there is no such client.
    """
    partner_id: UUID | None = await connection.fetchval(
        "SELECT partner_id FROM agreement JOIN partner_client ON agreement.id = agreement_id"
        " WHERE client_id = $1",
        client_id,
    )
    if partner_id is None:
        raise NotFoundError("the statement names a client that does not exist")
    return partner_id


async def confirm_deletions(
    connection: Link,
    read: ReadStatement,
    text: str,
    *,
    partner_id: UUID,
    client_id: str,
    token_id: str | None,
    ids: Collection[str] | None = None,
    now: datetime,
) -> Confirmed:
    """Take in a statement, and say of each id in it what came of it. The same one again changes nothing.

    1. the statement is verified with a registered key of the partner; `ids`, if given, are those in it;
    2. it is stored word for word; one with its `jti` but other words is refused;
    3. the partner's agreements are locked, then what is owed of these members, in the order that
       everybody keeps;
    4. of each obligation what is stated and was withdrawn by the statement's date is confirmed; the rest
       stays owed, in a row of its own;
    5. a restriction ends at once when nothing overdue is left.

    Raises:
        FieldErrors: STATEMENT_REFUSED or IDS_DIFFER; nothing was changed.
    """
    statement = read(
        text, await read_statement_keys(connection, partner_id), client_id=client_id, now=now
    )  # 1
    if ids is not None and {str(subject) for subject in statement.deleted} != set(ids):
        message = "`ids` are not those in the statement: leave them out, or name the same"
        raise FieldErrors([FieldProblem(("ids",), "IDS_DIFFER", message)])
    statement_id, is_new = await _store(connection, statement, partner_id, token_id, now)  # 2
    # 3: agreements first, as whoever changes one does.
    await connection.execute(
        "SELECT FROM agreement WHERE partner_id = $1 ORDER BY id FOR NO KEY UPDATE", partner_id
    )
    if is_new:
        for row in await _lock_owed(connection, partner_id, statement):
            await _settle(connection, row, statement, statement_id, now)  # 4
    result = await _outcome(connection, partner_id, statement, statement_id)
    await restrict(connection, now, partner_id)  # 5
    return result


async def _store(
    connection: Link, statement: Statement, partner_id: UUID, token_id: str | None, now: datetime
) -> tuple[UUID, bool]:
    made: UUID | None = await connection.fetchval(
        "INSERT INTO deletion_statement"
        " (id, partner_id, jti, sha256, kid, jws, stated_at, received_at, token_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id",
        new_id(),
        partner_id,
        statement.jti,
        statement.sha256,
        statement.kid,
        statement.text,
        statement.stated_at,
        now,
        token_id,
    )
    if made is not None:
        await _bound(connection, partner_id, now)
        return made, True
    (row,) = await connection.fetch(
        "SELECT id, sha256 FROM deletion_statement WHERE partner_id = $1 AND jti = $2",
        partner_id,
        statement.jti,
    )
    if row["sha256"] != statement.sha256:
        raise refused_statement("another statement had its `jti`")
    return row["id"], False


async def _bound(connection: Link, partner_id: UUID, now: datetime) -> None:
    """Refuse the statement that was just stored, and the transaction with it, beyond so many a day."""
    kept: int = await connection.fetchval(
        "SELECT count(*) FROM deletion_statement WHERE partner_id = $1 AND received_at > $2",
        partner_id,
        now - _DAY,
    )
    if kept > MAX_STATEMENTS_A_DAY:
        raise refused_statement(f"{MAX_STATEMENTS_A_DAY} were taken in within a day, go on tomorrow")


async def _lock_owed(connection: Link, partner_id: UUID, statement: Statement) -> Sequence[Record]:
    """What is owed of the members in the statement, and what of it was withdrawn after its date."""
    await connection.execute(
        "SELECT FROM deletion WHERE subject = ANY($2::uuid[]) AND confirmed_at IS NULL"
        " AND agreement_id IN (SELECT id FROM agreement WHERE partner_id = $1)"
        " ORDER BY agreement_id, member_id FOR UPDATE",
        partner_id,
        list(statement.deleted),
    )
    return await connection.fetch(
        "SELECT d.id, d.subject, d.mask, d.erased, later.mask AS later, later.erased AS erased_later,"
        " later.first_at, deletion_days"
        " FROM deletion d JOIN agreement a ON a.id = d.agreement_id CROSS JOIN LATERAL"
        " (SELECT coalesce(bit_or(before & CASE WHEN erased THEN -1 ELSE ~after END), 0) AS mask,"
        "  coalesce(bool_or(erased), false) AS erased, min(changed_at) AS first_at FROM share_change s"
        "  WHERE s.agreement_id = d.agreement_id AND s.subject = d.subject AND s.changed_at > $3"
        "  AND (erased OR before & ~after <> 0)) AS later"
        " WHERE a.partner_id = $1 AND d.subject = ANY($2::uuid[]) AND d.confirmed_at IS NULL",
        partner_id,
        list(statement.deleted),
        statement.stated_at,
    )


async def _settle(
    connection: Link, row: Record, statement: Statement, statement_id: UUID, now: datetime
) -> None:
    stated = statement.deleted[row["subject"]]
    done = mask_of(expand(stated)) & row["mask"] & ~row["later"]
    id_done = row["erased"] and not row["erased_later"] and DataCategory.PSEUDONYM in stated
    left, id_left = row["mask"] & ~done, row["erased"] and not id_done
    if not done and not id_done:
        return
    if not left and not id_left:
        await connection.execute(
            "UPDATE deletion SET confirmed_at = $2, statement_id = $3 WHERE id = $1",
            row["id"],
            now,
            statement_id,
        )
        return
    # What is left may all be of a later withdrawal: then its own days count.
    all_later = left & ~row["later"] == 0 and (not id_left or row["erased_later"])
    begun = row["first_at"] if all_later else None
    await connection.execute(
        "WITH done AS (INSERT INTO deletion (id, agreement_id, subject, member_id, mask, erased,"
        "  withdrawn_at, due_at, told_at, confirmed_at, statement_id)"
        "  SELECT $2, agreement_id, subject, member_id, $3, $4, withdrawn_at, due_at, told_at, $5, $6"
        "  FROM deletion WHERE id = $1)"
        " UPDATE deletion SET mask = $7, erased = $8, withdrawn_at = coalesce($9::timestamptz, withdrawn_at),"
        " due_at = coalesce($9::timestamptz + make_interval(days => $10), due_at) WHERE id = $1",
        row["id"],
        new_id(),
        done,
        id_done,
        now,
        statement_id,
        left,
        id_left,
        begun,
        row["deletion_days"],
    )


async def _outcome(connection: Link, partner_id: UUID, statement: Statement, statement_id: UUID) -> Confirmed:
    rows = await connection.fetch(
        "SELECT d.subject, bool_or(d.statement_id = $3) AS by_this, bool_or(d.confirmed_at IS NULL) AS open,"
        " (array_agg(m.log_id) FILTER (WHERE m.log_id IS NOT NULL))[1] AS log_id"
        " FROM deletion d JOIN agreement a ON a.id = d.agreement_id LEFT JOIN member m ON m.id = d.member_id"
        " WHERE a.partner_id = $1 AND d.subject = ANY($2::uuid[]) GROUP BY d.subject",
        partner_id,
        list(statement.deleted),
        statement_id,
    )
    found = {row["subject"]: row for row in rows}
    result = Confirmed(statement_id)
    for subject in statement.deleted:
        row = found.get(subject)
        if row is not None and row["open"]:
            result.still_owed.append(subject)
        elif row is not None and row["by_this"]:
            result.confirmed.append(subject)
        else:
            result.not_owed.append(subject)
            continue
        if row["log_id"] is not None:
            result.log_ids.append(row["log_id"])
    return result


async def overdue_by_partner(connection: Link, now: datetime) -> Sequence[Record]:
    """Of each partner that is late: how many, since when, and what came of it."""
    return await connection.fetch(
        "SELECT p.name, count(*) AS overdue, min(d.due_at) AS since, max(a.restriction) AS restriction"
        " FROM deletion d JOIN agreement a ON a.id = d.agreement_id JOIN partner p ON p.id = a.partner_id"
        " WHERE d.confirmed_at IS NULL AND d.due_at <= $1 GROUP BY p.name ORDER BY min(d.due_at)",
        now,
    )


async def show_statement(connection: Link, wanted: UUID) -> str:
    """The statement of that id, or the one that confirmed the obligation of that id, as it was signed.

    Raises:
        NotFoundError: there is none.
    """
    text: str | None = await connection.fetchval(
        "SELECT jws FROM deletion_statement WHERE id = $1"
        " OR id = (SELECT statement_id FROM deletion WHERE id = $1)",
        wanted,
    )
    if text is None:
        raise NotFoundError("there is no such statement: see `gateway deletions list`")
    return text
