"""A telephone number on its way to be sealed: read, checked against the numbering plans, never kept."""

from __future__ import annotations

import phonenumbers


def read_phone_number(value: str, country: str | None) -> str | None:
    """A valid number in E.164; `country` reads national ones. The caller seals it and lets go of it."""
    try:
        parsed = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return None
    # Most numbers are of the row's own country, and asking for one country is much cheaper than finding it.
    at_home = country is not None and phonenumbers.is_valid_number_for_region(parsed, country)
    if not at_home and not phonenumbers.is_valid_number(parsed):
        return None
    return f"+{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
