"""Root fields of the partner contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry
from strawberry import Info

from policies.principal import PartnerPrincipal
from resolvers.context import context_of, projected_root
from schema.catalogue import RootKind, followed, root
from schema.categories import Audience, categories_of
from schema.errors import ForbiddenError, GatewayError
from schema.types.changes import ChangeConnection
from schema.types.connections import After, Connection, First
from schema.types.public import AgreementTermsType
from schema.types.sharing import MemberFilter, SharedMemberType


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


def _agreement(info: Info[Any, Any]) -> AgreementTermsType:
    context = context_of(info)
    principal = context.principal
    if not isinstance(principal, PartnerPrincipal):
        raise ForbiddenError("only a partner has an agreement")
    return AgreementTermsType(
        basis=principal.basis,
        purpose=principal.purpose,
        categories=sorted(category.value for category in categories_of(context.contract_mask)),
    )


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


@strawberry.type(description="What can be followed, over server-sent events.")
class Subscription:
    """The feed, as it grows."""

    changes: ChangeConnection = followed(
        RootKind.SHARED_CHANGES,
        Audience.PARTNER,
        description="The pages of `changes` as they come about, from `after` on; from now on without it.",
        resolver=_followed,
    )
