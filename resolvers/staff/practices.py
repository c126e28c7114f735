"""Explanations in the officer's contract: the operations of `resolvers.officers`."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from policies.officers import Act
from resolvers.mutations.payload import stated
from resolvers.officers.members import explain_field
from resolvers.staff.common import asks, at_desk
from schema.categories import DataCategory
from schema.errors import InputError
from schema.types.staff.practices import ExplanationType, ExplanationWhere


async def _explanations(info: Info[Any, Any], where: ExplanationWhere) -> list[ExplanationType]:
    given = stated(where)
    try:
        category = DataCategory(where.category)
    except ValueError as error:
        raise InputError("`category`: the key of a data category, such as `user.name`") from error
    explained = await at_desk(
        info,
        lambda desk: explain_field(
            desk,
            partner=where.partner,
            member=where.member,
            category=category,
            scopes=given.get("scopes"),
        ),
    )
    return [
        ExplanationType(
            agreement=strawberry.ID(str(one.agreement.terms.id)),
            category=category.value,
            lines=list(one.lines()),
        )
        for one in explained
    ]


@strawberry.type
class StaffPracticeQuery:
    """What officers ask about decisions."""

    explanations: list[ExplanationType] = asks(
        Act.DECISION_EXPLAIN,
        "Why a partner sees or does not see something of a member, under each of its agreements.",
        _explanations,
    )
