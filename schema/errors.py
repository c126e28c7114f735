"""The errors that our own code raises, one tree, one stable code each.

    GatewayError                     INTERNAL
    ├── CatalogueError               CATALOGUE_INVALID      the program does not start
    ├── PolicyError                  POLICY_INVALID         a policy that may not be used
    ├── SettingsError                SETTINGS_INVALID       a setting that may not be used
    ├── InputError                   BAD_INPUT              a value of the caller's is refused
    │   ├── CursorError              BAD_CURSOR             not a cursor of this caller and this list
    │   ├── PageSizeError            PAGE_SIZE              `first` is out of bounds
    │   ├── FilterSizeError          FILTER_SIZE            a list in a filter is too long
    │   ├── FreeTextPhoneError       PHONE_NUMBER_IN_TEXT   a telephone number typed into a text
    │   └── FieldErrors              BAD_INPUT              several fields at once, each with its own code
    │       └── ThrottledError       THROTTLED              too many attempts: wait as long as it says
    ├── UnauthenticatedError         UNAUTHENTICATED        the credential is not valid (any more)
    ├── ForbiddenError               FORBIDDEN              known, but not allowed
    ├── QuotaExceededError           QUOTA_EXCEEDED         the requests or members of this window are used up
    ├── PrivacyBudgetError           PRIVACY_BUDGET_SPENT   aggregates: this month may tell no more
    ├── NotFoundError                NOT_FOUND              on the command line: no such partner, member, ...
    └── UnavailableError             UNAVAILABLE            a part that is needed does not answer: try again
        ├── DisclosureUnrecordedError  DISCLOSURE_UNRECORDED  R2: no record, so nothing leaves
        └── PolicyChangedError         POLICY_CHANGED         another policy decides by now: ask again

The message of an error is public: lower case, names in backticks, what to do next, and never a
value from the request or the data. The cause travels as `__cause__` and goes to the log only.
`gateway/http/errors.py` maps codes to HTTP and GraphQL; nothing here knows of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class GatewayError(Exception):
    """The root of the tree. `code` is stable: clients may depend on it."""

    code: ClassVar[str] = "INTERNAL"


class CatalogueError(GatewayError):
    """The start-up proof found a field, argument or column that breaks a rule of the catalogue."""

    code = "CATALOGUE_INVALID"


class PolicyError(GatewayError):
    """A policy does not parse, does not validate, or permits what may never be permitted."""

    code = "POLICY_INVALID"


class SettingsError(GatewayError):
    """A setting is missing or contradicts another."""

    code = "SETTINGS_INVALID"


class InputError(GatewayError):
    """A value that the caller sent cannot be accepted; the message says which and what to do."""

    code = "BAD_INPUT"


class CursorError(InputError):
    """A cursor that this caller was not given for this list and filter."""

    code = "BAD_CURSOR"


class PageSizeError(InputError):
    """`first` is negative or above the largest page."""

    code = "PAGE_SIZE"


class FilterSizeError(InputError):
    """A list in a filter holds too many values."""

    code = "FILTER_SIZE"


class FreeTextPhoneError(InputError):
    """A telephone number was found in a text that others may read (R1)."""

    code = "PHONE_NUMBER_IN_TEXT"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of an input. `path` leads to it; `code` is stable."""

    path: tuple[str, ...]
    code: str
    message: str


class FieldErrors(InputError):  # noqa: N818 - it carries the errors of all fields
    """One or more fields of an input are refused; nothing was changed."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class ThrottledError(FieldErrors):
    """Too many attempts on one account or from one address. `retry_after` in seconds."""

    code = "THROTTLED"

    def __init__(self, retry_after: int) -> None:
        message = f"too many attempts: try again in {retry_after} s"
        super().__init__([FieldProblem((), self.code, message)])
        self.retry_after = retry_after


class UnauthenticatedError(GatewayError):
    """The credential is missing, malformed, expired or revoked."""

    code = "UNAUTHENTICATED"


class ForbiddenError(GatewayError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class QuotaExceededError(GatewayError):
    """A partner has used up what it may use of this window. `retry_after` in seconds, `remaining` is left."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, quota: str, retry_after: int, remaining: int = 0) -> None:
        advice = f"try again in {retry_after} s"
        if remaining:
            advice = f"ask for at most {remaining} now, or {advice}"
        super().__init__(f"the quota `{quota}` is used up: {advice}")
        self.retry_after = retry_after
        self.remaining = remaining


class PrivacyBudgetError(GatewayError):
    """An answer would tell more of members than may be told in this month. `retry_after` in seconds."""

    code = "PRIVACY_BUDGET_SPENT"

    def __init__(self, whose: str, left: float, retry_after: int) -> None:
        super().__init__(
            f"the privacy budget of {whose} has {left:g} left in this month: ask with a smaller `epsilon`,"
            f" ask again what was answered already, which is free, or try again in {retry_after} s"
        )
        self.retry_after = retry_after


class NotFoundError(GatewayError):
    """An officer or operator named something that does not exist."""

    code = "NOT_FOUND"


class UnavailableError(GatewayError):
    """A part that is needed does not answer; the same request may succeed later."""

    code = "UNAVAILABLE"


class DisclosureUnrecordedError(UnavailableError):
    """The durable record of a disclosure could not be written, so nothing was sent (R2)."""

    code = "DISCLOSURE_UNRECORDED"


class PolicyChangedError(UnavailableError):
    """Another policy decides than the one that this was begun under: the same request is decided anew."""

    code = "POLICY_CHANGED"
