"""Root fields of the member contract."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import Info

from resolvers.context import projected_root
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.types.member import MemberType
from schema.types.sharing import SharedMemberType


async def _me(info: Info[Any, Any]) -> Any:
    return await projected_root(info)


async def _preview(
    info: Info[Any, Any],
    agreement: Annotated[
        strawberry.ID, strawberry.argument(description="The id of an agreement in `me.shares`.")
    ],
) -> Any:
    return await projected_root(info)


@strawberry.type
class MemberQuery:
    """What a member may ask."""

    me: MemberType = root(
        RootKind.SELF,
        Audience.MEMBER,
        description="You, and everything stored about you (C12).",
        resolver=_me,
    )
    preview_as_partner: SharedMemberType | None = root(
        RootKind.PREVIEW,
        Audience.MEMBER,
        description="You, exactly as that agreement shows you; null when it shows nothing of you.",
        resolver=_preview,
    )
