"""Legal cases, as officers work with them (C8)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory
from schema.types.commands import FieldErrorType

_OPS = DataCategory.OPERATIONS


@strawberry.type(name="Deferral", description="An order not to tell the members yet.")
class DeferralType:
    """It counts once another officer has approved it."""

    ordered_by: str = structural("Who ordered it.")
    reference: str = structural("Under which reference.")
    until: datetime = structural("Until when.")
    opened_by: str = structural("The officer who proposed it.")
    approved_by: str | None = structural("The officer who approved it; null: it waits.")


@strawberry.type(name="Case", description="What the law requires us to disclose of named members.")
class CaseType:
    """One row of `legal_case`. Members are named by number, and only by that."""

    id: strawberry.ID = structural("Names the case.")
    status: str = structural("PROPOSED, OPEN, EXPIRED or CLOSED. Only an OPEN one discloses anything.")
    authority: str = structural("Short name of the authority.")
    authority_name: str = structural("The name that members know.")
    reference: str = structural("The authority's reference.")
    ground: str = structural("On what ground of law.")
    categories: list[str] = structural("The data categories that it names.")
    members: list[str] = structural("The numbers of the members that it names and who are still stored.")
    opened_by: str = structural("The officer who proposed it.")
    opened_at: datetime = structural("When.")
    approved_by: str | None = structural("The other officer, who approved it.")
    approved_at: datetime | None = structural("When.")
    expires_at: datetime = structural("When it ends by itself.")
    closed_by: str | None = structural("The officer who ended it before.")
    closed_at: datetime | None = structural("When.")
    deferred_until: datetime | None = structural("Until when members are shown nothing of it.")
    deferrals: list[DeferralType] = structural("The orders not to tell them.")


@strawberry.type(name="CasePayload", description="What came of a command on a case.")
class CasePayload:
    """The case as it stands, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    case: CaseType | None = structural("As it stands; null when refused.", default=None)


@strawberry.input(name="OrderInput", description="An order not to tell the members before a date.")
class OrderInput:
    """Who ordered it, and until when."""

    ordered_by: str = accepts(_OPS, "Who ordered it.")
    reference: str = accepts(_OPS, "Under which reference.")
    until: datetime = accepts(_OPS, "Until when.")


@strawberry.input(name="OpenCaseInput", description="A case.")
class OpenCaseInput:
    """Authority, reference, categories, members, expiry."""

    authority: str = accepts(_OPS, "Short name of the authority.")
    authority_name: str | None = accepts(_OPS, "Its name, where it is not known yet.", optional=True)
    reference: str = accepts(_OPS, "Its reference.")
    ground: str = accepts(_OPS, "On what ground of law: the reason of the line in the log.")
    categories: list[str] = accepts(_OPS, "The data categories.")
    members: list[str] = accepts(_OPS, "The numbers of the members.")
    expires_at: datetime = accepts(_OPS, "When it ends by itself.")
    order: OrderInput | None = accepts(_OPS, "An order not to tell them yet.", optional=True)


@strawberry.input(name="CaseIdInput", description="Which case.")
class CaseIdInput:
    """One of them."""

    id: strawberry.ID = accepts(_OPS, "The `id` in `cases`.")


@strawberry.input(name="DeferCaseInput", description="An order about a case.")
class DeferCaseInput:
    """Which case, and the order."""

    id: strawberry.ID = accepts(_OPS, "The `id` in `cases`.")
    order: OrderInput = accepts(_OPS, "The order.")
