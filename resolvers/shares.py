"""Keeps `share` true: one row for each agreement and member that the decision opens anything of.

Called inside the transaction that changes a member, a choice, an agreement or the policy, so that no
reader ever sees the cause without the effect. The decision itself is `policies.sharing.share_mask`.

INVARIANT (shares-follow-decisions): after `refresh_shares` commits, `share` holds exactly the
non-zero masks of the given agreements and members; every difference stands in `share_change`.
INVARIANT (withdrawn-is-owed): what was open to a partner and is not any more stands in `deletion` until the
partner confirms it or it is shared again. Only a suspension, which may be lifted, and a legal case, whose
authority keeps what the law gave it, ask nobody to delete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms
from policies.choices import Choice, Ledger
from policies.matrix import Matrix
from policies.sharing import DECISION_VERSION, MemberFacts, share_end, share_mask
from resolvers.connection import Link
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import PolicyChangedError
from schema.ids import new_id, pairwise_id
from schema.tables.member import MemberStatus
from schema.vocabulary import AgreementStatus, ChoiceSource, ChoiceTopic, Direction

CHUNK: Final = 5_000
"""Members decided at a time: bounds memory; a whole refresh is still one transaction."""

_TURN: Final = 7_305_114
"""Key of the advisory lock that every refresh holds. Two transactions do not see each other's new
agreement and new choice, so without it both could commit and the choice count for nothing."""


FEED_CHANNEL: Final = "share_change"
"""The NOTIFY channel on which the id of each agreement is told whose feed has grown."""


@dataclass(slots=True)
class ShareChanges:
    """What a refresh did, in rows of `share`."""

    opened: int = 0
    changed: int = 0
    withdrawn: int = 0

    def add(self, other: ShareChanges) -> None:
        """Count what `other` did as well."""
        self.opened += other.opened
        self.changed += other.changed
        self.withdrawn += other.withdrawn


@dataclass(slots=True)
class _Batch:
    """The writes of one chunk. Each list holds the columns of its rows."""

    opened: list[tuple[UUID, UUID, UUID, int, datetime | None]] = field(default_factory=list)
    changed: list[tuple[UUID, UUID, int, datetime | None]] = field(default_factory=list)
    withdrawn: list[tuple[UUID, UUID]] = field(default_factory=list)
    log: list[tuple[UUID, UUID, int, int, int]] = field(default_factory=list)
    """Agreement, pairwise id, what it is about, the mask before, the mask after."""
    lost: list[tuple[UUID, UUID, UUID | None, int]] = field(default_factory=list)
    """Agreement, pairwise id, member, what is withdrawn."""


async def refresh_shares(
    connection: Link,
    matrix: Matrix,
    *,
    now: datetime,
    members: Sequence[UUID] | None = None,
    agreements: Sequence[UUID] | None = None,
    under: UUID | None = None,
    changed: int = 0,
) -> ShareChanges:
    """Decide again for `members` (None: all) under `agreements` (None: all), and write the difference.

    CLAUSE (C8, C11, C17): the rows that reads go by are decided again in the transaction that changes a
    member, a choice or an agreement.

    `changed` is the mask of categories whose values the same transaction changed: a partner who may
    see one of them is told so. It must not name what no partner can see. `under` is the one agreement to
    decide under which nobody reads, because it is being opened or was stopped: unlike a change of
    agreements, it keeps nobody out.

    1. wait for refreshes after changes of agreements, or let nobody else in while there is one of
       those; make sure that the policy is the one applied; then lock the members in the order of
       their ids. So concurrent refreshes of the same member follow each other, none works from a
       stale ledger, and none overlooks an agreement;
    2. decide each pair;
    3. write the rows that differ, and a line of `share_change` for each.
    """
    await take_turn(connection, alone=agreements is not None)  # 1
    applied = await applied_policy(connection)
    if applied is not None and applied != decision_digest(matrix):
        raise PolicyChangedError("the sharing policy has just changed: try again")
    wanted = agreements if under is None else [under]
    return await decide_again(
        connection, matrix, now=now, members=members, agreements=wanted, changed=changed
    )


async def decide_again(
    connection: Link,
    matrix: Matrix,
    *,
    now: datetime,
    members: Sequence[UUID] | None = None,
    agreements: Sequence[UUID] | None = None,
    changed: int = 0,
) -> ShareChanges:
    """`refresh_shares` without its first step: for `refresh_shares`, and for applying another policy."""
    terms = await _read_agreements(connection, agreements)
    result = ShareChanges()
    if not terms:
        return result
    async for rows in _lock_members(connection, members):
        batch = await _decide(connection, matrix, terms, rows, now, changed)  # 2
        await _write(connection, batch, now)  # 3
        result.opened += len(batch.opened)
        result.changed += len(batch.changed)
        result.withdrawn += len(batch.withdrawn)
    return result


def decision_digest(matrix: Matrix) -> str:
    """What the rows of `share` depend on besides data: the policy, and the program's own rules."""
    return f"{matrix.digest}:{DECISION_VERSION}"


