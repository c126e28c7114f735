"""Inputs of the ways in: registration, links that were mailed, another e-mail address, completion.

Mandatory fields of a registration are nullable here: the command tells what is missing, all at once (C1).
"""

from __future__ import annotations

from datetime import date

import strawberry

from schema.catalogue import accepts
from schema.categories import DataCategory, Purpose
from schema.vocabulary import Direction


@strawberry.input(name="RegisterAddressInput", description="Your postal address.")
class RegisterAddressInput:
    """The primary address from the start."""

    line1: str | None = accepts(DataCategory.STREET, "Street and number. Mandatory.", optional=True)
    line2: str | None = accepts(DataCategory.STREET, "Second address line.", optional=True)
    city: str | None = accepts(DataCategory.CITY, "City. Mandatory.", optional=True)
    state: str | None = accepts(DataCategory.STATE, "State or province.", optional=True)
    postal_code: str | None = accepts(
        DataCategory.POSTAL_CODE, "Postal code. Mandatory where the post uses them.", optional=True
    )
    country: str | None = accepts(
        DataCategory.COUNTRY, "Country, ISO 3166-1 alpha-2. Mandatory.", optional=True
    )


@strawberry.input(
    name="RegisterPhoneInput", description="A telephone number. It is sealed and never shown (C10)."
)
class RegisterPhoneInput:
    """The number leaves by no field: label and date are shown."""

    number: str | None = accepts(
        DataCategory.PHONE_NUMBER,
        "The number; with `+` and country code unless it is of your country. Mandatory.",
        optional=True,
    )
    label: str | None = accepts(
        DataCategory.CONTACT, "What you call it; each number has its own label. Mandatory.", optional=True
    )


@strawberry.input(name="RegisterBillingInput", description="A billing method; never a card number.")
class RegisterBillingInput:
    """What the member recognises it by, and the processor's token."""

    brand: str | None = accepts(DataCategory.CREDIT_CARD, "Brand of the card. Mandatory.", optional=True)
    last_four: str | None = accepts(
        DataCategory.CREDIT_CARD, "Last four digits of the card. Mandatory.", optional=True
    )
    expiry_month: int | None = accepts(
        DataCategory.CREDIT_CARD, "Month of expiry, 1 to 12. Mandatory.", optional=True
    )
    expiry_year: int | None = accepts(
        DataCategory.CREDIT_CARD, "Year of expiry, four digits. Mandatory.", optional=True
    )
    processor_token: str | None = accepts(
        DataCategory.CREDENTIALS,
        "The payment processor's token for the card. It is sealed away, never shown. Mandatory.",
        optional=True,
    )


@strawberry.input(name="RegisterChoiceInput", description="Whether your data may serve one purpose.")
class RegisterChoiceInput:
    """An entry of the ledger of choices, dated by the registration (C11)."""

    purpose: Purpose = accepts(DataCategory.PRIVACY_PREFERENCES, "The purpose it is about.")
    direction: Direction = accepts(DataCategory.PRIVACY_PREFERENCES, "To share, or not to share.")


@strawberry.input(
    name="RegisterInput",
    description="Everything that a registration needs (C1). What is missing or refused is told all at once.",
)
class RegisterInput:
    """Nothing is stored of a registration that is refused."""

    email: str | None = accepts(DataCategory.EMAIL, "E-mail address. Mandatory.", optional=True)
    password: str | None = accepts(DataCategory.PASSWORD, "Password. Mandatory.", optional=True)
    given_name: str | None = accepts(DataCategory.FIRST_NAME, "First name. Mandatory.", optional=True)
    family_name: str | None = accepts(DataCategory.LAST_NAME, "Last name. Mandatory.", optional=True)
    username: str | None = accepts(DataCategory.USERNAME, "User name.", optional=True)
    birth_date: date | None = accepts(
        DataCategory.DATE_OF_BIRTH,
        "The day on which you were born. Without it you are shared with nobody (C17).",
        optional=True,
    )
    address: RegisterAddressInput | None = accepts(
        DataCategory.ADDRESS, "Postal address. Mandatory.", optional=True
    )
    phones: list[RegisterPhoneInput] | None = accepts(
        DataCategory.CONTACT, "Telephone numbers, one or more. Mandatory.", optional=True
    )
    billing: RegisterBillingInput | None = accepts(
        DataCategory.CREDIT_CARD, "A billing method. Mandatory.", optional=True
    )
    interests: list[str] | None = accepts(DataCategory.PROFILE, "Interests.", optional=True)
    newsletter: bool | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "Whether you want the newsletter (C9). Mandatory.", optional=True
    )
    choices: list[RegisterChoiceInput] | None = accepts(
        DataCategory.PRIVACY_PREFERENCES, "Choices by purpose; each purpose once.", optional=True
    )
    supervisor_email: str | None = accepts(
        DataCategory.EMAIL,
        "The adult who supervises you and is asked to confirm. Mandatory under 18 (C17).",
        optional=True,
    )


@strawberry.input(name="FollowLinkInput", description="The token of a link that we mailed.")
class FollowLinkInput:
    """What the link is for is in the token."""

    # Opaque, and worth nothing once it was used: a digest of it gives nothing away.
    token: str = accepts(DataCategory.OPERATIONS, "The token, as it stands in the link.")
    password: str | None = accepts(
        DataCategory.PASSWORD,
        "The password that you chose when you registered: asked for where others claim your address.",
        optional=True,
    )


@strawberry.input(name="RequestEmailChangeInput", description="Another e-mail address, and your password.")
class RequestEmailChangeInput:
    """The address counts once the link that is mailed there was followed."""

    new_email: str = accepts(DataCategory.EMAIL, "The address that shall count.")
    password: str = accepts(DataCategory.PASSWORD, "Your password, so that nobody else does this.")


@strawberry.input(name="CompleteRegistrationInput", description="Your registration has all that it needs.")
class CompleteRegistrationInput:
    """For members who came by import and lacked mandatory data."""

    version: int | None = accepts(
        DataCategory.OPERATIONS, "The `version` you read: refused if you have changed since.", optional=True
    )
    supervisor_email: str | None = accepts(
        DataCategory.EMAIL,
        "The adult who supervises you and is asked to confirm. Mandatory under 18 (C17).",
        optional=True,
    )
