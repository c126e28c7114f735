"""Closed vocabularies as GraphQL enumerations. Importing this module gives each its GraphQL name.

Where the stored word differs from the GraphQL name (`Purpose`), the encoder translates.
"""

from __future__ import annotations

from enum import StrEnum

import strawberry

from schema.categories import Audience, Basis, Purpose
from schema.tables.activity import CartStatus, CommunicationDirection, InteractionKind, OrderStatus
from schema.tables.member import AddressKind, MemberStatus


@strawberry.enum(description="How old a member is, in bands. Younger members are shared with nobody (C17).")
class AgeBand(StrEnum):
    """Age bands, in whole years."""

    AGE_18_24 = "AGE_18_24"
    AGE_25_34 = "AGE_25_34"
    AGE_35_44 = "AGE_35_44"
    AGE_45_54 = "AGE_45_54"
    AGE_55_64 = "AGE_55_64"
    AGE_65_PLUS = "AGE_65_PLUS"


@strawberry.enum(description="Whether a request was to share or to stop sharing.")
class ChoiceDirection(StrEnum):
    """Opt in or opt out."""

    IN = "IN"
    OUT = "OUT"


@strawberry.enum(description="How a request about sharing reached us.")
class ChoiceSource(StrEnum):
    """Where a choice came from."""

    REGISTRATION = "REGISTRATION"
    PROFILE_PAGE = "PROFILE_PAGE"
    UNSUBSCRIBE_LINK = "UNSUBSCRIBE_LINK"
    MAIL = "MAIL"
    IMPORT = "IMPORT"
    GPC = "GPC"


_DESCRIPTIONS = {
    MemberStatus: "Where a membership stands.",
    AddressKind: "What an address is used for.",
    CartStatus: "Where a cart stands.",
    OrderStatus: "Where an order stands.",
    InteractionKind: "How data arrived besides the registration (C2).",
    CommunicationDirection: "Who wrote.",
    Basis: "Why data may leave at all (C8).",
    Purpose: "What shared data is used for (C7).",
    Audience: "Who asks.",
}
for _vocabulary, _description in _DESCRIPTIONS.items():
    strawberry.enum(_vocabulary, description=_description)
