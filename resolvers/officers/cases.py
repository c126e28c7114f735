"""Legal cases: what the law requires us to disclose, opened by two officers, for named members, until a date.

CLAUSE (C8): disclosure as the law requires rests on a case with an authority, a reference, categories, named
members, an expiry and two officers.

A case rests on an agreement on the basis LEGAL, so every path to a partner treats it as it treats any other.
Of whom the case does not name it shares nothing (`policies.sharing`). It cannot name what is sealed (R1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.agreement import parse_categories
from policies.officers import Act
from resolvers.callers import find_member
from resolvers.cases import CaseStatus, CaseView, read_case, read_cases
from resolvers.commands import partners
from resolvers.commands.grounds import approve_grounds, store_grounds
from resolvers.commands.two_officers import read_text, require_another
from resolvers.desk import Desk
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.categories import Basis, Purpose
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.vocabulary import AgreementStatus

LONGEST: Final = timedelta(days=366)
"""How long a case, and a deferral, may last: what the law still requires then is opened anew."""

MOST_MEMBERS: Final = 1_000
"""Whom one case may name: a case is about persons, not about everybody."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order not to tell the members before a date."""

    ordered_by: str
    reference: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CaseInput:
    """What an officer states of a case. `authority_name` is needed where the authority is not known yet."""

    authority: str
    authority_name: str | None
    reference: str
    ground: str
    categories: Collection[str]
    members: Sequence[str]
    expires_at: datetime
    order: Order | None = None


async def open_case(desk: Desk, given: CaseInput) -> UUID:
    """Propose a case, and return its id. Nothing is disclosed before another officer approves it.

    Raises:
        InputError: a category does not exist or is never shared, the policy gives none of them, nobody is
            named, or a date is past or too far away.
        NotFoundError: there is no such authority, or no member of a number.
    """
    await desk.act(Act.CASE_OPEN, f"authority {given.authority}", reason=given.ground, called="ground")
    case_id = new_id()
    keys = parse_categories(given.categories)
    partners.require_shared(desk.matrix, Basis.LEGAL, Purpose.LEGAL_OBLIGATION, keys)
    reference, ground = read_text("reference", given.reference), read_text("ground", given.ground)
    _require_date("expires", given.expires_at, desk.now)
    members = await _named(desk, given.members)
    agreement_id = await partners.insert_agreement(
        desk.connection,
        await _authority(desk, given.authority, given.authority_name),
        Basis.LEGAL,
        Purpose.LEGAL_OBLIGATION,
        keys,
        (desk.now, given.expires_at),
        AgreementStatus.DRAFT,
        now=desk.now,
    )
    reasons = {key.value: f"The law requires it: {reference}" for key in keys}
    await store_grounds(desk.connection, agreement_id, keys, reasons, officer=None, now=desk.now)
    await desk.connection.execute(
        "INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        case_id,
        agreement_id,
        reference,
        ground,
        desk.officer.name,
        desk.now,
        given.expires_at,
    )
    await desk.connection.execute(
        "INSERT INTO legal_case_member (case_id, member_id) SELECT $1, unnest($2::uuid[])", case_id, members
    )
    if given.order is not None:
        await _propose_deferral(desk, case_id, given.order)
    return case_id


async def approve_case(desk: Desk, case_id: UUID) -> CaseView:
    """Approve what waits: the case, and its deferrals. It counts at once, deferred ones without being shown.

    1. the turn of every other change of shares;
    2. everything that waits was proposed by another officer;
    3. the deferrals, before anything could be shown;
    4. the case, its agreement, and the shares of those whom it names.

    Raises:
        ForbiddenError: this officer proposed it.
        InputError: nothing waits, or the case is over.
        NotFoundError: there is no such case.
    """
    await desk.act(Act.CASE_APPROVE, f"case {case_id}")
    await take_turn(desk.connection, alone=True)  # 1
    case = await read_case(desk.connection, case_id)
    waiting = [one for one in case.deferrals if one.approved_by is None]
    proposed = case.status(desk.now) is CaseStatus.PROPOSED
    if not proposed and not waiting:
        raise InputError("nothing of this case waits for approval: see `gateway case show`")
    for proposed_by in [case.opened_by] * proposed + [one.opened_by for one in waiting]:  # 2
        require_another(proposed_by, desk.officer.name, f"case {case_id}")
    if waiting:  # 3
        await _approve_deferrals(desk, case)
    if proposed:  # 4
        await _approve(desk, case)
    return await read_case(desk.connection, case_id)


async def defer_case(desk: Desk, case_id: UUID, order: Order) -> None:
    """Record an order not to tell the members, for another officer to approve; a later one extends it.

    Raises:
        InputError: its end is past or too far away, or a text may not be kept.
        NotFoundError: there is no such case.
    """
    await desk.act(Act.CASE_DEFER, f"case {case_id}")
    await read_case(desk.connection, case_id)
    await _propose_deferral(desk, case_id, order)


