"""Legal cases in the officer's contract (C8): the operations of `resolvers.officers.cases`.

A case is proposed by one officer and approved by another; here both have signed in as who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from policies.officers import Act
from resolvers.cases import CaseView
from resolvers.context import context_of
from resolvers.officers import cases
from resolvers.officers.cases import CaseInput, Order
from resolvers.staff.common import asks, at_desk, concluded, does, id_of, shown_as
from schema.types.staff.cases import (
    CaseIdInput,
    CasePayload,
    CaseType,
    DeferCaseInput,
    DeferralType,
    OpenCaseInput,
    OrderInput,
)

CaseId = Annotated[strawberry.ID, strawberry.argument(description="The `id` in `cases`.")]


async def _cases(info: Info[Any, Any]) -> list[CaseType]:
    now = context_of(info).means.clock()
    return [_case(view, now) for view in await at_desk(info, cases.list_cases)]


async def _shown(info: Info[Any, Any], id: CaseId) -> CaseType:  # noqa: A002 - the GraphQL name
    case_id = id_of(id, "id")
    view = await at_desk(info, lambda desk: cases.show_case(desk, case_id))
    return _case(view, context_of(info).means.clock())


async def _open(info: Info[Any, Any], input: OpenCaseInput) -> CasePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        given = CaseInput(
            authority=input.authority,
            authority_name=input.authority_name or None,
            reference=input.reference,
            ground=input.ground,
            categories=input.categories,
            members=input.members,
            expires_at=input.expires_at,
            order=_order(input.order) if input.order else None,
        )
        return await _as_it_stands(info, await at_desk(info, lambda desk: cases.open_case(desk, given)))

    return await concluded(CasePayload, steps())


async def _approve(info: Info[Any, Any], input: CaseIdInput) -> CasePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        case_id = id_of(input.id, "id")
        await at_desk(info, lambda desk: cases.approve_case(desk, case_id))
        return await _as_it_stands(info, case_id)

    return await concluded(CasePayload, steps())


async def _defer(info: Info[Any, Any], input: DeferCaseInput) -> CasePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        case_id, order = id_of(input.id, "id"), _order(input.order)
        await at_desk(info, lambda desk: cases.defer_case(desk, case_id, order))
        return await _as_it_stands(info, case_id)

    return await concluded(CasePayload, steps())


async def _close(info: Info[Any, Any], input: CaseIdInput) -> CasePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        case_id = id_of(input.id, "id")
        await at_desk(info, lambda desk: cases.close_case(desk, case_id))
        return await _as_it_stands(info, case_id)

    return await concluded(CasePayload, steps())


async def _as_it_stands(info: Info[Any, Any], case_id: UUID) -> Mapping[str, Any]:
    view = await at_desk(info, lambda desk: cases.show_case(desk, case_id))
    return {"case": _case(view, context_of(info).means.clock())}


def _order(given: OrderInput) -> Order:
    return Order(given.ordered_by, given.reference, given.until)


def _case(view: CaseView, now: datetime) -> CaseType:
    return shown_as(
        CaseType,
        view,
        status=view.status(now).value,
        categories=sorted(category.value for category in view.terms.categories),
        deferred_until=view.deferred_until(now),
        deferrals=[shown_as(DeferralType, one) for one in view.deferrals],
    )


@strawberry.type
class StaffCaseQuery:
    """What officers read of cases."""

    cases: list[CaseType] = asks(Act.CASE_READ, "Every case, by age.", _cases)
    case: CaseType = asks(Act.CASE_READ, "One case.", _shown)


@strawberry.type
class StaffCaseMutation:
    """What officers do with cases."""

    open_case: CasePayload = does(
        Act.CASE_OPEN, "Propose a case. Nothing is disclosed before another officer approves it.", _open
    )
    approve_case: CasePayload = does(
        Act.CASE_APPROVE, "Approve what waits of a case that another officer proposed.", _approve
    )
    defer_case: CasePayload = does(
        Act.CASE_DEFER, "Record an order not to tell the members yet, for another officer to approve.", _defer
    )
    close_case: CasePayload = does(Act.CASE_CLOSE, "End a case before its expiry, at once.", _close)
