"""What a registration states, checked whole (C1): everything that is missing or wrong is found at once.

In: the input by column, as the caller stated it. Out: a `Registration`, which counts only if nothing was
refused. No database is asked here.

1. the address, whose country reads national telephone numbers;
2. the telephone numbers, which stand in no text that others may read (R1), nor in an e-mail address;
3. names, e-mail addresses, user name, interests, billing method, choices;
4. birth date and supervision (C17);
5. the password, which is not made of any of this (C14).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from policies.age import age_date, is_plausible
from policies.card_numbers import has_card_number
from policies.email_addresses import read_email, same_email
from policies.free_text import fold
from policies.own_numbers import email_holds_number, holds_own_number, own_number
from policies.passwords import password_problems
from policies.registration import needs_supervisor, region_of
from resolvers.commands.addresses import check_address
from resolvers.commands.billing import check_method
from resolvers.commands.correction import Checks, check_interests, check_username
from resolvers.commands.phones import MAX_PHONES, check_label, check_number
from schema.categories import Purpose
from schema.errors import FreeTextPhoneError
from schema.tables.member import AddressKind
from schema.vocabulary import Direction


@dataclass(frozen=True, slots=True, repr=False)
class Registration:
    """A registration by column. `phones` are labels with numbers in E.164, to be sealed and let go of."""

    member: Mapping[str, Any]
    address: Mapping[str, Any]
    phones: Sequence[tuple[str, str]]
    method: Mapping[str, Any]
    processor_token: str
    newsletter: bool
    choices: Mapping[Purpose, Direction]
    own: frozenset[str]
    """The digits of the numbers, for comparing."""


def check_registration(checks: Checks, given: Mapping[str, Any], now: datetime) -> Registration:
    """The registration that `given` states; whatever is wrong with it is in `checks`.

    CLAUSE (C1): everything that is missing or wrong is found at once.
    """
    address = _address(checks, given.get("address"))  # 1
    phones, own = _phones(checks, given.get("phones"))  # 2
    names = _names(checks, given)  # 3
    email = check_email(checks, "email", given.get("email"), own)
    method = _method(checks, given.get("billing"), now)
    checks.stated("newsletter", given.get("newsletter"))
    birth_date = _birth_date(checks, given.get("birth_date"), now)  # 4
    supervisor = given.get("supervisor_email")
    member = {
        **names,
        "email": email,
        "username": _username(checks, given.get("username"), own),
        "interests": check_interests(checks, given.get("interests") or []),
        "region": region_of(address.get("country") or None, address.get("state")),
        "birth_date": birth_date,
        "supervisor_email": check_supervisor(checks, supervisor, email, birth_date, now, own=own),
    }
    _password(checks, given.get("password"), member, address, own)  # 5
    token = (given.get("billing") or {}).get("processor_token") or ""
    choices = _choices(checks, given.get("choices") or [])
    return Registration(member, address, phones, method, token, bool(given.get("newsletter")), choices, own)


def check_email(checks: Checks, name: str, value: str | None, own: Collection[str]) -> str:
    """An e-mail address that is no telephone number, and has none of `own` in it (R1)."""
    if not checks.stated(name, value):
        return ""
    email = read_email(value or "")
    if email is None:
        checks.refuse("BAD_FORMAT", f"`{name}`: an e-mail address", name)
    elif email_holds_number(email, own, region=checks.country):
        message = f"`{name}` holds a telephone number, which others could read: give another address"
        checks.refuse(FreeTextPhoneError.code, message, name)
    elif has_card_number(fold(email)):
        message = f"`{name}` holds a card number: give another address"
        checks.refuse("CARD_NUMBER_IN_TEXT", message, name)
    return email or ""


def check_supervisor(
    checks: Checks,
    value: str | None,
    email: str,
    birth_date: date | None,
    now: datetime,
    *,
    own: Collection[str] = (),
) -> str | None:
    """The supervising adult's address: somebody else's than `email`, mandatory under 18 (C17)."""
    if value is None:
        if needs_supervisor(birth_date, age_date(now)):
            message = "`supervisorEmail` is missing: under 18 an adult has to confirm your registration"
            checks.refuse("SUPERVISOR_REQUIRED", message, "supervisorEmail")
        return None
    supervisor = check_email(checks, "supervisorEmail", value, own)
    if supervisor and same_email(supervisor, email):
        message = "`supervisorEmail` is your own address: give that of the adult who supervises you"
        checks.refuse("SAME_AS_EMAIL", message, "supervisorEmail")
    return supervisor


def _address(checks: Checks, given: Mapping[str, Any] | None) -> dict[str, Any]:
    inner = checks.below("address")
    address = check_address(inner, {"kind": AddressKind.HOME, **(given or {})})
    checks.country = inner.country
    return address


def _phones(
    checks: Checks, given: Sequence[Mapping[str, Any]] | None
) -> tuple[list[tuple[str, str]], frozenset[str]]:
    if not given:
        checks.refuse("REQUIRED", "`phones` is empty: give one telephone number or more", "phones")
        return [], frozenset()
    if len(given) > MAX_PHONES:
        checks.refuse("TOO_MANY", f"`phones`: at most {MAX_PHONES}", "phones")
        return [], frozenset()
    phones: list[tuple[str, str]] = []
    own: set[str] = set()
    for place, phone in enumerate(given):
        inner = checks.below("phones", str(place))
        label = check_label(inner, phone.get("label"), [label for label, _ in phones])
        raw = phone.get("number")
        inner.stated("number", raw)
        number = "" if raw is None else check_number(inner, raw)
        phones.append((label, number))
        if raw:
            own.add(own_number(raw, number or None))
    return phones, frozenset(own)


def _names(checks: Checks, given: Mapping[str, Any]) -> dict[str, str]:
    names = {
        "given_name": checks.text("givenName", given.get("given_name")),
        "family_name": checks.text("familyName", given.get("family_name")),
    }
    checks.together("givenName", "familyName", texts=list(names.values()))
    return names


def _username(checks: Checks, value: str | None, own: Collection[str]) -> str | None:
    username = check_username(checks, value)
    if username is not None and not checks.refused("username") and holds_own_number(username, own):
        message = "`username` holds a telephone number, which others could read: leave it out"
        checks.refuse(FreeTextPhoneError.code, message, "username")
    return username


def _method(checks: Checks, given: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    return check_method(checks.below("billing"), given or {}, now.date())


def _birth_date(checks: Checks, value: date | None, now: datetime) -> date | None:
    if value is not None and not is_plausible(value, now.date()):
        checks.refuse("BAD_DATE", "`birthDate`: the day on which you were born, not one to come", "birthDate")
        return None
    return value


def _choices(checks: Checks, given: Sequence[Mapping[str, Any]]) -> dict[Purpose, Direction]:
    choices = {
        Purpose(choice["purpose"]): Direction(choice["direction"]) for choice in given[: len(Purpose) + 1]
    }
    if len(choices) < len(given):
        checks.refuse("REPEATED", "`choices` names a purpose twice: give each once", "choices")
    return choices


def _password(
    checks: Checks,
    value: str | None,
    member: Mapping[str, Any],
    address: Mapping[str, Any],
    numbers: Collection[str],
) -> None:
    if not checks.stated("password", value):
        return
    local, _, domain = str(member["email"]).partition("@")
    own = [
        *(member[name] or "" for name in ("given_name", "family_name", "username", "email")),
        local,
        domain,
        address["city"],
        address["line1"],
        *numbers,
    ]
    problem = password_problems(value or "", own)
    if problem is not None:
        checks.refuse(*problem, "password")
