"""Partners, agreements and clients, as officers work with them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import Basis, DataCategory, Purpose
from schema.types.commands import FieldErrorType
from schema.vocabulary import AgreementStatus, Restriction

_OPS = DataCategory.OPERATIONS


@strawberry.type(name="Company", description="A partner: it may receive members' data (C8).")
class StaffPartnerType:
    """One row of `partner`."""

    name: str = structural("Short name.")
    display_name: str = structural("The name that members know.")
    created_at: datetime = structural("Since when.")
    agreements: int = structural("How many agreements it has, whatever their status.")


@strawberry.type(name="Ground", description="Why an agreement names a category, and who approved it.")
class GroundType:
    """One row of `agreement_category`."""

    category: str = structural("The key of the data category.")
    reason: str | None = structural("What the partner stated that it needs it for.")
    approved_by: str | None = structural("The officer who approved it.")
    approved_at: datetime | None = structural("When.")


@strawberry.type(name="Agreement", description="What a partner receives, on which basis, and until when.")
class StaffAgreementType:
    """One row of `agreement`."""

    id: strawberry.ID = structural("Names the agreement.")
    partner: str = structural("Short name of the partner.")
    basis: Basis = structural("Why data may leave.")
    purpose: Purpose = structural("What it may be used for.")
    status: AgreementStatus = structural("Where it stands.")
    version: int = structural("Rises with each change.")
    categories: list[str] = structural("The data categories that it names.")
    valid_from: datetime = structural("Its first moment.")
    valid_until: datetime | None = structural("The first moment it does not count; null: until ended.")
    deletion_days: int = structural("Within how many days what is withdrawn has to be deleted.")
    narrow_after_days: int | None = structural("Days overdue after which it is narrowed; null: never.")
    suspend_after_days: int | None = structural("Days overdue after which tokens are refused; null: never.")
    restriction: Restriction = structural("What overdue deletions have done to its tokens.")
    active_clients: list[str] = structural("Clients that may sign in.")
    revoked_clients: list[str] = structural("Clients that may not any more.")
    members: int = structural("How many members are shared under it.")
    grounds: list[GroundType] = structural("Reasons and approvals; empty in a list of agreements.")


@strawberry.type(name="Use", description="What was granted against what was fetched.")
class UseType:
    """One category of an agreement."""

    category: str = structural("The key that the agreement names.")
    reason: str | None = structural("What the partner stated that it needs it for.")
    responses: int = structural("How many responses held it, or were narrowed by it.")
    last_at: datetime | None = structural("When it was last fetched; null: never in this time.")
    fetched: list[str] = structural("Of what the key covers, what was fetched.")


@strawberry.type(name="AgreementPayload", description="What came of a command on an agreement.")
class AgreementPayload:
    """The agreement as it stands, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    agreement: StaffAgreementType | None = structural("As it stands; null when refused.", default=None)
    opened: int = structural("Members who are shared now and were not.", default=0)
    changed: int = structural("Members of whom something else is shared.", default=0)
    withdrawn: int = structural("Members who are shared no more.", default=0)


@strawberry.input(name="ReasonInput", description="A category, and what the partner needs it for.")
class ReasonInput:
    """One ground."""

    category: str = accepts(_OPS, "The key of the data category.")
    reason: str = accepts(_OPS, "What the partner states; empty in a draft: not yet.")


@strawberry.input(name="CreateAgreementInput", description="A new agreement.")
class CreateAgreementInput:
    """Terms and grounds."""

    partner: str = accepts(_OPS, "Short name of the partner.")
    basis: Basis = accepts(_OPS, "Why data may leave.")
    purpose: Purpose = accepts(_OPS, "What it may be used for.")
    grounds: list[ReasonInput] = accepts(_OPS, "The categories, each with its reason.")
    valid_from: datetime | None = accepts(_OPS, "Its first moment; now, if not given.", optional=True)
    valid_until: datetime | None = accepts(_OPS, "The first moment it does not count.", optional=True)
    draft: bool = strawberry.field(
        default=True,
        description="Store it without effect; otherwise you approve its categories and it counts at once.",
        metadata=accepts(_OPS, "").metadata,
    )


