"""The vocabularies that every other module speaks: data categories, bases, purposes, audiences.

Data categories are keys of the Fides data taxonomy (checked against the published taxonomy by
`tests/schema/test_categories.py`). A key covers itself and every key below it: `user.contact`
covers `user.contact.email`, and never the other way round. The same keys are OAuth scopes, the
terms of agreements, the resources of the policy and the words of the disclosure log.

INVARIANT (sealed-unnameable): a sealed category has no share bit, so no agreement, choice, share
mask or contract can even express it (R1, C10, C14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class DataCategory(StrEnum):
    """What kind of personal data a column or field holds. Grammar: dotted lower-case Fides key."""

    OPERATIONS = "system.operations"
    """No personal data: structure, public texts, the caller's own request."""

    ACCOUNT = "user.account"
    USERNAME = "user.account.username"
    CREDENTIALS = "user.authorization.credentials"
    PASSWORD = "user.authorization.password"  # noqa: S105 - a taxonomy key
    BEHAVIOR = "user.behavior"
    BROWSING_HISTORY = "user.behavior.browsing_history"
    PURCHASE_HISTORY = "user.behavior.purchase_history"
    CONTACT = "user.contact"
    ADDRESS = "user.contact.address"
    CITY = "user.contact.address.city"
    COUNTRY = "user.contact.address.country"
    POSTAL_CODE = "user.contact.address.postal_code"
    STATE = "user.contact.address.state"
    STREET = "user.contact.address.street"
    EMAIL = "user.contact.email"
    PHONE_NUMBER = "user.contact.phone_number"
    PRIVATE_CONTENT = "user.content.private"
    AGE_RANGE = "user.demographic.age_range"
    DATE_OF_BIRTH = "user.demographic.date_of_birth"
    PROFILE = "user.demographic.profile"
    DEVICE = "user.device"
    IP_ADDRESS = "user.device.ip_address"
    CREDIT_CARD = "user.financial.credit_card"
    REGION = "user.location.imprecise"
    NAME = "user.name"
    FIRST_NAME = "user.name.first"
    LAST_NAME = "user.name.last"
    PAYMENT = "user.payment"
    PRIVACY_PREFERENCES = "user.privacy_preferences"
    UNIQUE_ID = "user.unique_id"
    PSEUDONYM = "user.unique_id.pseudonymous"

    def covers(self, other: DataCategory) -> bool:
        """Whether a grant of this key includes `other`: the key itself or one below it."""
        return other == self or other.startswith(f"{self}.")


CATEGORY_LABELS: Final[Mapping[DataCategory, str]] = MappingProxyType(
    {
        DataCategory.OPERATIONS: "no personal data",
        DataCategory.ACCOUNT: "account",
        DataCategory.USERNAME: "user name",
        DataCategory.CREDENTIALS: "credentials",
        DataCategory.PASSWORD: "password",
        DataCategory.BEHAVIOR: "use of the site",
        DataCategory.BROWSING_HISTORY: "pages visited",
        DataCategory.PURCHASE_HISTORY: "purchase categories",
        DataCategory.CONTACT: "contact data",
        DataCategory.ADDRESS: "postal address",
        DataCategory.CITY: "city",
        DataCategory.COUNTRY: "country",
        DataCategory.POSTAL_CODE: "postal code",
        DataCategory.STATE: "state",
        DataCategory.STREET: "street",
        DataCategory.EMAIL: "e-mail address",
        DataCategory.PHONE_NUMBER: "telephone number",
        DataCategory.PRIVATE_CONTENT: "interactions and communications",
        DataCategory.AGE_RANGE: "age band",
        DataCategory.DATE_OF_BIRTH: "birth date",
        DataCategory.PROFILE: "interests",
        DataCategory.DEVICE: "browser and domain",
        DataCategory.IP_ADDRESS: "IP address",
        DataCategory.CREDIT_CARD: "billing methods",
        DataCategory.REGION: "region",
        DataCategory.NAME: "name",
        DataCategory.FIRST_NAME: "first name",
        DataCategory.LAST_NAME: "last name",
        DataCategory.PAYMENT: "orders and payments",
        DataCategory.PRIVACY_PREFERENCES: "privacy choices",
        DataCategory.UNIQUE_ID: "member number",
        DataCategory.PSEUDONYM: "pairwise member id",
    }
)
"""The words that people read, one for each category."""


SEALED: Final = frozenset(
    {DataCategory.PHONE_NUMBER, DataCategory.PASSWORD, DataCategory.CREDENTIALS},
)
"""Categories that leave through no path whatever (R1): they live in the vault and have no share bit.

CLAUSE (R1, C10, C14): telephone numbers and credentials have no share bit, so no agreement, scope, choice or
contract can hold them.
"""


