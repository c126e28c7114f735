"""The parts of a member that take several cells: address, telephone numbers, billing method, choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.importing import fields
from gateway.importing.cells import LONGEST, Cells
from gateway.importing.mapping import PhoneColumns, Words
from gateway.importing.problems import ProblemCode
from policies.own_numbers import own_number
from policies.phone_numbers import read_phone_number
from resolvers.commands.member_records import AddressRecord, BillingRecord, ChoiceEntry, PhoneRecord
from resolvers.sealing import PhoneSealer
from schema.categories import Purpose
from schema.vocabulary import Direction

_LINES: Final = ("line1", "line2", "city", "state", "postal_code")


def read_address(cells: Cells) -> tuple[AddressRecord | None, str | None]:
    """The primary address, and the country, which is known even where the address is not whole.

    Nothing of an address is kept without its street, city and country.
    """
    packed = cells.raw("address.packed")
    if packed:
        unpacked = fields.unpack_address(packed)
        if unpacked is None:
            cells.fault("address.packed", ProblemCode.BAD_ADDRESS)
            return None, None
        country: str | None = unpacked.country
        raw = {name: getattr(unpacked, name) or "" for name in _LINES}
    else:
        raw_country = cells.raw("address.country")
        country = fields.country(raw_country) if raw_country else None
        if raw_country and country is None:
            cells.fault("address.country", ProblemCode.BAD_COUNTRY)
        raw = {name: fields.unquoted(cells.raw(f"address.{name}")) for name in _LINES}
    # Some postal codes have the digits of a national number of their country: others only are looked for.
    line1, line2, city, state, postal_code = (
        cells.checked(f"address.{name}", value, None if name == "postal_code" else country)
        for name, value in raw.items()
    )
    lines = {"address.line1": line1, "address.line2": line2, "address.city": city, "address.state": state}
    line1, line2, city, state = cells.together(lines, country)
    if line1 is None or city is None or country is None:
        return None, country
    return AddressRecord(line1, line2, city, state, postal_code, country), country


def read_phones(
    cells: Cells,
    columns: Sequence[PhoneColumns],
    country: str | None,
    sealer: PhoneSealer,
    make_id: Callable[[], UUID],
) -> tuple[tuple[PhoneRecord, ...], frozenset[str]]:
    """The telephone numbers, checked and sealed at once; one in two columns is kept under the first label.

    Beside them, what the row is searched for (`policies.own_numbers`); the caller lets go of it with the row.
    """
    sealed: dict[str, PhoneRecord] = {}
    own: set[str] = set()
    for column in columns:
        target = f"phones.{column.label}"
        raw = cells.raw(target)
        if not raw:
            continue
        e164 = read_phone_number(fields.unquoted(raw), country)
        own.add(own_number(raw, e164))
        if e164 is None:
            cells.fault(target, ProblemCode.BAD_PHONE)
        elif e164 not in sealed:
            phone_id = make_id()
            sealed[e164] = PhoneRecord(phone_id, column.label, sealer.seal(e164, phone_id))
    return tuple(sealed.values()), frozenset(own)


def read_billing(cells: Cells, country: str | None) -> BillingRecord | None:
    """The billing method; the expiry stands in one column or two."""
    brand = cells.text("billing.brand", country) or ""
    last_four = cells.raw("billing.last_four")
    expiry = cells.raw("billing.expiry")
    if not expiry and cells.raw("billing.expiry_month"):
        expiry = f"{cells.raw('billing.expiry_month')}/{cells.raw('billing.expiry_year')}"
    token = cells.raw("billing.token")
    if len(token) > LONGEST["billing.token"]:
        cells.fault("billing.token", ProblemCode.TOO_LONG)
    method = fields.billing(brand, last_four, expiry, token or None)
    if method is None and (brand or last_four or expiry):
        cells.fault("billing", ProblemCode.BAD_BILLING)
    return method


def read_choices(cells: Cells, words: Words, dated: datetime) -> tuple[ChoiceEntry, ...]:
    """Consent, as entries for the ledger; `dated` bears a no for which the row gives no date.

    A yes to the newsletter is a yes to the company's own offers and to nobody else's; a no is also a no to
    mail from partners. An answer whose date cannot be read is not taken: it would win or lose by a guess.

    INVARIANT (no-borrowed-date): no yes has a date but its own. C11 goes by the date of the request, and that
    of the file, which is later, would win over an opt-out on record.
    """
    at = cells.instant("choices.requested_at", ProblemCode.BAD_CONSENT)
    if at is None and cells.raw("choices.requested_at"):
        return ()
    entries: list[ChoiceEntry] = []
    newsletter = _answer(cells, words, "choices.newsletter")
    if (asked_at := _date_of(cells, newsletter, at, dated)) is not None:
        entries.extend(_newsletter(newsletter, asked_at))
    for target, direction in (("choices.opted_in_at", Direction.IN), ("choices.opted_out_at", Direction.OUT)):
        asked_at = cells.instant(target, ProblemCode.BAD_CONSENT)
        if asked_at is not None:
            entries.extend(_newsletter(direction, asked_at))
    sharing = _answer(cells, words, "choices.sharing")
    asked_at = _date_of(cells, sharing, at, dated)
    if sharing is not None and asked_at is not None:
        entries.append(ChoiceEntry(asked_at, sharing, None))
    return tuple(entries)


def _date_of(
    cells: Cells, direction: Direction | None, own: datetime | None, of_file: datetime
) -> datetime | None:
    """The date of an answer. Only a no may take that of the file: it errs on the side of not sharing."""
    if own is None and direction is Direction.IN:
        cells.undated_yes = True
        return None
    return own or of_file


def _newsletter(direction: Direction | None, at: datetime) -> tuple[ChoiceEntry, ...]:
    match direction:
        case None:
            return ()
        case Direction.IN:
            return (ChoiceEntry(at, direction, Purpose.OWN_OFFERS),)
        case Direction.OUT:
            return (
                ChoiceEntry(at, direction, Purpose.OWN_OFFERS),
                ChoiceEntry(at, direction, Purpose.PARTNER_EMAIL),
            )


def _answer(cells: Cells, words: Words, target: str) -> Direction | None:
    raw = cells.raw(target).casefold()
    if not raw:
        return None
    if raw in words.yes:
        return Direction.IN
    if raw in words.no:
        return Direction.OUT
    cells.fault(target, ProblemCode.BAD_CONSENT)
    return None
