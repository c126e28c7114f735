"""Decides the shares of one member again: what most commands of members end with.

In: the rows of one statement, which begins with the member, read or just written. Out: what differs is
written, as `resolvers.shares` does it for many members. However many agreements there are, and where they
share what they did before, that statement is all: it changes the member, tells the partners who see what
changed, and reads what the decision rests on.

INVARIANT (shares-follow-decisions): made here for one member as in `resolvers.shares` for many. The caller
holds the turn and the member (`lock_member`), both taken by an earlier statement: so what this one reads was
committed before, and stays as it is until this transaction ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms
from policies.choices import Ledger
from policies.matrix import Matrix
from policies.sharing import Decisions
from resolvers.connection import Link
from resolvers.decision_facts import read_choice, read_facts, terms_of
from resolvers.share_rows import ShareWrites, pairwise_subjects, write_shares
from schema.errors import PolicyChangedError

TERMS_KEPT: Final = 4_096
"""Agreements whose terms are kept as they were read; each is a kilobyte at most."""

TOLD: Final = (
    # As if the decision stays what it is, which is what corrections do; else it is taken back.
    ", told AS (INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)"
    " SELECT agreement_id, subject, mask & $3::bigint, mask, mask, $2 FROM share"
    " WHERE member_id = $1 AND mask & $3 <> 0 RETURNING agreement_id, seq)"
)
"""Goes between the two others where the statement begins with a change: `$2` is the time, `$3` the mask of
what changed. Whoever sees any of that is told."""

NOBODY_TOLD: Final = ", told AS (SELECT NULL::uuid AS agreement_id, NULL::bigint AS seq LIMIT 0)"
"""In the place of `TOLD` where nothing changed."""

DECIDED_FROM: Final = (
    # The member, and the policy by which the shares were decided.
    " SELECT 'MEMBER' AS kind, (SELECT digest FROM applied_policy) AS digest, birth_date, region, status,"
    " NULL::uuid AS id, NULL::uuid AS partner_id, NULL::text AS basis, NULL::text AS purpose,"
    " NULL::text AS categories, NULL::timestamptz AS begins, NULL::timestamptz AS ends,"
    " NULL::int AS version, NULL::text AS source, NULL::uuid AS subject, NULL::bigint AS mask,"
    " NULL::timestamptz AS ends_at, NULL::bool AS named, NULL::bool AS owed, NULL::bigint AS line"
    " FROM decided"
    # Of requests about the same in the same direction only the latest: no other can win anything.
    " UNION ALL (SELECT DISTINCT ON (partner_id, purpose, basis, categories, direction) 'CHOICE', NULL, NULL,"
    " NULL, direction, NULL, partner_id, basis, purpose, array_to_string(categories, ' '), requested_at,"
    " ends_at, NULL, source, NULL, NULL, NULL, NULL, NULL, NULL FROM choice"
    " WHERE member_id = $1 AND topic = 'SHARING'"
    " ORDER BY partner_id, purpose, basis, categories, direction, requested_at DESC, ends_at, id)"
    # Agreements that may open something, or that have something open.
    " UNION ALL (SELECT 'AGREEMENT', NULL, NULL, NULL,"
    # Decided as if it were active, so that its activation finds every row as it has to be.
    " CASE WHEN agreement.opening THEN 'ACTIVE' ELSE agreement.status END, agreement.id,"
    " agreement.partner_id, agreement.basis, agreement.purpose,"
    " array_to_string(agreement.categories, ' '), agreement.valid_from, agreement.valid_until,"
    " agreement.version, NULL, share.subject, share.mask, share.ends_at,"
    # The approved cases that name her and are not closed.
    " agreement.basis = 'LEGAL' AND EXISTS (SELECT FROM legal_case JOIN legal_case_member"
    "  ON legal_case_member.case_id = legal_case.id WHERE legal_case.agreement_id = agreement.id"
    "  AND legal_case_member.member_id = $1 AND approved_at IS NOT NULL AND closed_at IS NULL),"
    " EXISTS (SELECT FROM deletion WHERE deletion.agreement_id = share.agreement_id"
    "  AND deletion.subject = share.subject AND confirmed_at IS NULL), told.seq"
    " FROM agreement LEFT JOIN told ON told.agreement_id = agreement.id"
    " LEFT JOIN share ON share.agreement_id = agreement.id AND share.member_id = $1"
    " WHERE agreement.status = 'ACTIVE' OR agreement.opening OR share.subject IS NOT NULL"
    " ORDER BY agreement.id)"
)
"""Follows `WITH decided AS (...)`, which gives birth date, region and status of the member `$1`, and one of
the two above."""


async def decide_member(
    connection: Link,
    matrix: Matrix,
    member_id: UUID,
    rows: Sequence[Record],
    *,
    digest: str,
    now: datetime,
    changed: int,
    announced: set[UUID] | None,
) -> ShareWrites:
    """Decide again what `rows` are about, and write the difference; `changed` as for `refresh_shares`.

    1. decide under each agreement that may open something, or has something open;
    2. where that is what it was, and the partner has been told of the change by the statement, all is done;
    3. where it is not, what was told is taken back, and told as it is.

    Raises:
        PolicyChangedError: shares were not decided by the policy of this `digest`.
    """
    member = next((row for row in rows if row["kind"] == "MEMBER"), None)
    batch = ShareWrites()
    if member is None:
        return batch
    if member["digest"] not in (None, digest):
        raise PolicyChangedError("the sharing policy has just changed: try again")
    agreements = [row for row in rows if row["kind"] == "AGREEMENT"]
    named_by = frozenset(row["id"] for row in agreements if row["named"])
    decisions = Decisions(matrix, read_facts(member, named_by), _ledger(rows), now)
    for row in agreements:
        terms = _terms(
            row["id"],
            row["partner_id"],
            row["basis"],
            row["purpose"],
            row["categories"],
            row["begins"],
            row["ends"],
            row["status"],
            row["version"],
        )
        decided = decisions.under(terms)  # 1
        subject = row["subject"]
        if subject is None:
            if decided[0]:
                subjects = await pairwise_subjects(connection, terms.partner_id, [member_id])
                batch.open((terms.id, member_id), subjects[member_id], decided)
            continue
        before = subject, row["mask"], row["ends_at"]
        if not row["owed"]:
            batch.settled.add((terms.id, subject))
        if row["line"] is None:
            batch.compare((terms.id, member_id), before, decided, changed)
        elif decided == before[1:]:  # 2
            batch.told.append((terms.id, subject, decided[0]))
        else:  # 3
            batch.taken_back.append(row["line"])
            batch.compare((terms.id, member_id), before, decided, changed)
    await write_shares(connection, batch, now, announced)
    return batch


def _ledger(rows: Sequence[Record]) -> Ledger:
    return Ledger(
        read_choice(
            row,
            row["status"],
            None if row["categories"] is None else row["categories"].split(),
            row["begins"],
            row["ends"],
        )
        for row in rows
        if row["kind"] == "CHOICE"
    )


@lru_cache(maxsize=TERMS_KEPT)
def _terms(
    agreement_id: UUID,
    partner_id: UUID,
    basis: str,
    purpose: str,
    categories: str,
    valid_from: datetime,
    valid_until: datetime | None,
    status: str,
    version: int,
) -> AgreementTerms:
    """The terms in these columns of an agreement: the same columns mean the same."""
    keys = categories.split()
    return terms_of(agreement_id, partner_id, basis, purpose, keys, valid_from, valid_until, status, version)
