"""What can be wrong with a row, as stable codes with one message each. No message holds a value of the row.

A problem is one line of the rejects file. docs/importing.md lists the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Outcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    INVITED = "invited"
    REJECTED = "rejected"


class ProblemCode(StrEnum):
    """Reasons, as written in the rejects file."""

    RAGGED_ROW = "ragged_row"
    NOT_JSON = "not_json"
    CONTROL_CHARACTER = "control_character"
    TOO_LONG = "too_long"
    CARD_NUMBER = "card_number"
    CREDENTIAL_IN_TEXT = "credential_in_text"
    BAD_NUMBER = "bad_number"
    PHONE_AS_NUMBER = "phone_as_number"
    BAD_EMAIL = "bad_email"
    PHONE_AS_EMAIL = "phone_as_email"
    PASSWORD_NOT_HASHED = "password_not_hashed"  # noqa: S105 - a code
    EMAIL_TAKEN = "email_taken"
    USERNAME_TAKEN = "username_taken"
    MEMBER_CLOSED = "member_closed"
    PHONE_IN_TEXT = "phone_in_text"
    MISSING = "missing"
    BAD_COUNTRY = "bad_country"
    BAD_ADDRESS = "bad_address"
    BAD_PHONE = "bad_phone"
    BAD_BILLING = "bad_billing"
    BAD_DATE = "bad_date"
    BAD_CONSENT = "bad_consent"
    BAD_USERNAME = "bad_username"
    REPEATED_NUMBER = "repeated_number"


MESSAGES: Final[Mapping[ProblemCode, str]] = MappingProxyType(
    {
        ProblemCode.RAGGED_ROW: "the row has not as many cells as the header: look for a missing quote",
        ProblemCode.NOT_JSON: "the line is not one JSON object of at most a million characters",
        ProblemCode.CONTROL_CHARACTER: "a NUL or another control character stands in it",
        ProblemCode.TOO_LONG: "it is longer than such a text may be",
        ProblemCode.CARD_NUMBER: "a full card number stands in the row: take it out of the file",
        ProblemCode.CREDENTIAL_IN_TEXT: "a password hash stands in a text: check the mapping",
        ProblemCode.BAD_NUMBER: "a member number has 1 to 64 letters, digits or `.` `_` `:` `-`",
        ProblemCode.PHONE_AS_NUMBER: "the telephone number of the row stands in it",
        ProblemCode.BAD_EMAIL: "not an e-mail address",
        ProblemCode.PHONE_AS_EMAIL: "a telephone number stands in the e-mail address: use another address",
        ProblemCode.PASSWORD_NOT_HASHED: "only Argon2id (PHC) and bcrypt hashes are taken: leave it out",
        ProblemCode.EMAIL_TAKEN: "another member has this e-mail address",
        ProblemCode.USERNAME_TAKEN: "another member has this user name",
        ProblemCode.MEMBER_CLOSED: "the membership is closed: an import does not open it again",
        ProblemCode.PHONE_IN_TEXT: "a telephone number was typed into this text, so the text was not stored",
        ProblemCode.MISSING: "mandatory for a registration (C1)",
        ProblemCode.BAD_COUNTRY: "not a country: use ISO 3166-1 alpha-2 codes",
        ProblemCode.BAD_ADDRESS: "the parts of the address cannot be told apart: export them as columns",
        ProblemCode.BAD_PHONE: "not a valid telephone number of the row's country, nor an international one",
        ProblemCode.BAD_BILLING: "not a card's brand, last four digits and expiry (MM/YY)",
        ProblemCode.BAD_DATE: "not a date, or one that cannot be",
        ProblemCode.BAD_CONSENT: "neither a yes nor a no that the mapping knows, or dated in the future",
        ProblemCode.BAD_USERNAME: "a user name has 3 to 40 letters, digits or `.` `_` `-`",
        ProblemCode.REPEATED_NUMBER: "an earlier row has the same member number: both were applied, in order",
    }
)

REJECTING: Final = frozenset(
    {
        ProblemCode.RAGGED_ROW,
        ProblemCode.NOT_JSON,
        ProblemCode.CONTROL_CHARACTER,
        ProblemCode.TOO_LONG,
        ProblemCode.CARD_NUMBER,
        ProblemCode.CREDENTIAL_IN_TEXT,
        ProblemCode.BAD_NUMBER,
        ProblemCode.PHONE_AS_NUMBER,
        ProblemCode.BAD_EMAIL,
        ProblemCode.PHONE_AS_EMAIL,
        ProblemCode.PASSWORD_NOT_HASHED,
        ProblemCode.EMAIL_TAKEN,
        ProblemCode.USERNAME_TAKEN,
        ProblemCode.MEMBER_CLOSED,
    }
)
"""Problems for which nothing of the row is stored."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field. `field` is a target of the mapping, or empty for the whole row."""

    field: str
    code: ProblemCode

    @property
    def message(self) -> str:
        """What is wrong, in words that hold for every row."""
        return MESSAGES[self.code]
