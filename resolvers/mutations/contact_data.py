"""Commands of a member on addresses, telephone numbers and billing methods."""

from __future__ import annotations

import strawberry

from resolvers.commands.addresses import add_address, remove_address, set_primary_address
from resolvers.commands.billing import add_billing_method, remove_billing_method
from resolvers.commands.phones import add_phone, remove_phone, replace_phone
from resolvers.mutations.payload import ProfilePayload, member_command
from schema.types.contact_data import (
    AddAddressInput,
    AddBillingMethodInput,
    AddPhoneInput,
    RemoveAddressInput,
    RemoveBillingMethodInput,
    RemovePhoneInput,
    ReplacePhoneInput,
    SetPrimaryAddressInput,
)


@strawberry.type
class ContactDataMutation:
    """What a member may change about where she is reached and how she pays."""

    set_primary_address: ProfilePayload = member_command(
        set_primary_address,
        SetPrimaryAddressInput,
        "Put another postal address in place of the primary one (C13).",
    )
    add_address: ProfilePayload = member_command(
        add_address, AddAddressInput, "Add a postal address that no partner sees (C13)."
    )
    remove_address: ProfilePayload = member_command(
        remove_address, RemoveAddressInput, "Remove a postal address that is not the primary one (C13)."
    )
    add_phone: ProfilePayload = member_command(
        add_phone, AddPhoneInput, "Add a telephone number, which is sealed and never shown (C10, C13)."
    )
    replace_phone: ProfilePayload = member_command(
        replace_phone, ReplacePhoneInput, "Put another telephone number in place of one on file (C10, C13)."
    )
    remove_phone: ProfilePayload = member_command(
        remove_phone, RemovePhoneInput, "Remove a telephone number; one stays on file (C1, C13)."
    )
    add_billing_method: ProfilePayload = member_command(
        add_billing_method,
        AddBillingMethodInput,
        "Add a billing method, or bring one up to date (C13).",
    )
    remove_billing_method: ProfilePayload = member_command(
        remove_billing_method,
        RemoveBillingMethodInput,
        "Remove a billing method; one stays on file (C1, C13).",
    )