async def applied_policy(connection: Link) -> str | None:
    """The `decision_digest` by which the rows of `share` were decided; None before the first."""
    digest: str | None = await connection.fetchval("SELECT digest FROM applied_policy")
    return digest


async def take_turn(connection: Link, *, alone: bool = False) -> None:
    """Hold off changes of agreements until this transaction ends; `alone`, every other refresh as well.

    A transaction that locks rows of members or of agreements before its refresh takes its turn before
    that, or it and a change of an agreement may wait for each other until the database gives one up. Who is
    alone works on every member, longer than a statement of a request may take.
    """
    if alone:
        await connection.execute("SET LOCAL statement_timeout = 0")
    take = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await connection.execute(f"SELECT {take}($1)", _TURN)


async def _read_agreements(connection: Link, agreements: Sequence[UUID] | None) -> list[AgreementTerms]:
    rows = await connection.fetch(
        "SELECT id, partner_id, basis, purpose, categories, valid_from, valid_until, version,"
        # Decided as if it were active, so that its activation finds every row as it has to be.
        " CASE WHEN opening THEN 'ACTIVE' ELSE status END AS status"
        " FROM agreement WHERE $1::uuid[] IS NULL OR id = ANY($1) ORDER BY id",
        None if agreements is None else list(agreements),
    )
    return [read_terms(row) for row in rows]


