"""Closed vocabularies of the nouns: what a stored word may be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schema.categories import DataCategory


class AgeBand(StrEnum):
    """The age bands that a partner may see, in whole years. There is none for members under 18 (C17)."""

    AGE_18_24 = "AGE_18_24"
    AGE_25_34 = "AGE_25_34"
    AGE_35_44 = "AGE_35_44"
    AGE_45_54 = "AGE_45_54"
    AGE_55_64 = "AGE_55_64"
    AGE_65_PLUS = "AGE_65_PLUS"


class ClientAuth(StrEnum):
    """How a partner's client proves who it is: exactly one way each. Values as in RFC 7591 and OpenID.

    SECRET: an id and a secret by HTTP Basic (RFC 6749, 2.3.1). KEY: a signed assertion (RFC 7523, 2.2).
    """

    SECRET = "client_secret_basic"  # noqa: S105 - the name of a method
    KEY = "private_key_jwt"


class AgreementStatus(StrEnum):
    """Only an ACTIVE agreement shares anything."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    ENDED = "ENDED"


class Restriction(StrEnum):
    """What overdue deletions have done to a partner's tokens.

    NARROWED: they open nothing of any member any more. SUSPENDED: they are refused.
    """

    NONE = "NONE"
    NARROWED = "NARROWED"
    SUSPENDED = "SUSPENDED"


class ChangeKind(StrEnum):
    """What happened to a member, as one partner may know it."""

    SHARED = "SHARED"
    CORRECTED = "CORRECTED"
    WITHDRAWN = "WITHDRAWN"
    ERASED = "ERASED"


class Direction(StrEnum):
    """What the member wants: IN shares, OUT does not (C11)."""

    IN = "IN"
    OUT = "OUT"


class ChoiceSource(StrEnum):
    """Through which door a choice came (C4, C9)."""

    REGISTRATION = "REGISTRATION"
    PROFILE_PAGE = "PROFILE_PAGE"
    UNSUBSCRIBE_LINK = "UNSUBSCRIBE_LINK"
    MAIL = "MAIL"
    IMPORT = "IMPORT"
    GPC = "GPC"


class Delivery(StrEnum):
    """Where a refresh token goes: into a cookie that no script can read, or into the payload."""

    COOKIE = "COOKIE"
    PAYLOAD = "PAYLOAD"


class ChoiceTopic(StrEnum):
    """What a choice is about: sharing with others, or our own promotional mail (C9)."""

    SHARING = "SHARING"
    NEWSLETTER = "NEWSLETTER"


class Language(StrEnum):
    """The languages in which the policy is told. Values are primary subtags of BCP 47."""

    EN = "en"
    DE = "de"


class QuotaUnit(StrEnum):
    """What a quota counts: requests a minute, or members delivered a day."""

    REQUESTS = "REQUESTS"
    MEMBERS = "MEMBERS"


class AudienceDimension(StrEnum):
    """What the audience as a whole may be grouped and narrowed by (C5). The order is that of answers."""

    AGE_BAND = "AGE_BAND"
    REGION = "REGION"
    INTEREST = "INTEREST"
    JOINED = "JOINED"


DIMENSION_CATEGORIES: Final[Mapping[AudienceDimension, DataCategory]] = MappingProxyType(
    {
        AudienceDimension.AGE_BAND: DataCategory.AGE_RANGE,
        AudienceDimension.REGION: DataCategory.REGION,
        AudienceDimension.INTEREST: DataCategory.PROFILE,
        AudienceDimension.JOINED: DataCategory.ACCOUNT,
    }
)
"""What each dimension rests on of a member: the key that an agreement, and a token's scope, has to cover."""
