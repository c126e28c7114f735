"""Keeps `share` true: one row for each agreement and member that the decision opens anything of.

Called inside the transaction that changes a member, a choice, an agreement or the policy, so that no
reader ever sees the cause without the effect. The decision itself is `policies.sharing.share_mask`; what
comes of it is written by `resolvers.share_rows`.

INVARIANT (shares-follow-decisions): after `refresh_shares` commits, `share` holds exactly the
non-zero masks of the given agreements and members; every difference stands in `share_change`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms
from policies.matrix import Matrix
from policies.sharing import DECISION_VERSION, share_end, share_mask
from resolvers.connection import Link
from resolvers.decision_facts import read_choices, read_facts, read_named, read_terms
from resolvers.member_shares import DECIDED_FROM, NOBODY_TOLD, decide_member
from resolvers.share_rows import ShareWrites, pairwise_subjects, write_shares
from schema.categories import Basis
from schema.errors import PolicyChangedError

CHUNK: Final = 5_000
"""Members decided at a time: bounds memory; a whole refresh is still one transaction."""

_TURN: Final = 7_305_114
"""Key of the advisory lock that every refresh holds. Two transactions do not see each other's new
agreement and new choice, so without it both could commit and the choice count for nothing."""

TURN_TAKEN: Final = f"WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({_TURN}))"
"""Begins a statement that takes the turn, as `take_turn` does, before it locks rows.

Only the rows that it locks are read as they are when it has its turn; all else, as it was when it began."""


@dataclass(slots=True)
class ShareChanges:
    """What a refresh did, in rows of `share`."""

    opened: int = 0
    changed: int = 0
    withdrawn: int = 0

    def count(self, batch: ShareWrites) -> None:
        """Count what was written."""
        self.opened += len(batch.opened)
        self.changed += len(batch.changed)
        self.withdrawn += len(batch.withdrawn)

    def add(self, other: ShareChanges) -> None:
        """Count what `other` did as well."""
        self.opened += other.opened
        self.changed += other.changed
        self.withdrawn += other.withdrawn


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
    if agreements is None and under is None and members is not None and len(set(members)) == 1:
        return await _refresh_member(connection, matrix, members[0], now=now, changed=changed)
    await take_turn(connection, alone=agreements is not None)  # 1
    applied = await applied_policy(connection)
    if applied is not None and applied != decision_digest(matrix):
        raise PolicyChangedError("the sharing policy has just changed: try again")
    wanted = agreements if under is None else [under]
    return await decide_again(
        connection, matrix, now=now, members=members, agreements=wanted, changed=changed
    )


async def _refresh_member(
    connection: Link, matrix: Matrix, member_id: UUID, *, now: datetime, changed: int
) -> ShareChanges:
    """`refresh_shares` for one member: the same steps in fewer exchanges with the database."""
    await connection.execute(  # 1
        f"{TURN_TAKEN} SELECT FROM turn, member WHERE id = $1 FOR NO KEY UPDATE OF member", member_id
    )
    rows = await connection.fetch(
        f"WITH decided AS (SELECT birth_date, region, status FROM member WHERE id = $1){NOBODY_TOLD}"
        f"{DECIDED_FROM}",
        member_id,
    )
    return await refresh_member(connection, matrix, member_id, rows, now=now, changed=changed)


async def refresh_member(
    connection: Link,
    matrix: Matrix,
    member_id: UUID,
    rows: Sequence[Record],
    *,
    now: datetime,
    changed: int = 0,
    announced: set[UUID] | None = None,
) -> ShareChanges:
    """`refresh_shares` for one member, from what `DECIDED_FROM` has read of her.

    The caller must hold the turn and the member, both taken by a statement before that one. `announced` as
    for `write_shares`.
    """
    result = ShareChanges()
    result.count(
        await decide_member(
            connection,
            matrix,
            member_id,
            rows,
            digest=decision_digest(matrix),
            now=now,
            changed=changed,
            announced=announced,
        )
    )
    return result


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
        await write_shares(connection, batch, now)  # 3
        result.count(batch)
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


async def _decide(
    connection: Link,
    matrix: Matrix,
    terms: Sequence[AgreementTerms],
    rows: Sequence[Record],
    now: datetime,
    changed: int,
) -> ShareWrites:
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
    batch = ShareWrites()
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
                        known = subjects[agreement.partner_id] = await pairwise_subjects(
                            connection, agreement.partner_id, ids
                        )
                    batch.open((agreement.id, member_id), known[member_id], (mask, ends_at))
            else:
                batch.compare((agreement.id, member_id), before, (mask, ends_at), changed)
    return batch
