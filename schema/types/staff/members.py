"""A member as an officer reads her, with a reason: least data, and never a telephone number (R1)."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.catalogue import stored
from schema.tables import Member
from schema.tables.member import MemberStatus
from schema.types import of_member
from schema.types.activity import CommunicationType, OrderType
from schema.types.connections import Connection
from schema.types.member import ChoiceType, DisclosureType, PostalAddressType
from schema.types.requests import RequestType


@strawberry.type(
    name="Profile",
    description="A member's profile: what answering her takes. Technical data, payment and telephone numbers"
    " are not part of it.",
)
class ProfileType:
    """One row of `member`, read by an officer."""

    number: str = stored(Member.number, "Member number.")
    status: MemberStatus = stored(Member.status, "Where the membership stands.")
    given_name: str | None = stored(Member.given_name, "First name.")
    family_name: str | None = stored(Member.family_name, "Last name.")
    email: str = stored(Member.email, "E-mail address.")
    email_verified_at: datetime | None = stored(Member.email_verified_at, "When the address was verified.")
    birth_date: date | None = stored(Member.birth_date, "Birth date.")
    region: str | None = stored(Member.region, "Region: country and state.")
    joined_at: datetime = stored(Member.joined_at, "When she joined.")
    updated_at: datetime = stored(Member.updated_at, "When something of her profile last changed.")
    newsletter: bool = of_member.newsletter("Whether she wants the newsletter (C9).")
    addresses: Connection[PostalAddressType] = of_member.addresses("Postal addresses.")
    orders: Connection[OrderType] = of_member.orders("Orders and their status, newest first.")
    communications: Connection[CommunicationType] = of_member.communications(
        "Messages between her and us, newest first."
    )
    choices: Connection[ChoiceType] = of_member.choices(
        "Every request of hers about sharing, latest date of request first (C11)."
    )
    disclosures: Connection[DisclosureType] = of_member.disclosures(
        "What has left to partners about her, as she reads it herself, newest first."
    )
    requests: Connection[RequestType] = of_member.requests(
        "What she asked and what came of it, newest first."
    )
