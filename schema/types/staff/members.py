"""A member as an officer reads her, with a reason: least data, and never a telephone number (R1)."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.catalogue import derived, related, stored
from schema.categories import DataCategory
from schema.tables import ChoiceRecord, Communication, Disclosure, Member, Order, PostalAddress, RequestRecord
from schema.tables.member import MemberStatus
from schema.types.activity import CommunicationType, OrderType
from schema.types.connections import Connection, projected
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
    newsletter: bool = derived(
        "newsletter",
        DataCategory.PRIVACY_PREFERENCES,
        "Whether she wants the newsletter (C9).",
        ChoiceRecord.direction,
        ChoiceRecord.requested_at,
        ChoiceRecord.topic,
    )
    addresses: Connection[PostalAddressType] = related(
        DataCategory.ADDRESS,
        "Postal addresses.",
        parent=Member.id,
        child=PostalAddress.member_id,
        order=(PostalAddress.created_at, PostalAddress.id),
        newest_first=False,
        many=True,
        resolver=projected,
    )
    orders: Connection[OrderType] = related(
        DataCategory.PAYMENT,
        "Orders and their status, newest first.",
        parent=Member.id,
        child=Order.member_id,
        order=(Order.placed_at, Order.id),
        many=True,
        resolver=projected,
    )
    communications: Connection[CommunicationType] = related(
        DataCategory.PRIVATE_CONTENT,
        "Messages between her and us, newest first.",
        parent=Member.id,
        child=Communication.member_id,
        order=(Communication.sent_at, Communication.id),
        many=True,
        resolver=projected,
    )
    choices: Connection[ChoiceType] = related(
        DataCategory.PRIVACY_PREFERENCES,
        "Every request of hers about sharing, latest date of request first (C11).",
        parent=Member.id,
        child=ChoiceRecord.member_id,
        order=(ChoiceRecord.requested_at, ChoiceRecord.id),
        many=True,
        resolver=projected,
    )
    disclosures: Connection[DisclosureType] = related(
        DataCategory.PRIVACY_PREFERENCES,
        "What has left to partners about her, as she reads it herself, newest first.",
        parent=Member.log_id,
        child=Disclosure.members,
        order=(Disclosure.place,),
        finder="own_disclosures",
        many=True,
        resolver=projected,
    )
    requests: Connection[RequestType] = related(
        DataCategory.PRIVATE_CONTENT,
        "What she asked and what came of it, newest first.",
        parent=Member.id,
        child=RequestRecord.member_id,
        order=(RequestRecord.opened_at, RequestRecord.id),
        many=True,
        resolver=projected,
    )
