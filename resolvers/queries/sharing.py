"""Root fields of the partner contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry
from strawberry import Info

from policies.principal import PartnerPrincipal, Principal
from policies.quotas import Budget
from resolvers.commands.deletions import Obligation, count_obligations, list_obligations, note_shown
from resolvers.commands.partners import AgreementView, list_agreements
from resolvers.context import Work, context_of, projected_root
from schema.catalogue import RootKind, followed, root
from schema.categories import Audience, categories_of, expand
from schema.errors import ForbiddenError, GatewayError
from schema.types.changes import ChangeConnection
from schema.types.connections import After, Connection, Edge, First, PageInfo
from schema.types.deletions import DeletionObligationType
from schema.types.public import AgreementTermsType, BudgetType, CategoryTermsType, QuotaType
from schema.types.sharing import MemberFilter, SharedMemberType
from schema.vocabulary import QuotaUnit


async def _members(
    info: Info[Any, Any],
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
    where: MemberFilter | None = strawberry.UNSET,
) -> Any:
    return await projected_root(info)


async def _member(
    info: Info[Any, Any],
    id: Annotated[strawberry.ID, strawberry.argument(description="The pairwise id.")],  # noqa: A002 - the GraphQL name
) -> Any:
    return await projected_root(info)


async def _changes(
    info: Info[Any, Any], first: First = strawberry.UNSET, after: After = strawberry.UNSET
) -> Any:
    return await projected_root(info)


def _followed(
    info: Info[Any, Any],
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
) -> AsyncGenerator[ChangeConnection, None]:
    """Stands where the stream is declared; `gateway.following` reads its pages by projection.

    Raises:
        GatewayError: always. Being called means that a projection was bypassed: fail closed.
    """
    raise GatewayError("this field is read by projection only")


async def _agreement(info: Info[Any, Any]) -> AgreementTermsType:
    context = context_of(info)
    principal = _partner(context.principal)

    async def read(work: Work) -> AgreementView:
        (found,) = await list_agreements(work.connection, agreement_id=principal.agreement_id)
        return found

    async def left() -> BudgetType:
        budgets = await context.means.budget(principal)
        return BudgetType(
            requests=_quota(budgets.get(QuotaUnit.REQUESTS)), members=_quota(budgets.get(QuotaUnit.MEMBERS))
        )

    view: AgreementView = await context.perform(read)
    opened = categories_of(context.contract_mask)
    terms, duties = view.terms, view.duties
    return AgreementTermsType(
        basis=principal.basis,
        purpose=principal.purpose,
        categories=sorted(category.value for category in opened),
        reasons=[
            CategoryTermsType(category=ground.category.value, reason=ground.reason)
            for ground in view.grounds
            # A key that the contract opens nothing of does not exist for it.
            if expand({ground.category}) & opened
        ],
        status=terms.status,
        in_force=terms.in_force(context.means.clock()),
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        deletion_days=duties.deletion_days,
        narrow_after_days=duties.narrow_after_days,
        suspend_after_days=duties.suspend_after_days,
        restriction=duties.restriction,
        left=left,
    )


_MOST: Final = 2**31 - 1
"""What GraphQL's `Int` can tell."""


def _quota(budget: Budget | None) -> QuotaType | None:
    if budget is None:
        return None
    return QuotaType(
        limit=min(budget.limit, _MOST),
        remaining=min(budget.remaining, _MOST),
        resets_at=budget.resets_at,
    )


async def _deletions(
    info: Info[Any, Any],
    first: First = strawberry.UNSET,
    after: After = strawberry.UNSET,
    confirmed: Annotated[
        bool, strawberry.argument(description="Those that you have confirmed, in place of the open ones.")
    ] = False,
) -> Connection[DeletionObligationType]:
    context = context_of(info)
    partner_id = _partner(context.principal).partner_id
    size = context.pages.size(None if first is strawberry.UNSET else first)
    scope = f"{partner_id}\x1fdeletions\x1f{confirmed}".encode()
    position = _position(context.cursors.decode(scope, after)) if isinstance(after, str) else None

    async def read(work: Work) -> tuple[Sequence[Obligation], int, datetime]:
        found = await list_obligations(
            work.connection, partner_id, confirmed=confirmed, after=position, limit=size + 1
        )
        return found, await count_obligations(work.connection, partner_id, confirmed=confirmed), work.now

    found, total, now = await context.perform(read)
    shown = found[:size]
    context.disclose([one.log_id for one in shown if one.log_id is not None], len(shown))
    context.afterwards(lambda work: note_shown(work.connection, shown, work.now))
    edges = [
        Edge(cursor=context.cursors.encode(scope, (one.due_at, one.row_id)), node=_obligation(one, now))
        for one in shown
    ]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(found) > size,
            has_previous_page=position is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        total_count=total,
    )


def _position(values: list[Any]) -> tuple[datetime, UUID]:
    due_at, row_id = values
    return datetime.fromisoformat(due_at), UUID(row_id)


def _obligation(one: Obligation, now: datetime) -> DeletionObligationType:
    return DeletionObligationType(
        id=strawberry.ID(str(one.subject)),
        basis=one.basis,
        purpose=one.purpose,
        categories=one.categories,
        erased=one.erased,
        withdrawn_at=one.withdrawn_at,
        due_at=one.due_at,
        told_at=one.told_at or now,
        confirmed_at=one.confirmed_at,
        overdue=one.overdue(now),
    )


def _partner(principal: Principal) -> PartnerPrincipal:
    if not isinstance(principal, PartnerPrincipal):
        raise ForbiddenError("only a partner has an agreement")
    return principal


@strawberry.type
class SharingQuery:
    """What a partner may ask."""

    members: Connection[SharedMemberType] = root(
        RootKind.SHARED_PAGE,
        Audience.PARTNER,
        description="The members that you may see, in an order that means nothing.",
        resolver=_members,
    )
    changes: ChangeConnection = root(
        RootKind.SHARED_CHANGES,
        Audience.PARTNER,
        description="What changed of the members that you may see, in order: who is shared, corrected,"
        " withdrawn or erased.",
        resolver=_changes,
    )
    member: SharedMemberType | None = root(
        RootKind.SHARED_ONE,
        Audience.PARTNER,
        description="The member with this pairwise id; null when there is none that you may see.",
        resolver=_member,
    )
    agreement: AgreementTermsType = root(
        RootKind.PLAIN,
        Audience.PARTNER,
        description="The terms under which you receive data.",
        resolver=_agreement,
    )
    deletions: Connection[DeletionObligationType] = root(
        RootKind.PLAIN,
        Audience.PARTNER,
        description="What you have to delete, under all your agreements, the first due first.",
        resolver=_deletions,
    )


@strawberry.type(description="What can be followed, over server-sent events.")
class Subscription:
    """The feed, as it grows."""

    changes: ChangeConnection = followed(
        RootKind.SHARED_CHANGES,
        Audience.PARTNER,
        description="The pages of `changes` as they come about, from `after` on; from now on without it.",
        resolver=_followed,
    )
