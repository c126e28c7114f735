"""Counts of the audience for the company's own use: the same question, of the company's own budget (C5)."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from policies.officers import Act
from resolvers.officers.aggregates import look_at_dimensions
from resolvers.queries.audience import answer_about_audience, list_dimensions
from resolvers.staff.common import asks, at_desk
from schema.types.audience import AudienceAnswerType, AudienceValuesType


async def _dimensions(info: Info[Any, Any]) -> list[AudienceValuesType]:
    await at_desk(info, look_at_dimensions)
    return list_dimensions(info)


@strawberry.type
class StaffAudienceQuery:
    """What officers may ask about the audience as a whole."""

    audience: AudienceAnswerType = asks(
        Act.AUDIENCE_READ,
        "How many active members of 18 or over there are, by groups, with differential privacy. Asked again"
        " in the same month, it is the same answer and costs nothing.",
        answer_about_audience,
    )
    audience_dimensions: list[AudienceValuesType] = asks(
        Act.AUDIENCE_READ, "What you may group and narrow by, with every value.", _dimensions
    )
