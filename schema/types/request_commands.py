"""Inputs and payloads of what members and visitors ask of the company (C12, C13, C15), and of leaving."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory
from schema.tables.requests import CorrectionTarget
from schema.types.commands import FieldErrorType


@strawberry.input(
    name="RequestCorrectionInput", description="A record of fact that is wrong, and what is right."
)
class RequestCorrectionInput:
    """What the member cannot change alone."""

    kind: CorrectionTarget = accepts(DataCategory.PRIVATE_CONTENT, "What kind of record it is.")
    text: str = accepts(
        DataCategory.PRIVATE_CONTENT, "What is wrong and what is right. No telephone or card number."
    )
    id: strawberry.ID | None = accepts(
        DataCategory.OPERATIONS,
        "The `id` of the record, as you read it; leave it out for the member number.",
        optional=True,
    )


@strawberry.input(name="RequestAccessInput", description="Nothing has to be said.")
class RequestAccessInput:
    """A wish for the archive of everything that is stored about the member."""

    note: str | None = accepts(
        DataCategory.PRIVATE_CONTENT, "What we should know. No telephone or card number.", optional=True
    )
    recipient: str | None = accepts(
        DataCategory.PRIVATE_CONTENT,
        "Your public key of age (https://age-encryption.org), `age1...`: nobody else can open the archive"
        " then. Without one, we agree on a passphrase with you.",
        optional=True,
    )


@strawberry.input(name="CancelRequestInput", description="Which request.")
class CancelRequestInput:
    """One that nobody works on yet."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.requests`.")


@strawberry.input(name="ContactInput", description="A question or a message.")
class ContactInput:
    """A member's goes to the own account; a visitor says where the answer goes."""

    subject: str = accepts(DataCategory.PRIVATE_CONTENT, "What it is about, in one line.")
    text: str = accepts(DataCategory.PRIVATE_CONTENT, "The message. No telephone or card number.")
    email: str | None = accepts(
        DataCategory.EMAIL,
        "Where the answer goes. Visitors have to say; members are answered in `me.communications`.",
        optional=True,
    )
    name: str | None = accepts(DataCategory.NAME, "How to address you, if you are a visitor.", optional=True)


@strawberry.input(name="EraseAccountInput", description="Your password, because this cannot be undone later.")
class EraseAccountInput:
    """Whoever found a signed-in browser does not know it."""

    password: str = accepts(DataCategory.PASSWORD, "Your password.")


@strawberry.type(name="EraseAccountPayload", description="What came of it.")
class EraseAccountPayload:
    """Findings, or the date."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when your account is closed.")
    due_at: datetime | None = structural(
        "When everything is erased; until then the link in the mail takes it back. Null if you stay."
    )
