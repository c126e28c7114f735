"""A member asks us to share something with one company, for one purpose, until a date (C8 d); or no longer.

A request is an entry of the ledger that ends by itself. It rests on the standing terms of that company on the
MEMBER_REQUEST basis: they say what it may be given, and give nothing of anybody who has not asked. The latest
request to a company for a purpose takes the place of the one before (`policies.choices`).

CLAUSE (C8): one company is given what the member asked to have shared with it, until the request ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from policies.age import age_date, is_protected
from policies.agreement import AgreementTerms, parse_categories
from policies.choices import Ledger, fold
from policies.sharing import needed_mask
from resolvers.commands.choosing import (
    MAX_A_DAY,
    PARTNER_NAME,
    Selected,
    append_choice,
    is_full,
)
from resolvers.commands.correction import lock_member
from resolvers.context import Work
from resolvers.decision_facts import read_choices, read_terms
from resolvers.shares import refresh_shares
from schema.categories import Basis, Purpose, closed
from schema.errors import FieldErrors, FieldProblem, InputError
from schema.vocabulary import AgreementStatus, ChoiceSource, ChoiceTopic, Direction

USUAL: Final = timedelta(days=30)
"""How long a request lasts, unless the member says otherwise."""

LONGEST: Final = timedelta(days=366)
"""How long it may last: what was asked once should be asked again."""


@dataclass(frozen=True, slots=True)
class _Company:
    """A partner that takes requests, and the standing terms under which it may be given something."""

    id: UUID
    terms: Sequence[AgreementTerms]


async def share_with(work: Work, given: Mapping[str, Any], source: ChoiceSource) -> None:
    """Enter a request, and decide the member's shares again. The same request again changes nothing.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    problems: list[FieldProblem] = []
    company = await _company(work, given, problems)
    purpose = None if company is None else _purpose(company, given, problems)
    categories = None if company is None else _categories(work, company, purpose, given, problems)
    ends_at = _end(given, work.now, problems)
    if is_protected(member["birth_date"], age_date(work.now)):
        message = "members under 18, or of unknown age, are shared with nobody (C17)"
        problems.append(FieldProblem((), "PROTECTED", message))
    if problems or company is None or purpose is None or categories is None:
        raise FieldErrors(problems)
    if await _stands(work, member["id"], company.id, purpose, categories, given, ends_at):
        return
    if await is_full(work, member["id"], source):
        message = f"beyond {MAX_A_DAY} choices in a day, nothing more is shared: try again tomorrow"
        raise FieldErrors([FieldProblem((), "TOO_MANY", message)])
    await append_choice(
        work,
        member["id"],
        requested_at=work.now,
        topic=ChoiceTopic.SHARING,
        direction=Direction.IN,
        source=source,
        selected=Selected(
            partner_id=company.id,
            purpose=purpose.value,
            categories=categories,
            basis=Basis.MEMBER_REQUEST.value,
            ends_at=ends_at,
        ),
    )
    await refresh_shares(work.connection, work.matrix, now=work.now, members=[member["id"]])


async def end_sharing(work: Work, given: Mapping[str, Any], source: ChoiceSource) -> None:
    """End what was asked to be shared with a company; of one purpose, or of all. Ended already is no error.

    Raises:
        FieldErrors: there is no such company.
    """
    member = await lock_member(work, None)
    problems: list[FieldProblem] = []
    partner_id = await _partner(work, given, problems)
    if partner_id is None:
        raise FieldErrors(problems)
    purpose = given.get("purpose")
    wanted = list(Purpose) if purpose is None else [Purpose(purpose)]
    ledger = (await read_choices(work.connection, [member["id"]])).get(member["id"], Ledger(()))
    asked = (
        fold(ledger, partner_id=partner_id, purpose=each, basis=Basis.MEMBER_REQUEST, now=work.now).requested
        for each in wanted
    )
    if not any(asked):
        return
    await append_choice(
        work,
        member["id"],
        requested_at=work.now,
        topic=ChoiceTopic.SHARING,
        direction=Direction.OUT,
        source=source,
        selected=Selected(
            partner_id=partner_id,
            purpose=None if purpose is None else Purpose(purpose).value,
            basis=Basis.MEMBER_REQUEST.value,
        ),
    )
    await refresh_shares(work.connection, work.matrix, now=work.now, members=[member["id"]])


