"""What hangs on a member and is read the same by herself and by an officer; each says it in its own words."""

from __future__ import annotations

from typing import Any

from schema.catalogue import derived
from schema.categories import DataCategory
from schema.tables import ChoiceRecord, Communication, Disclosure, Member, Order, PostalAddress, RequestRecord
from schema.types.connections import listed


def newsletter(description: str) -> Any:
    """Whether the newsletter is wanted: the latest-dated choice about it; no, if there is none (C9)."""
    return derived(
        "newsletter",
        DataCategory.PRIVACY_PREFERENCES,
        description,
        ChoiceRecord.direction,
        ChoiceRecord.requested_at,
        ChoiceRecord.topic,
    )


def addresses(description: str) -> Any:
    """Postal addresses, in the order in which they were added."""
    return listed(
        DataCategory.ADDRESS,
        description,
        parent=Member.id,
        child=PostalAddress.member_id,
        order=(PostalAddress.created_at, PostalAddress.id),
        newest_first=False,
    )


def orders(description: str) -> Any:
    """Orders, newest first."""
    return listed(
        DataCategory.PAYMENT,
        description,
        parent=Member.id,
        child=Order.member_id,
        order=(Order.placed_at, Order.id),
    )


def communications(description: str) -> Any:
    """Messages between the member and us, newest first."""
    return listed(
        DataCategory.PRIVATE_CONTENT,
        description,
        parent=Member.id,
        child=Communication.member_id,
        order=(Communication.sent_at, Communication.id),
    )


def choices(description: str) -> Any:
    """Requests about sharing, latest date of request first (C11)."""
    return listed(
        DataCategory.PRIVACY_PREFERENCES,
        description,
        parent=Member.id,
        child=ChoiceRecord.member_id,
        order=(ChoiceRecord.requested_at, ChoiceRecord.id),
    )


def disclosures(description: str) -> Any:
    """What has left to partners, newest first (R2)."""
    return listed(
        DataCategory.PRIVACY_PREFERENCES,
        description,
        parent=Member.log_id,
        child=Disclosure.members,
        order=(Disclosure.place,),
        finder="own_disclosures",
    )


def requests(description: str) -> Any:
    """What the member asked, newest first."""
    return listed(
        DataCategory.PRIVATE_CONTENT,
        description,
        parent=Member.id,
        child=RequestRecord.member_id,
        order=(RequestRecord.opened_at, RequestRecord.id),
    )
