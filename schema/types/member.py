"""What a member reads about herself: everything stored, but what is sealed (C12, R1)."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.catalogue import derived, related, stored
from schema.categories import Basis, DataCategory, Purpose
from schema.tables import (
    Agreement,
    BillingMethod,
    Cart,
    ChoiceRecord,
    Deletion,
    Disclosure,
    Interaction,
    Member,
    Notice,
    OfficerAction,
    Partner,
    Phone,
    PostalAddress,
    Session,
    Share,
    Visit,
)
from schema.tables.member import AddressKind, MemberStatus
from schema.types import of_member
from schema.types.activity import (
    CartType,
    CommunicationType,
    InteractionType,
    OrderType,
    VisitType,
)
from schema.types.connections import Connection, listed
from schema.types.deletions import WithdrawalType
from schema.types.member_agreements import AgreementType, PartnerType
from schema.types.requests import NoticeType, RequestType, SessionType, StaffAccessType
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction


@strawberry.type(name="PostalAddress", description="A postal address of the member.")
class PostalAddressType:
    """One row of `postal_address`."""

    id: strawberry.ID = stored(PostalAddress.id, "Names this address in corrections.")
    kind: AddressKind = stored(PostalAddress.kind, "What the address is used for.")
    is_primary: bool = stored(PostalAddress.is_primary, "Whether this is the address that may be shared.")
    line1: str = stored(PostalAddress.line1, "Street and number.")
    line2: str | None = stored(PostalAddress.line2, "Second address line.")
    city: str = stored(PostalAddress.city, "City.")
    state: str | None = stored(PostalAddress.state, "State or province.")
    postal_code: str | None = stored(PostalAddress.postal_code, "Postal code.")
    country: str = stored(PostalAddress.country, "Country, ISO 3166-1 alpha-2.")
    created_at: datetime = stored(PostalAddress.created_at, "When it was added.")


@strawberry.type(
    name="Phone",
    description="That a telephone number is on file. The number is sealed: nobody can read it here (C10).",
)
class PhoneType:
    """One row of `phone`: label and date, never the number."""

    id: strawberry.ID = stored(Phone.id, "Names this number in corrections.")
    label: str = stored(Phone.label, "What the member calls it.")
    added_at: datetime = stored(Phone.added_at, "When it was added.")


@strawberry.type(name="BillingMethod", description="A way to pay. No card number is ever stored.")
class BillingMethodType:
    """One row of `billing_method`."""

    id: strawberry.ID = stored(BillingMethod.id, "Names this billing method in corrections.")
    brand: str = stored(BillingMethod.brand, "Brand of the card.")
    last_four: str = stored(BillingMethod.last_four, "Last four digits of the card.")
    expiry_month: int = stored(BillingMethod.expiry_month, "Month of expiry, 1 to 12.")
    expiry_year: int = stored(BillingMethod.expiry_year, "Year of expiry.")
    added_at: datetime = stored(BillingMethod.added_at, "When it was added.")


@strawberry.type(name="Choice", description="One opt-in or opt-out. The latest date of request wins (C11).")
class ChoiceType:
    """One row of the ledger `choice`. A null selector means all."""

    id: strawberry.ID = stored(ChoiceRecord.id, "Names this entry.")
    requested_at: datetime = stored(ChoiceRecord.requested_at, "The date of the request: it decides.")
    received_at: datetime = stored(ChoiceRecord.received_at, "When it arrived: it decides nothing.")
    topic: ChoiceTopic = stored(ChoiceRecord.topic, "Sharing with others, or our own newsletter.")
    direction: Direction = stored(ChoiceRecord.direction, "In, or out.")
    source: ChoiceSource = stored(ChoiceRecord.source, "How the request reached us.")
    partner: PartnerType | None = related(
        DataCategory.PRIVACY_PREFERENCES,
        "The one partner it is about; null: all.",
        parent=ChoiceRecord.partner_id,
        child=Partner.id,
    )
    purpose: Purpose | None = stored(ChoiceRecord.purpose, "The one purpose it is about; null: all.")
    categories: list[str] | None = stored(ChoiceRecord.categories, "The data categories; null: all.")
    basis: Basis | None = stored(ChoiceRecord.basis, "The one basis it is about; null: all.")
    notice: NoticeType | None = related(
        DataCategory.PRIVACY_PREFERENCES,
        "The new practice that it answers to, if it does (C16).",
        parent=ChoiceRecord.notice_id,
        child=Notice.id,
    )
    policy: str | None = stored(
        ChoiceRecord.policy, "The policy in force when it arrived, as `digest:version`, if that was noted."
    )
    ends_at: datetime | None = stored(
        ChoiceRecord.ends_at, "When a request to a company ends by itself; null: it is none (C8)."
    )


@strawberry.type(name="PartnerShare", description="What an agreement receives of you, from `validFrom` on.")
class PartnerShareType:
    """One row of `share`."""

    agreement: AgreementType = related(
        DataCategory.PRIVACY_PREFERENCES, "The agreement.", parent=Share.agreement_id, child=Agreement.id
    )
    subject: strawberry.ID = stored(Share.subject, "The id by which that partner knows you.")
    categories: list[str] = derived(
        "share_categories",
        DataCategory.PRIVACY_PREFERENCES,
        "The data categories that leave under this agreement while it is in force.",
        Share.mask,
    )
    ends_at: datetime | None = stored(
        Share.ends_at, "When it ends by itself, because you asked for it until then; null otherwise."
    )


@strawberry.type(name="DisclosureRecord", description="One response about you that left to a partner.")
class DisclosureType:
    """One row of `disclosure`."""

    id: strawberry.ID = stored(Disclosure.id, "Names the record.")
    recorded_at: datetime = stored(Disclosure.recorded_at, "When it left.")
    partner: PartnerType | None = related(
        DataCategory.PRIVACY_PREFERENCES, "Who received it.", parent=Disclosure.partner_id, child=Partner.id
    )
    basis: Basis = stored(Disclosure.basis, "Why it could leave.")
    because: str = derived(
        "basis_words", DataCategory.PRIVACY_PREFERENCES, "The basis in words.", Disclosure.basis
    )
    purpose: Purpose = stored(Disclosure.purpose, "What it is used for.")
    categories: list[str] = stored(Disclosure.categories, "The data categories that the response held.")


@strawberry.type(name="Member", description="You: everything that is stored about you, but what is sealed.")
class MemberType:
    """One row of `member`, read by that member.

    CLAUSE (C12): the one type through which the member reads everything stored, disclosures and requests
    included.
    """

    id: strawberry.ID = stored(Member.id, "Your id in this interface.")
    number: str = stored(Member.number, "Member number.")
    status: MemberStatus = stored(Member.status, "Where your membership stands.")
    username: str | None = stored(Member.username, "User name.")
    given_name: str | None = stored(Member.given_name, "First name.")
    family_name: str | None = stored(Member.family_name, "Last name.")
    email: str = stored(Member.email, "E-mail address.")
    email_verified_at: datetime | None = stored(Member.email_verified_at, "When the address was verified.")
    birth_date: date | None = stored(
        Member.birth_date,
        "Birth date. Partners receive an age band, but where the law or an insolvency asks for more (C8).",
    )
    supervisor_email: str | None = stored(
        Member.supervisor_email, "Where the adult is reached who supervises a member under 18 (C17)."
    )
    supervision_confirmed_at: datetime | None = stored(
        Member.supervision_confirmed_at, "When that adult agreed."
    )
    region: str | None = stored(Member.region, "Region: country and state.")
    interests: list[str] = stored(Member.interests, "Interests.")
    purchase_categories: list[str] = stored(Member.purchase_categories, "Kinds of things you bought.")
    joined_at: datetime = stored(Member.joined_at, "When you joined.")
    updated_at: datetime = stored(Member.updated_at, "When something of your profile last changed.")
    version: int = stored(Member.version, "Rises with each correction; pass it back when correcting.")
    newsletter: bool = of_member.newsletter(
        "Whether you want our newsletter: your latest-dated choice about it; no, if you never chose (C9)."
    )
    addresses: Connection[PostalAddressType] = of_member.addresses("Postal addresses.")
    phones: Connection[PhoneType] = listed(
        DataCategory.CONTACT,
        "Telephone numbers on file: label and date only.",
        parent=Member.id,
        child=Phone.member_id,
        order=(Phone.added_at, Phone.id),
        newest_first=False,
    )
    billing_methods: Connection[BillingMethodType] = listed(
        DataCategory.CREDIT_CARD,
        "Billing methods.",
        parent=Member.id,
        child=BillingMethod.member_id,
        order=(BillingMethod.added_at, BillingMethod.id),
        newest_first=False,
    )
    carts: Connection[CartType] = listed(
        DataCategory.BEHAVIOR,
        "Carts, newest first.",
        parent=Member.id,
        child=Cart.member_id,
        order=(Cart.created_at, Cart.id),
    )
    orders: Connection[OrderType] = of_member.orders("Orders and their status, newest first.")
    interactions: Connection[InteractionType] = listed(
        DataCategory.PRIVATE_CONTENT,
        "Purchase forms, surveys, sweepstakes entries, received e-mails, newest first.",
        parent=Member.id,
        child=Interaction.member_id,
        order=(Interaction.occurred_at, Interaction.id),
    )
    visits: Connection[VisitType] = listed(
        DataCategory.BROWSING_HISTORY,
        "Visits with the technical data they left, newest first.",
        parent=Member.id,
        child=Visit.member_id,
        order=(Visit.started_at, Visit.id),
    )
    communications: Connection[CommunicationType] = of_member.communications(
        "Messages between you and us, newest first."
    )
    choices: Connection[ChoiceType] = of_member.choices(
        "Every request of yours about sharing, latest date of request first."
    )
    shares: Connection[PartnerShareType] = listed(
        DataCategory.PRIVACY_PREFERENCES,
        "Which agreements receive something of you while they are in force, and what.",
        parent=Member.id,
        child=Share.member_id,
        order=(Share.agreement_id,),
        newest_first=False,
        agreement=Share.agreement_id,
    )
    disclosures: Connection[DisclosureType] = of_member.disclosures(
        "Everything about you that has left to partners, newest first."
    )
    withdrawals: Connection[WithdrawalType] = listed(
        DataCategory.PRIVACY_PREFERENCES,
        "What partners had to delete after a withdrawal: whether they were told, have confirmed, are late.",
        parent=Member.id,
        child=Deletion.member_id,
        order=(Deletion.withdrawn_at, Deletion.id),
    )
    sessions: Connection[SessionType] = listed(
        DataCategory.ACCOUNT,
        "Where you are and were signed in, newest first.",
        parent=Member.id,
        child=Session.member_id,
        order=(Session.created_at, Session.id),
    )
    requests: Connection[RequestType] = of_member.requests(
        "What you asked of us and what came of it, newest first (C12, C13, C15)."
    )
    staff_access: Connection[StaffAccessType] = listed(
        DataCategory.PRIVACY_PREFERENCES,
        "When somebody of our staff read your profile or acted in your place, and why, newest first.",
        parent=Member.log_id,
        child=OfficerAction.member_log_id,
        only=OfficerAction.told,
        order=(OfficerAction.seq,),
    )