async def close_case(desk: Desk, case_id: UUID) -> ShareChanges:
    """End a case before its expiry, at once. What was disclosed stays with the authority: the law gave it.

    Raises:
        InputError: it is closed.
        NotFoundError: there is no such case.
    """
    await desk.act(Act.CASE_CLOSE, f"case {case_id}")
    await take_turn(desk.connection, alone=True)
    case = await read_case(desk.connection, case_id)
    if case.closed_at is not None:
        raise InputError("the case is closed")
    await desk.connection.execute(
        "UPDATE legal_case SET closed_by = $2, closed_at = $3 WHERE id = $1",
        case_id,
        desk.officer.name,
        desk.now,
    )
    await partners.as_of(desk.connection, desk.now)
    await desk.connection.execute(
        "UPDATE agreement SET status = $2, version = version + 1 WHERE id = $1",
        case.terms.id,
        AgreementStatus.ENDED.value,
    )
    return await _decided(desk, case)


async def list_cases(desk: Desk) -> Sequence[CaseView]:
    """Every case, by age."""
    await desk.act(Act.CASE_READ)
    return await read_cases(desk.connection)


async def show_case(desk: Desk, case_id: UUID) -> CaseView:
    """One case."""
    await desk.act(Act.CASE_READ, f"case {case_id}")
    return await read_case(desk.connection, case_id)


async def begin_disclosure(desk: Desk, case_id: UUID, reason: str) -> CaseView:
    """Write down that an officer hands over what an open case asks for; the case, if it may be.

    The caller reads nothing of the members before this is committed, and writes nothing of them before the
    disclosure is recorded (R2).

    Raises:
        InputError: the case is not open.
        NotFoundError: there is no such case.
    """
    await desk.act(Act.CASE_DISCLOSE, f"case {case_id}", reason=reason)
    case = await read_case(desk.connection, case_id)
    if case.status(desk.now) is not CaseStatus.OPEN:
        raise InputError(f"the case is {case.status(desk.now)}: only an open one discloses anything")
    return case


async def _approve(desk: Desk, case: CaseView) -> None:
    await desk.connection.execute(
        "UPDATE legal_case SET approved_by = $2, approved_at = $3 WHERE id = $1",
        case.id,
        desk.officer.name,
        desk.now,
    )
    await approve_grounds(
        desk.connection, case.terms.id, case.terms.categories, officer=desk.officer.name, now=desk.now
    )
    await partners.as_of(desk.connection, desk.now)
    await desk.connection.execute(
        "UPDATE agreement SET status = $2, valid_from = $3, version = version + 1 WHERE id = $1",
        case.terms.id,
        AgreementStatus.ACTIVE.value,
        desk.now,
    )
    await _decided(desk, case)


async def _decided(desk: Desk, case: CaseView) -> ShareChanges:
    """Decide for those whom the case names, and let every replica hear of the agreement."""
    members = await desk.connection.fetch(
        "SELECT member_id FROM legal_case_member WHERE case_id = $1", case.id
    )
    changes = await refresh_shares(
        desk.connection,
        desk.matrix,
        now=desk.now,
        members=[row["member_id"] for row in members],
        agreements=[case.terms.id],
    )
    await revoke(desk.connection, RevocationKind.AGREEMENT, str(case.terms.id), now=desk.now)
    return changes


async def _approve_deferrals(desk: Desk, case: CaseView) -> None:
    await desk.connection.execute(
        "UPDATE legal_deferral SET approved_by = $2, approved_at = $3"
        " WHERE case_id = $1 AND approved_at IS NULL",
        case.id,
        desk.officer.name,
        desk.now,
    )
    # Where reads ask for it: the latest end of all that are approved.
    await desk.connection.execute(
        "UPDATE agreement SET deferred_until = (SELECT max(until) FROM legal_deferral"
        " WHERE case_id = $2 AND approved_at IS NOT NULL) WHERE id = $1",
        case.terms.id,
        case.id,
    )


async def _propose_deferral(desk: Desk, case_id: UUID, order: Order) -> None:
    _require_date("until", order.until, desk.now)
    await desk.connection.execute(
        "INSERT INTO legal_deferral (id, case_id, ordered_by, reference, until, opened_by, opened_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        case_id,
        read_text("ordered by", order.ordered_by),
        read_text("order", order.reference),
        order.until,
        desk.officer.name,
        desk.now,
    )


async def _authority(desk: Desk, name: str, display_name: str | None) -> UUID:
    """The authority of that short name; with a `display_name`, entered now unless it is there."""
    found: UUID | None = await desk.connection.fetchval("SELECT id FROM partner WHERE name = $1", name)
    if found is not None:
        return found
    if display_name is None:
        raise NotFoundError("there is no authority or partner of that name: give its name as members know it")
    shown = read_text("display name", display_name)
    made = await partners.create_partner(desk.connection, name=name, display_name=shown, now=desk.now)
    await desk.connection.execute("UPDATE partner SET authority = true WHERE id = $1", made)
    return made


async def _named(desk: Desk, numbers: Sequence[str]) -> list[UUID]:
    if not 0 < len(numbers) <= MOST_MEMBERS:
        raise InputError(f"`member`: name 1 to {MOST_MEMBERS} members")
    found: dict[UUID, None] = {}
    for position, number in enumerate(numbers, start=1):
        member_id = await find_member(desk.connection, number)
        if member_id is None:
            raise NotFoundError(f"`member` {position}: there is no member of that number")
        found[member_id] = None
    return list(found)


def _require_date(name: str, moment: datetime, now: datetime) -> None:
    if not now < moment <= now + LONGEST:
        raise InputError(f"`{name}`: a moment to come, within {LONGEST.days} days")
