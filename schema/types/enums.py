"""Closed vocabularies as GraphQL enumerations. Importing this module gives each its GraphQL name.

Where the stored word differs from the GraphQL name (`Purpose`), the encoder translates.
"""

from __future__ import annotations

import strawberry

from schema.categories import Audience, Basis, Purpose
from schema.tables.activity import CartStatus, CommunicationDirection, InteractionKind, OrderStatus
from schema.tables.member import AddressKind, MemberStatus
from schema.tables.requests import CorrectionTarget, RequestKind, RequestStatus
from schema.vocabulary import (
    AgeBand,
    AudienceDimension,
    ChangeKind,
    ChoiceSource,
    ChoiceTopic,
    Delivery,
    Direction,
    Language,
)

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
    AgeBand: "How old a member is, in bands. Younger members are shared with nobody (C17).",
    AudienceDimension: "What the audience is grouped and narrowed by (C5).",
    ChangeKind: "What happened to a member: she can be seen; something of her was corrected, or came to it;"
    " something, or all, was withdrawn and must be deleted; she is gone for good, and her id has to go, too.",
    ChoiceSource: "How a request about sharing reached us.",
    ChoiceTopic: "What a choice is about.",
    Delivery: "Where the refresh token goes.",
    Language: "A language in which the policy is told.",
    RequestKind: "What was asked of us.",
    RequestStatus: "Where a request stands.",
    CorrectionTarget: "A record of fact, which we correct when you ask (C13).",
}
for _vocabulary, _description in _DESCRIPTIONS.items():
    strawberry.enum(_vocabulary, description=_description)
strawberry.enum(Direction, name="ChoiceDirection", description="To share, or to stop sharing.")
