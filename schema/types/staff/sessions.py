"""How officers enrol, sign in and sign out."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory
from schema.types.commands import FieldErrorType


@strawberry.type(name="Viewer", description="Who you are here.")
class StaffViewerType:
    """The officer who asks."""

    name: str = structural("Short name, as the log of actions keeps it.")
    display_name: str = structural("Name for people.")
    roles: list[str] = structural("What you are here for.")
    acts: list[str] = structural("What your roles may do: the words of the log of actions.")


@strawberry.type(name="EntranceInfo", description="How to come in.")
class EntranceType:
    """For whoever has not signed in."""

    advice: str = structural("What to do next.")


@strawberry.input(name="OfficerSignInInput", description="Who signs in.")
class OfficerSignInInput:
    """Name, password, second factor."""

    name: str = accepts(DataCategory.CREDENTIALS, "Your short name.")
    password: str = accepts(DataCategory.PASSWORD, "Your password.")
    code: str = accepts(
        DataCategory.CREDENTIALS, "Six digits of your authenticator, or one of your recovery codes."
    )


@strawberry.input(name="OfficerRefreshInput", description="What the session is renewed with.")
class OfficerRefreshInput:
    """The refresh token."""

    refresh_token: str = accepts(DataCategory.CREDENTIALS, "The newest one you were given.")


@strawberry.type(name="OfficerSessionPayload", description="What came of signing in or renewing.")
class OfficerSessionPayload:
    """A session, or findings. Nothing goes into a cookie."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was not.")
    access_token: str | None = structural("Send it as `Authorization: Bearer`.", default=None)
    expires_at: datetime | None = structural("When the access token ends.", default=None)
    refresh_token: str | None = structural("Renews the session, once.", default=None)
    session_until: datetime | None = structural("When the session ends if nobody renews it.", default=None)


@strawberry.input(name="BeginEnrolmentInput", description="The code that you were handed.")
class BeginEnrolmentInput:
    """An enrolment that works still."""

    enrolment: str = accepts(DataCategory.CREDENTIALS, "The enrolment code.")


@strawberry.type(name="BeginEnrolmentPayload", description="What your authenticator needs.")
class BeginEnrolmentPayload:
    """The second factor, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was not.")
    name: str | None = structural("The short name that you will sign in with.", default=None)
    authenticator: str | None = structural(
        "An `otpauth://` address: enter it, or show it as a QR code, to your authenticator.", default=None
    )


@strawberry.input(name="EnrolInput", description="A password, and a first code.")
class EnrolInput:
    """What ends the enrolment."""

    enrolment: str = accepts(DataCategory.CREDENTIALS, "The enrolment code.")
    password: str = accepts(DataCategory.PASSWORD, "The password from now on.")
    code: str = accepts(DataCategory.CREDENTIALS, "Six digits that your authenticator shows now.")


@strawberry.type(name="EnrolPayload", description="What came of enrolling.")
class EnrolPayload:
    """Recovery codes, shown this once, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    recovery_codes: list[str] = structural(
        "Each lets in once, in place of a code of the authenticator. Keep them elsewhere.",
        default_factory=list,
    )