def read_terms(row: Record) -> AgreementTerms:
    """The terms in a row of `agreement`."""
    return AgreementTerms(
        id=row["id"],
        partner_id=row["partner_id"],
        basis=Basis(row["basis"]),
        purpose=Purpose(row["purpose"]),
        categories=frozenset(DataCategory(key) for key in row["categories"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        status=AgreementStatus(row["status"]),
        version=row["version"],
    )


async def _lock_members(connection: Link, members: Sequence[UUID] | None) -> AsyncIterator[Sequence[Record]]:
    wanted = None if members is None else sorted(set(members))
    columns = "id, birth_date, region, status FROM member"
    if wanted is not None:
        for start in range(0, len(wanted), CHUNK):
            yield await connection.fetch(
                f"SELECT {columns} WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
                wanted[start : start + CHUNK],
            )
        return
    last = UUID(int=0)
    while rows := await connection.fetch(
        f"SELECT {columns} WHERE id > $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE", last, CHUNK
    ):
        yield rows
        last = rows[-1]["id"]


async def read_choices(
    connection: Link, members: Iterable[UUID], *, received_by: datetime | None = None
) -> dict[UUID, Ledger]:
    """The choices of these members, as the fold takes them; members without any are absent.

    `received_by` leaves out what arrived later: the ledger as it was at a date. Of requests about the same in
    the same direction only the latest is read: no other can win anything.
    """
    rows = await connection.fetch(
        "SELECT DISTINCT ON (member_id, partner_id, purpose, basis, categories, direction) member_id,"
        " requested_at, direction, partner_id, purpose, categories, basis, source, ends_at FROM choice"
        " WHERE member_id = ANY($1::uuid[]) AND topic = $2"
        " AND ($3::timestamptz IS NULL OR received_at <= $3)"
        " ORDER BY member_id, partner_id, purpose, basis, categories, direction, requested_at DESC, ends_at,"
        " id",
        list(members),
        ChoiceTopic.SHARING.value,
        received_by,
    )
    choices: dict[UUID, list[Choice]] = {}
    for row in rows:
        keys = row["categories"]
        choices.setdefault(row["member_id"], []).append(
            Choice(
                requested_at=row["requested_at"],
                direction=Direction(row["direction"]),
                partner_id=row["partner_id"],
                purpose=None if row["purpose"] is None else Purpose(row["purpose"]),
                categories=None if keys is None else frozenset(DataCategory(key) for key in keys),
                source=ChoiceSource(row["source"]),
                basis=None if row["basis"] is None else Basis(row["basis"]),
                ends_at=row["ends_at"],
            )
        )
    return {member_id: Ledger(entries) for member_id, entries in choices.items()}


def read_facts(row: Record, named_by: frozenset[UUID] = frozenset()) -> MemberFacts:
    """What the decision needs of a row of `member`, and of the legal cases that name her (`read_named`)."""
    return MemberFacts(row["birth_date"], row["region"], row["status"] == MemberStatus.ACTIVE, named_by)


async def read_named(
    connection: Link, members: Iterable[UUID], *, at: datetime | None = None
) -> dict[UUID, frozenset[UUID]]:
    """By member, the agreements of the legal cases that name her: of approved ones that are not closed.

    `at` a date: of those that were approved by then, and not closed yet.
    """
    rows = await connection.fetch(
        "SELECT member_id, array_agg(agreement_id) AS agreements FROM legal_case_member"
        " JOIN legal_case ON legal_case.id = case_id WHERE member_id = ANY($1::uuid[])"
        " AND approved_at <= coalesce($2::timestamptz, approved_at)"
        " AND (closed_at IS NULL OR closed_at > $2) GROUP BY member_id",
        list(members),
        at,
    )
    return {row["member_id"]: frozenset(row["agreements"]) for row in rows}


async def _decide(
    connection: Link,
    matrix: Matrix,
    terms: Sequence[AgreementTerms],
    rows: Sequence[Record],
    now: datetime,
    changed: int,
) -> _Batch:
    ids = [row["id"] for row in rows]
    choices = await read_choices(connection, ids)
    legal = any(agreement.basis is Basis.LEGAL for agreement in terms)
    named = await read_named(connection, ids) if legal else {}
    existing = {
        (row["agreement_id"], row["member_id"]): (row["subject"], row["mask"], row["ends_at"])
        for row in await connection.fetch(
            "SELECT agreement_id, member_id, subject, mask, ends_at FROM share"
            " WHERE member_id = ANY($1::uuid[]) AND agreement_id = ANY($2::uuid[])",
            ids,
            [agreement.id for agreement in terms],
        )
    }
    subjects: dict[UUID, dict[UUID, UUID]] = {}
    batch = _Batch()
    for agreement in terms:
        # A row may stand before the agreement begins: reads ask whether it is in force.
        moment = max(now, agreement.valid_from)
        for row in rows:
            member_id = row["id"]
            before = existing.get((agreement.id, member_id))
            facts = read_facts(row, named.get(member_id, frozenset()))
            ledger = choices.get(member_id, ())
            mask = share_mask(matrix, agreement, facts, ledger, moment)
            ends_at = share_end(agreement, ledger, moment) if mask else None
            if before is None:
                if mask:
                    known = subjects.get(agreement.partner_id)
                    if known is None:
                        known = subjects[agreement.partner_id] = await _subjects(
                            connection, agreement.partner_id, ids
                        )
                    batch.opened.append((agreement.id, known[member_id], member_id, mask, ends_at))
                    batch.log.append((agreement.id, known[member_id], mask, 0, mask))
            else:
                _compare(batch, (agreement.id, member_id), before, (mask, ends_at), changed)
    return batch


def _compare(
    batch: _Batch,
    pair: tuple[UUID, UUID],
    before: tuple[UUID, int, datetime | None],
    decided: tuple[int, datetime | None],
    changed: int,
) -> None:
    """What to write of an agreement and a member, of whom there was a row: pairwise id, mask and end."""
    agreement, member_id = pair
    subject, old, _ = before
    mask, ends_at = decided
    if not mask:
        batch.withdrawn.append((agreement, subject))
    elif decided != before[1:]:
        batch.changed.append((agreement, subject, mask, ends_at))
    about = (mask ^ old) | changed & mask
    if about:
        batch.log.append((agreement, subject, about, old, mask))
    if old & ~mask:
        batch.lost.append((agreement, subject, member_id, old & ~mask))


async def _subjects(connection: Link, partner: UUID, members: Sequence[UUID]) -> dict[UUID, UUID]:
    """The pairwise ids of these members for one partner, made where there is none yet.

    Made for all members of the chunk, shared or not: that one exists tells nothing.
    """
    await connection.execute(
        "INSERT INTO pairwise_subject (partner_id, member_id, subject)"
        " SELECT $1, m, s FROM unnest($2::uuid[], $3::uuid[]) AS given (m, s) ON CONFLICT DO NOTHING",
        partner,
        list(members),
        [pairwise_id() for _ in members],
    )
    rows = await connection.fetch(
        "SELECT member_id, subject FROM pairwise_subject"
        " WHERE partner_id = $1 AND member_id = ANY($2::uuid[])",
        partner,
        list(members),
    )
    return {row["member_id"]: row["subject"] for row in rows}


async def _write(connection: Link, batch: _Batch, now: datetime) -> None:
    if batch.opened:
        await connection.execute(
            "INSERT INTO share (agreement_id, subject, member_id, mask, ends_at)"
            " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])",
            *_columns(batch.opened),
        )
    if batch.changed:
        await connection.execute(
            "UPDATE share SET mask = given.mask, ends_at = given.ends_at"
            " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])"
            " AS given (agreement_id, subject, mask, ends_at)"
            " WHERE share.agreement_id = given.agreement_id AND share.subject = given.subject",
            *_columns(batch.changed),
        )
    if batch.withdrawn:
        await connection.execute(
            "DELETE FROM share USING unnest($1::uuid[], $2::uuid[]) AS given (agreement_id, subject)"
            " WHERE share.agreement_id = given.agreement_id AND share.subject = given.subject",
            *_columns(batch.withdrawn),
        )
    if batch.log:
        await connection.execute(
            "INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)"
            " SELECT *, $6 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])",
            *_columns(batch.log),
            now,
        )
        await _announce(connection, (agreement for agreement, *_ in batch.log))
    shared = [(agreement, subject, after) for agreement, subject, _, _, after in batch.log if after]
    if shared:
        await _release(connection, shared)
    if batch.lost:
        await _owe(connection, batch.lost, erased=False, now=now)


async def _owe(
    connection: Link, lost: Sequence[tuple[UUID, UUID, UUID | None, int]], *, erased: bool, now: datetime
) -> None:
    """Note what partners have to delete now: of each agreement, pairwise id and member, these categories."""
    await connection.execute(
        "INSERT INTO deletion (id, agreement_id, subject, member_id, mask, erased, withdrawn_at, due_at)"
        " SELECT given.id, a, s, m, gone, $5::boolean, $6::timestamptz,"
        " $6::timestamptz + make_interval(days => deletion_days)"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $7::uuid[])"
        " AS given (a, s, m, gone, id)"
        " JOIN agreement ON agreement.id = a"
        # What the law took from us, nobody gives back.
        " WHERE agreement.basis <> 'LEGAL' AND ($5::boolean OR (agreement.status IN ('ACTIVE', 'ENDED')"
        "  AND agreement.valid_from <= $6::timestamptz))"
        " ON CONFLICT (agreement_id, subject) WHERE confirmed_at IS NULL DO UPDATE"
        " SET mask = deletion.mask | excluded.mask, erased = deletion.erased OR excluded.erased,"
        # Who has been told of a part has not been told of what comes to it.
        " told_at = CASE WHEN excluded.mask & ~deletion.mask = 0 AND (deletion.erased OR NOT excluded.erased)"
        " THEN deletion.told_at END",
        *_columns(lost),
        erased,
        now,
        [new_id() for _ in lost],
    )


async def _release(connection: Link, shared: Sequence[tuple[UUID, UUID, int]]) -> None:
    """What is open (again) need not be deleted (any more)."""
    columns = _columns(shared)
    await connection.execute(
        "SELECT FROM deletion JOIN unnest($1::uuid[], $2::uuid[]) AS given (a, s)"
        " ON agreement_id = a AND subject = s WHERE confirmed_at IS NULL"
        " ORDER BY agreement_id, member_id FOR UPDATE OF deletion",
        *columns[:2],
    )
    kept = await connection.fetch(
        "UPDATE deletion SET mask = deletion.mask & ~given.after"
        " FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS given (agreement_id, subject, after)"
        " WHERE deletion.agreement_id = given.agreement_id AND deletion.subject = given.subject"
        " AND deletion.confirmed_at IS NULL RETURNING deletion.id, deletion.mask",
        *columns,
    )
    over = [row["id"] for row in kept if not row["mask"]]
    if over:
        await connection.execute("DELETE FROM deletion WHERE id = ANY($1::uuid[])", over)


async def tell_of_erasure(connection: Link, members: Sequence[UUID], now: datetime) -> None:
    """Tell each partner that ever saw one of these members to delete all of it, the pairwise id included.

    Called inside the transaction that erases them, before their rows go.
    """
    rows = await connection.fetch(
        "INSERT INTO share_change (agreement_id, subject, mask, before, after, erased, changed_at)"
        " SELECT seen.agreement_id, seen.subject, bit_or(seen.before | seen.after),"
        " bit_or(seen.before | seen.after), 0, true, $2"
        " FROM pairwise_subject known JOIN agreement ON agreement.partner_id = known.partner_id"
        " JOIN share_change seen ON seen.agreement_id = agreement.id AND seen.subject = known.subject"
        " WHERE known.member_id = ANY($1::uuid[]) GROUP BY seen.agreement_id, seen.subject"
        " RETURNING agreement_id, subject, mask",
        list(members),
        now,
    )
    if rows:
        owed = [(row["agreement_id"], row["subject"], None, row["mask"]) for row in rows]
        await _owe(connection, owed, erased=True, now=now)
        await _announce(connection, (row["agreement_id"] for row in rows))


async def _announce(connection: Link, agreements: Iterable[UUID]) -> None:
    """Wake who follows the feeds of these agreements, when this transaction commits."""
    await connection.execute(
        "SELECT pg_notify($1, agreement::text) FROM unnest($2::uuid[]) AS told (agreement)",
        FEED_CHANNEL,
        sorted(set(agreements)),
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