async def _partner(work: Work, given: Mapping[str, Any], problems: list[FieldProblem]) -> UUID | None:
    name: str = given["partner"]
    found: UUID | None = None
    if PARTNER_NAME.fullmatch(name):
        found = await work.connection.fetchval(
            "SELECT id FROM partner WHERE name = $1 AND NOT authority", name
        )
    if found is None:
        message = "there is no partner of that name: see `partners`"
        problems.append(FieldProblem(("partner",), "UNKNOWN_PARTNER", message))
    return found


async def _company(work: Work, given: Mapping[str, Any], problems: list[FieldProblem]) -> _Company | None:
    partner_id = await _partner(work, given, problems)
    if partner_id is None:
        return None
    rows = await work.connection.fetch(
        "SELECT id, partner_id, basis, purpose, categories, valid_from, valid_until, status, version"
        " FROM agreement WHERE partner_id = $1 AND basis = $2 AND status = $3 AND valid_from <= $4"
        " AND (valid_until IS NULL OR valid_until > $4) ORDER BY id",
        partner_id,
        Basis.MEMBER_REQUEST.value,
        AgreementStatus.ACTIVE.value,
        work.now,
    )
    if not rows:
        message = "this company takes no requests of members: see the basis of its agreements in `partners`"
        problems.append(FieldProblem(("partner",), "NOT_OFFERED", message))
        return None
    return _Company(partner_id, [read_terms(row) for row in rows])


def _purpose(company: _Company, given: Mapping[str, Any], problems: list[FieldProblem]) -> Purpose | None:
    offered = {terms.purpose for terms in company.terms}
    stated = given.get("purpose")
    if stated is None:
        if len(offered) == 1:
            return next(iter(offered))
        message = "this company has several purposes: name one, as in `partners`"
        problems.append(FieldProblem(("purpose",), "REQUIRED", message))
        return None
    purpose = Purpose(stated)
    if purpose not in offered:
        message = "this company takes no requests for this purpose: see `partners`"
        problems.append(FieldProblem(("purpose",), "NOT_OFFERED", message))
        return None
    return purpose


def _categories(
    work: Work,
    company: _Company,
    purpose: Purpose | None,
    given: Mapping[str, Any],
    problems: list[FieldProblem],
) -> list[str] | None:
    """The keys that are asked for: each whole within what the company may be given for this purpose."""
    try:
        wanted = sorted(parse_categories(given["categories"]))
    except InputError as error:
        problems.append(FieldProblem(("categories",), "UNKNOWN_CATEGORY", str(error)))
        return None
    if not wanted:
        message = "`categories` is empty: name what is to be shared"
        problems.append(FieldProblem(("categories",), "REQUIRED", message))
        return None
    if purpose is None:
        return None
    offered = 0
    for terms in company.terms:
        if terms.purpose is purpose:
            offered |= terms.mask & work.matrix.share_mask(terms.basis, purpose, protected=False)
    offered = closed(offered)
    stray = [f"`{key}`" for key in wanted if not needed_mask(key) or needed_mask(key) & ~offered]
    if stray:
        message = f"this company can be given no {', '.join(stray)}: see its agreement in `partners`"
        problems.append(FieldProblem(("categories",), "NOT_OFFERED", message))
        return None
    return [key.value for key in wanted]


def _end(given: Mapping[str, Any], now: datetime, problems: list[FieldProblem]) -> datetime:
    until: datetime | None = given.get("until")
    if until is None:
        return now + USUAL
    if until.tzinfo is None or not now < until <= now + LONGEST:
        message = f"a moment to come, with its time zone, within {LONGEST.days} days"
        problems.append(FieldProblem(("until",), "BAD_DATE", message))
    return until


async def _stands(
    work: Work,
    member_id: UUID,
    partner_id: UUID,
    purpose: Purpose,
    categories: list[str],
    given: Mapping[str, Any],
    ends_at: datetime,
) -> bool:
    """Whether exactly this is asked for already, until the date that was stated."""
    ledger = (await read_choices(work.connection, [member_id])).get(member_id, Ledger(()))
    masks, winners = ledger.folded(partner_id, purpose, Basis.MEMBER_REQUEST)
    if masks.refused or not winners or winners[0].ends_at is None or winners[0].categories is None:
        return False
    stated = given.get("until") is not None
    return (
        stated
        and winners[0].ends_at == ends_at
        and {key.value for key in winners[0].categories} == set(categories)
    )
