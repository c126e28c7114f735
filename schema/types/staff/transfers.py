"""Transfers of the business, as officers work with them (C8)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory
from schema.types.commands import FieldErrorType

_OPS = DataCategory.OPERATIONS


@strawberry.type(name="Transfer", description="The business passes to another company.")
class TransferType:
    """One row of `business_transfer`."""

    id: strawberry.ID = structural("Names the transfer.")
    status: str = structural(
        "PROPOSED, ANNOUNCED, EFFECTIVE or CANCELLED. Nothing is shared before it is EFFECTIVE."
    )
    acquirer: str = structural("Short name of the partner that receives the business.")
    acquirer_name: str = structural("The name that members know.")
    agreement: strawberry.ID = structural("The agreement that it rests on.")
    closing_at: datetime = structural("When the business passes.")
    effective_at: datetime | None = structural("From when on anything is shared; null: not approved.")
    opened_by: str = structural("The officer who proposed it.")
    opened_at: datetime = structural("When.")
    approved_by: str | None = structural("The other officer, who approved it.")
    approved_at: datetime | None = structural("When: it was announced then.")
    cancelled_by: str | None = structural("The officer who called it off.")
    cancelled_at: datetime | None = structural("When.")
    reason: str | None = structural("Why, as it was proposed.")
    mailed: int | None = structural("How many members a mail was made for by now; null: not announced.")


@strawberry.type(name="TransferPayload", description="What came of a command on a transfer.")
class TransferPayload:
    """The transfer as it stands, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    transfer: TransferType | None = structural("As it stands; null when refused.", default=None)


@strawberry.input(name="OpenTransferInput", description="A transfer.")
class OpenTransferInput:
    """Acquirer, closing date, reason."""

    acquirer: str = accepts(_OPS, "Short name of the partner that receives the business.")
    closing_at: datetime = accepts(_OPS, "When the business passes.")
    reason: str = accepts(_OPS, "Why. It is written into the log of actions.")


@strawberry.input(name="TransferIdInput", description="Which transfer.")
class TransferIdInput:
    """One of them."""

    id: strawberry.ID = accepts(_OPS, "The `id` in `transfers`.")