SHARE_BITS: Final[Mapping[DataCategory, int]] = MappingProxyType(
    {
        # Stored in `share.mask`: a number is never reused or changed, new categories append.
        DataCategory.NAME: 0,
        DataCategory.FIRST_NAME: 1,
        DataCategory.LAST_NAME: 2,
        DataCategory.EMAIL: 3,
        DataCategory.ADDRESS: 4,
        DataCategory.STREET: 5,
        DataCategory.CITY: 6,
        DataCategory.STATE: 7,
        DataCategory.POSTAL_CODE: 8,
        DataCategory.COUNTRY: 9,
        DataCategory.REGION: 10,
        DataCategory.AGE_RANGE: 11,
        DataCategory.PROFILE: 12,
        DataCategory.PURCHASE_HISTORY: 13,
        DataCategory.ACCOUNT: 14,
        DataCategory.USERNAME: 15,
        DataCategory.BEHAVIOR: 16,
        DataCategory.BROWSING_HISTORY: 17,
        DataCategory.CONTACT: 18,
        DataCategory.PRIVATE_CONTENT: 19,
        DataCategory.DATE_OF_BIRTH: 20,
        DataCategory.DEVICE: 21,
        DataCategory.IP_ADDRESS: 22,
        DataCategory.CREDIT_CARD: 23,
        DataCategory.PAYMENT: 24,
        DataCategory.PRIVACY_PREFERENCES: 25,
        DataCategory.UNIQUE_ID: 26,
    }
)
"""The bit of each category that a basis could ever share. The pairwise id has none: it is the row's."""

SHAREABLE: Final = frozenset(SHARE_BITS)


def mask_of(categories: Iterable[DataCategory]) -> int:
    """The share mask of exactly these categories; ones without a bit contribute nothing."""
    mask = 0
    for category in categories:
        bit = SHARE_BITS.get(category)
        if bit is not None:
            mask |= 1 << bit
    return mask


def categories_of(mask: int) -> frozenset[DataCategory]:
    """The categories whose bits are set in `mask`. Unknown bits are ignored: they grant nothing."""
    return frozenset(category for category, bit in SHARE_BITS.items() if mask >> bit & 1)


def closed(mask: int) -> int:
    """`mask` without every category that lacks one below it: a composite is shared whole or not at all.

    A full name contains the last name, so whoever withholds the last name withholds the full name.
    Sealed categories count for nothing here: they can be in no mask.
    """
    for category, bit in SHARE_BITS.items():
        below = _BELOW[category]
        if mask >> bit & 1 and mask & below != below:
            mask &= ~(1 << bit)
    return mask


def expand(keys: Iterable[DataCategory]) -> frozenset[DataCategory]:
    """Every category covered by `keys`: the keys and all below them. Sealed ones are never included."""
    granted = tuple(keys)
    return frozenset(
        category
        for category in DataCategory
        if category not in SEALED and any(key.covers(category) for key in granted)
    )


_BELOW: Final[Mapping[DataCategory, int]] = MappingProxyType(
    {category: mask_of(below for below in SHAREABLE if category.covers(below)) for category in SHARE_BITS}
)


class Basis(StrEnum):
    """Why the law and the privacy policy let data leave at all (C8). There is no sixth.

    CLAUSE (C8): there are these five reasons to share, and data leaves on one of them or not at all.
    """

    STRATEGIC = "STRATEGIC"
    MARKETING = "MARKETING"
    LEGAL = "LEGAL"
    INSOLVENCY = "INSOLVENCY"
    MEMBER_REQUEST = "MEMBER_REQUEST"


BASIS_WORDS: Final[Mapping[Basis, str]] = MappingProxyType(
    {
        Basis.STRATEGIC: "a company that we work with closely",
        Basis.MARKETING: "a company that we do marketing with",
        Basis.LEGAL: "the law required it, in a case that named you",
        Basis.INSOLVENCY: "the business passed to another company",
        Basis.MEMBER_REQUEST: "you asked us to share it with this company",
    }
)
"""What each basis means to a member. No quotation marks: they stand in statements."""


class Purpose(StrEnum):
    """What the data is used for (C7). Values are Fides data-use keys.

    CLAUSE (C7): the closed list from which each agreement, decision, choice and disclosure names its purpose.
    """

    PARTNER_OFFERS = "marketing.advertising.third_party.targeted"
    PARTNER_EMAIL = "marketing.communications.email"
    JOINT_SERVICE = "functional.service"
    MEMBER_ASKED = "essential.service"
    LEGAL_OBLIGATION = "third_party_sharing.legal_obligation"
    BUSINESS_TRANSFER = "third_party_sharing"
    OWN_OFFERS = "marketing.advertising.first_party.targeted"
    PERSONALISATION = "personalize.content"
    REPORTING = "analytics.reporting"


class Audience(StrEnum):
    """Who asks. Each audience has contracts of its own."""

    VISITOR = "VISITOR"
    MEMBER = "MEMBER"
    PARTNER = "PARTNER"
    RECIPIENT = "RECIPIENT"
    """Of aggregates: sees counts of groups and no member (C5)."""
    OFFICER = "OFFICER"
    ENTRANCE = "ENTRANCE"
    """Of the officers' contract, whoever has not signed in."""
