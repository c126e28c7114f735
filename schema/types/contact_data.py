"""Inputs of the commands on postal addresses, telephone numbers, billing methods and the birth date (C13)."""

from __future__ import annotations

from datetime import date

import strawberry

from schema.catalogue import accepts
from schema.categories import DataCategory
from schema.tables.member import AddressKind


@strawberry.input(name="AddAddressInput", description="A whole postal address.")
class AddAddressInput:
    """A whole address: parts of an address are not corrected one by one."""

    line1: str = accepts(DataCategory.STREET, "Street and number.")
    city: str = accepts(DataCategory.CITY, "City.")
    country: str = accepts(DataCategory.COUNTRY, "Country, ISO 3166-1 alpha-2.")
    kind: AddressKind = accepts(DataCategory.ADDRESS, "What the address is used for.")
    line2: str | None = accepts(DataCategory.STREET, "Second address line.", optional=True)
    state: str | None = accepts(DataCategory.STATE, "State or province.", optional=True)
    postal_code: str | None = accepts(DataCategory.POSTAL_CODE, "Postal code.", optional=True)


@strawberry.input(name="SetPrimaryAddressInput", description="The postal address that counts from now on.")
class SetPrimaryAddressInput(AddAddressInput):
    """The address that a partner may be shown."""

    version: int | None = accepts(
        DataCategory.OPERATIONS, "The `version` you read: refused if you have changed since.", optional=True
    )


@strawberry.input(name="RemoveAddressInput", description="Which postal address.")
class RemoveAddressInput:
    """One that is not the primary address."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.addresses`.")


@strawberry.input(name="AddPhoneInput", description="A telephone number. It is sealed and never shown (C10).")
class AddPhoneInput:
    """The number leaves by no field: label and date are shown."""

    number: str = accepts(
        DataCategory.PHONE_NUMBER, "The number; with `+` and country code unless it is of your country."
    )
    label: str = accepts(DataCategory.CONTACT, "What you call it; each number has its own label.")


@strawberry.input(name="ReplacePhoneInput", description="Another number in place of one on file.")
class ReplacePhoneInput(AddPhoneInput):
    """The id stays."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.phones`.")


@strawberry.input(name="RemovePhoneInput", description="Which telephone number; one stays on file (C1).")
class RemovePhoneInput:
    """Named by id, because nobody can read the number."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.phones`.")


@strawberry.input(
    name="AddBillingMethodInput",
    description="A billing method. One with the same brand and last four digits is brought up to date.",
)
class AddBillingMethodInput:
    """Never a card number."""

    brand: str = accepts(DataCategory.CREDIT_CARD, "Brand of the card.")
    last_four: str = accepts(DataCategory.CREDIT_CARD, "Last four digits of the card.")
    expiry_month: int = accepts(DataCategory.CREDIT_CARD, "Month of expiry, 1 to 12.")
    expiry_year: int = accepts(DataCategory.CREDIT_CARD, "Year of expiry, four digits.")
    processor_token: str = accepts(
        DataCategory.CREDENTIALS,
        "The payment processor's token for the card. It is sealed away, never shown.",
    )


@strawberry.input(
    name="RemoveBillingMethodInput", description="Which billing method; one stays on file (C1)."
)
class RemoveBillingMethodInput:
    """Named by id."""

    id: strawberry.ID = accepts(DataCategory.OPERATIONS, "The `id` in `me.billingMethods`.")


@strawberry.input(name="SetBirthDateInput", description="Your birth date, which can be set once.")
class SetBirthDateInput:
    """Decides on protection (C17)."""

    birth_date: date = accepts(DataCategory.DATE_OF_BIRTH, "The day on which you were born.")
    supervisor_email: str | None = accepts(
        DataCategory.EMAIL,
        "The adult who supervises you and is asked to confirm. Mandatory under 18 (C17).",
        optional=True,
    )
