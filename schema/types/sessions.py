"""Inputs and payloads of signing in and out, and of passwords (C14)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import DataCategory
from schema.types.commands import FieldErrorType
from schema.vocabulary import Delivery


@strawberry.input(name="SignInInput", description="Who signs in.")
class SignInInput:
    """An address and its password."""

    email: str = accepts(DataCategory.EMAIL, "Your e-mail address.")
    password: str = accepts(DataCategory.PASSWORD, "Your password.")
    delivery: Delivery = strawberry.field(
        default=Delivery.COOKIE,
        description="Browsers: COOKIE. Programs that keep no cookies: PAYLOAD.",
        metadata=accepts(DataCategory.OPERATIONS, "").metadata,
    )


@strawberry.input(name="RefreshSessionInput", description="What the session is renewed with.")
class RefreshSessionInput:
    """The refresh token, unless it comes as a cookie."""

    refresh_token: str | None = accepts(
        DataCategory.CREDENTIALS, "The refresh token; not given: the cookie.", optional=True
    )


@strawberry.type(name="SessionPayload", description="What came of signing in or renewing.")
class SessionPayload:
    """A session, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was not.")
    access_token: str | None = structural("Send it as `Authorization: Bearer`.", default=None)
    expires_at: datetime | None = structural("When the access token ends.", default=None)
    session_id: strawberry.ID | None = structural("Names the session, as in `endSession`.", default=None)
    refresh_token: str | None = structural(
        "Renews the session once; null when it is in the cookie.", default=None
    )


@strawberry.input(name="EndSessionInput", description="Which session.")
class EndSessionInput:
    """One of the member's."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.sessions`.")


@strawberry.input(name="ChangePasswordInput", description="A password in place of the one there is.")
class ChangePasswordInput:
    """Both passwords."""

    current_password: str = accepts(DataCategory.PASSWORD, "The password until now.")
    new_password: str = accepts(DataCategory.PASSWORD, "The password from now on.")


@strawberry.input(name="RequestPasswordResetInput", description="Who cannot sign in.")
class RequestPasswordResetInput:
    """An address."""

    email: str = accepts(DataCategory.EMAIL, "Your e-mail address.")


@strawberry.input(name="ResetPasswordInput", description="The link that was mailed, and a new password.")
class ResetPasswordInput:
    """The token in the link, and what it shall set."""

    token: str = accepts(DataCategory.CREDENTIALS, "The token in the link.")
    new_password: str = accepts(DataCategory.PASSWORD, "The password from now on.")
