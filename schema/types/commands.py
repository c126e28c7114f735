"""Inputs and payloads of commands. A payload tells what was refused, field by field, or shows the result."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from schema.catalogue import RootKind, accepts, root, structural
from schema.categories import Audience, DataCategory, Purpose
from schema.vocabulary import ChoiceTopic, Direction


@strawberry.type(name="FieldError", description="Why a field of an input was refused.")
class FieldErrorType:
    """One finding; the whole command was refused, and nothing was changed."""

    path: list[str] = structural("The way to the field, from the top of `input`.")
    code: str = structural("Stable: programs may depend on it.")
    message: str = structural("For people; says what to do.")


def profile_payload(resolver: Any) -> Any:
    """The field of a payload that shows the member after the change."""
    return root(
        RootKind.SELF,
        Audience.MEMBER,
        description="You, after the change; unchanged when there are errors.",
        resolver=resolver,
    )


@strawberry.input(name="CorrectProfileInput", description="What is not given stays as it is.")
class CorrectProfileInput:
    """Corrections of what is the member's own to correct (C13)."""

    given_name: str | None = accepts(DataCategory.FIRST_NAME, "First name.", optional=True)
    family_name: str | None = accepts(DataCategory.LAST_NAME, "Last name.", optional=True)
    username: str | None = accepts(DataCategory.USERNAME, "User name; null removes it.", optional=True)
    interests: list[str] | None = accepts(
        DataCategory.PROFILE, "All interests, in place of those before.", optional=True
    )
    version: int | None = accepts(
        DataCategory.OPERATIONS, "The `version` you read: refused if you have changed since.", optional=True
    )


@strawberry.input(
    name="ChooseInput", description="An opt-in or opt-out. A selector that is not given means all."
)
class ChooseInput:
    """One entry of the ledger of choices (C11)."""

    direction: Direction = accepts(
        DataCategory.PRIVACY_PREFERENCES, "To share or to get it; or to stop that."
    )
    topic: ChoiceTopic | None = accepts(
        DataCategory.PRIVACY_PREFERENCES,
        "Sharing, if not given. The newsletter is chosen as a whole, without selectors.",
        optional=True,
    )
    partner: str | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "Short name of the one partner it is about.", optional=True
    )
    purpose: Purpose | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "The one purpose it is about.", optional=True
    )
    categories: list[str] | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "Data categories; each covers the ones below it.", optional=True
    )
    notice: strawberry.ID | None = accepts(
        DataCategory.PRIVACY_PREFERENCES,
        "The new practice that it answers to, in place of other selectors (C16): see `notices`.",
        optional=True,
    )
    requested_at: datetime | None = accepts(
        DataCategory.PRIVACY_PREFERENCES,
        "The date of the request, which decides; now, if not given.",
        optional=True,
    )


@strawberry.input(
    name="ShareWithInput",
    description="A request to share something with one company. It takes the place of an earlier one to that"
    " company for that purpose.",
)
class ShareWithInput:
    """An entry of the ledger that ends by itself (C8 d)."""

    partner: str = accepts(DataCategory.PRIVACY_PREFERENCES, "Short name of the company, as in `partners`.")
    categories: list[str] = accepts(
        DataCategory.PRIVACY_PREFERENCES, "What to share; each category covers the ones below it."
    )
    purpose: Purpose | None = accepts(
        DataCategory.PRIVACY_PREFERENCES,
        "What for; may be left out where the company takes requests for one purpose only.",
        optional=True,
    )
    until: datetime | None = accepts(
        DataCategory.PRIVACY_PREFERENCES,
        "When it ends by itself: 30 days from now, unless given; 366 at most.",
        optional=True,
    )


@strawberry.input(name="EndSharingInput", description="Which request ends now.")
class EndSharingInput:
    """The other end of a request (C8 d)."""

    partner: str = accepts(DataCategory.PRIVACY_PREFERENCES, "Short name of the company.")
    purpose: Purpose | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "The one purpose; all, if not given.", optional=True
    )
