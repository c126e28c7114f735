"""Whether an agreement's partner must not mail an address, from all that was asked about it (C9, C11).

In come the requests: those of the member who has the address, those about the newsletter, and those made for
the address itself, by whomever. Out comes the date of the request that decides, and which way it decided.
Nothing here knows of addresses, keys or digests.

What a request is about bounds what it can take back. Consenting to our newsletter takes back a refusal of the
newsletter, and nothing that was said about partners. What was refused for the address itself, or by somebody
who had it before, is taken back for the address. A consent to sharing that covers the partner's e-mail takes
back every earlier refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from policies.age import is_protected
from policies.agreement import AgreementTerms
from policies.choices import Choice, decisive
from schema.categories import Basis, DataCategory, mask_of
from schema.vocabulary import AgreementStatus, Direction

MAILING_BASES: Final = frozenset({Basis.STRATEGIC, Basis.MARKETING})
"""On these a partner may mail of its own accord. On the others it does what it was asked or has to do."""


_EMAIL: Final = mask_of({DataCategory.EMAIL})


@dataclass(frozen=True, slots=True)
class AddressWord:
    """What was asked for an address itself: the latest date of each direction; None: never."""

    refused_at: datetime | None = None
    allowed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """All that was asked about one address.

    `choices` and `newsletter` are of the member who has it, if any. `kept` is the date of a refusal by
    somebody who had the address before and has left it or us.
    """

    choices: Sequence[Choice] = ()
    newsletter: Sequence[tuple[datetime, Direction]] = ()
    address: AddressWord = AddressWord()
    kept: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The latest request refuses mail. `since` is its date."""

    since: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """No refusal stands, and a request of this date allows it."""

    since: datetime


def takes_part(terms: AgreementTerms) -> bool:
    """Whether suppressions are kept for this agreement at all: it mails, and may yet do so."""
    return terms.status is not AgreementStatus.ENDED and mails(terms.basis, terms.mask)


def mails(basis: Basis, mask: int) -> bool:
    """Whether who has these categories on that basis may mail people of its own accord."""
    return basis in MAILING_BASES and bool(mask & _EMAIL)


def speaks(birth_date: date | None, today: date) -> bool:
    """Whether what a member said may be told to partners at all: C17 lets nothing of a protected one out."""
    return not is_protected(birth_date, today)


def decide_mail(said: Said, terms: AgreementTerms) -> Refusal | Consent | None:
    """What the latest-dated request says for this agreement; None: nobody said anything.

    CLAUSE (C9, C11): what was asked last for an address decides whether a partner may mail it.

    At equal dates the refusal wins (C11). The order of arrival is no argument.
    """
    choice = decisive(
        said.choices,
        partner_id=terms.partner_id,
        purpose=terms.purpose,
        basis=terms.basis,
        category=DataCategory.EMAIL,
    )
    found = (_of_newsletter(said), _standing(said.address.refused_at, said), _standing(said.kept, said))
    refusals = [refused for refused in found if refused is not None]
    if choice is not None and choice.direction is Direction.OUT:
        refusals.append(choice.requested_at)
    latest = max(refusals, default=None)
    if choice is not None and choice.direction is Direction.IN:
        if latest is None or latest < choice.requested_at:
            return Consent(choice.requested_at)
        return Refusal(latest)
    if latest is not None:
        return Refusal(latest)
    return _taken_back(said)


def _of_newsletter(said: Said) -> datetime | None:
    latest = max(said.newsletter, key=_strength, default=None)
    return None if latest is None or latest[1] is Direction.IN else latest[0]


def _standing(refused: datetime | None, said: Said) -> datetime | None:
    """A refusal at the address that nobody has taken back there since."""
    allowed = said.address.allowed_at
    return None if refused is None or (allowed is not None and allowed > refused) else refused


def _taken_back(said: Said) -> Consent | None:
    """No refusal stands: the latest consent, if there is one."""
    consents: Iterable[datetime | None] = (
        said.address.allowed_at,
        *(at for at, direction in said.newsletter if direction is Direction.IN),
    )
    latest = max((at for at in consents if at is not None), default=None)
    return None if latest is None else Consent(latest)


def _strength(request: tuple[datetime, Direction]) -> tuple[datetime, bool]:
    return request[0], request[1] is Direction.OUT
