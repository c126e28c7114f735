"""Legal cases as officers see them: who asked for what of whom, who decided, and what is deferred (C8 b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms
from resolvers.connection import Link
from resolvers.decision_facts import read_terms
from schema.errors import NotFoundError


class CaseStatus(StrEnum):
    """Where a case stands. Only while it is OPEN anything is disclosed under it."""

    PROPOSED = "PROPOSED"
    OPEN = "OPEN"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Deferral:
    """An order not to tell the members yet. It counts once another officer has approved it."""

    ordered_by: str
    reference: str
    until: datetime
    opened_by: str
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `members` are the member numbers of those whom it names and who are still stored."""

    id: UUID
    authority: str
    authority_name: str
    reference: str
    ground: str
    terms: AgreementTerms
    members: tuple[str, ...]
    opened_by: str
    opened_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    deferrals: tuple[Deferral, ...]

    def status(self, now: datetime) -> CaseStatus:
        """Where it stands at this moment."""
        if self.closed_at is not None:
            return CaseStatus.CLOSED
        if self.expires_at <= now:
            return CaseStatus.EXPIRED
        return CaseStatus.PROPOSED if self.approved_at is None else CaseStatus.OPEN

    def deferred_until(self, now: datetime) -> datetime | None:
        """Until when the members are shown nothing of it; None: they are."""
        ends = [one.until for one in self.deferrals if one.approved_by is not None and one.until > now]
        return max(ends, default=None)


_CASES: Final = (
    "SELECT c.id AS case_id, c.reference, c.ground, c.opened_by, c.opened_at, c.approved_by, c.approved_at,"
    " c.expires_at, c.closed_by, c.closed_at, p.name, p.display_name, a.id, a.partner_id, a.basis, a.purpose,"
    " a.categories, a.valid_from, a.valid_until, a.status, a.version,"
    " ARRAY(SELECT number FROM legal_case_member n JOIN member m ON m.id = n.member_id WHERE n.case_id = c.id"
    "  ORDER BY number) AS members"
    " FROM legal_case c JOIN agreement a ON a.id = c.agreement_id JOIN partner p ON p.id = a.partner_id"
    " WHERE $1::uuid IS NULL OR c.id = $1 ORDER BY c.opened_at, c.id"
)


async def read_cases(connection: Link, case_id: UUID | None = None) -> Sequence[CaseView]:
    """Every case by age, or the one of that id.

    Raises:
        NotFoundError: there is none of that id.
    """
    rows = await connection.fetch(_CASES, case_id)
    if case_id is not None and not rows:
        raise NotFoundError("there is no such case: see `gateway case list`")
    deferrals: dict[UUID, list[Deferral]] = {}
    for row in await connection.fetch(
        "SELECT case_id, ordered_by, reference, until, opened_by, approved_by FROM legal_deferral"
        " WHERE $1::uuid IS NULL OR case_id = $1 ORDER BY opened_at, id",
        case_id,
    ):
        values = {name: value for name, value in row.items() if name != "case_id"}
        deferrals.setdefault(row["case_id"], []).append(Deferral(**values))
    return [_view(row, tuple(deferrals.get(row["case_id"], ()))) for row in rows]


async def read_case(connection: Link, case_id: UUID) -> CaseView:
    """The case of that id.

    Raises:
        NotFoundError: there is none.
    """
    (found,) = await read_cases(connection, case_id)
    return found


def _view(row: Record, deferrals: tuple[Deferral, ...]) -> CaseView:
    return CaseView(
        id=row["case_id"],
        authority=row["name"],
        authority_name=row["display_name"],
        reference=row["reference"],
        ground=row["ground"],
        terms=read_terms(row),
        members=tuple(row["members"]),
        opened_by=row["opened_by"],
        opened_at=row["opened_at"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        expires_at=row["expires_at"],
        closed_by=row["closed_by"],
        closed_at=row["closed_at"],
        deferrals=deferrals,
    )