@strawberry.input(name="StateReasonsInput", description="Reasons of the partner.")
class StateReasonsInput:
    """Grounds of an agreement."""

    agreement: strawberry.ID = accepts(_OPS, "Which agreement.")
    grounds: list[ReasonInput] = accepts(_OPS, "A reason that changes is to be approved anew.")


@strawberry.input(name="CategoriesInput", description="Categories of an agreement.")
class CategoriesInput:
    """Some of what it names."""

    agreement: strawberry.ID = accepts(_OPS, "Which agreement.")
    categories: list[str] | None = accepts(_OPS, "Keys that it names.", optional=True)


@strawberry.input(name="AgreementInput", description="An agreement.")
class AgreementInput:
    """One of them."""

    agreement: strawberry.ID = accepts(_OPS, "Which agreement.")


@strawberry.input(name="ChangeAgreementInput", description="What is not given stays as it is.")
class ChangeAgreementInput:
    """Dates and duties."""

    agreement: strawberry.ID = accepts(_OPS, "Which agreement.")
    valid_from: datetime | None = accepts(_OPS, "Only before it has begun.", optional=True)
    valid_until: datetime | None = accepts(_OPS, "Null: without end.", optional=True)
    deletion_days: int | None = accepts(_OPS, "To delete what is withdrawn.", optional=True)
    narrow_after_days: int | None = accepts(_OPS, "Days overdue; null: never.", optional=True)
    suspend_after_days: int | None = accepts(_OPS, "Days overdue; null: never.", optional=True)


@strawberry.input(name="CreatePartnerInput", description="A new partner.")
class CreatePartnerInput:
    """Its names."""

    name: str = accepts(_OPS, "Short name: lower case, digits, hyphens.")
    display_name: str = accepts(_OPS, "The name that members know.")


@strawberry.type(name="Credential", description="What a client signs in with: never the secret itself.")
class CredentialType:
    """A secret or a key."""

    name: str | None = structural("The `kid` of a key; null: a secret.")
    since: datetime = structural("Since when it counts.")
    until: datetime | None = structural("Until when; null: without end.")


@strawberry.type(name="Client", description="A partner's program that may sign in.")
class ClientType:
    """One row of `partner_client`."""

    client_id: str = structural("Its id.")
    status: str = structural("ACTIVE or REVOKED.")
    auth: str | None = structural("How it proves who it is; null: not yet.")
    dpop: bool = structural("Whether its tokens are bound to a key of its own.")
    credentials: list[CredentialType] = structural("Those that count now.")


@strawberry.input(name="CreateClientInput", description="A program that may act under an agreement.")
class CreateClientInput:
    """It gets a secret; one that signs with keys is made at the command line."""

    client_id: str = accepts(_OPS, "A new id; ids are never given again.")
    agreement: strawberry.ID = accepts(_OPS, "The agreement that it acts under.")
    dpop: bool = strawberry.field(
        default=False,
        description="Bind its tokens to a key of its own.",
        metadata=accepts(_OPS, "").metadata,
    )


@strawberry.input(name="RotateSecretInput", description="A new secret for a client.")
class RotateSecretInput:
    """Which, and for how long the one before counts."""

    client_id: str = accepts(_OPS, "Which client.")
    overlap_hours: int | None = accepts(
        _OPS, "Hours that the one before still counts; 24, if not given; 0: it was stolen.", optional=True
    )


@strawberry.input(name="ClientInput", description="A client.")
class ClientInput:
    """One of them."""

    client_id: str = accepts(_OPS, "Which client.")


@strawberry.type(name="SecretPayload", description="A secret that is shown this once and is nowhere else.")
class SecretPayload:
    """The secret, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    client_id: str | None = structural("Whose it is.", default=None)
    secret: str | None = structural("Null of a client that signs with keys.", default=None)
