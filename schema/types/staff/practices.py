"""What is decided, as officers look at it."""

from __future__ import annotations

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory

_OPS = DataCategory.OPERATIONS


@strawberry.type(name="Explanation", description="Why a partner sees or does not see a category of a member.")
class ExplanationType:
    """Under one agreement, condition by condition."""

    agreement: strawberry.ID = structural("Under which agreement.")
    category: str = structural("The key of the data category.")
    lines: list[str] = structural("Each condition, and whether it holds. No value of the member's is in it.")


@strawberry.input(name="ExplanationWhere", description="What is to be explained.")
class ExplanationWhere:
    """A partner, a member, a category."""

    partner: str = accepts(_OPS, "Short name of the partner.")
    member: str = accepts(_OPS, "The member's number.")
    category: str = accepts(_OPS, "The key of a data category.")
    scopes: list[str] | None = accepts(_OPS, "Scopes of the token; not given: all.", optional=True)
