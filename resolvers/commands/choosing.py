"""A member chooses: who may see what, and whether to get the newsletter (C9, C11, C16).

One entry of the ledger for each request, and the shares that follow. The date of the request decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from policies.agreement import parse_categories
from policies.choices import BASES_WITHOUT_CHOICE, Choice, Ledger, may_change, validate_request_date
from policies.newsletter import wants_newsletter
from resolvers.commands.correction import lock_member
from resolvers.context import Work
from resolvers.decision_facts import read_choices
from resolvers.shares import decision_digest, refresh_shares
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import FieldErrors, FieldProblem, InputError
from schema.ids import new_id, parse_uuid
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

PARTNER_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")

MAX_A_DAY: Final = 200
"""Entries by `choose` in a day: more than a page has switches. Each may be read at every decision."""

_DAY: Final = timedelta(days=1)

SELECTORS: Final = ("partner", "purpose", "categories", "notice")


@dataclass(frozen=True, slots=True)
class Selected:
    """What a choice is about; None stands for all."""

    partner_id: UUID | None = None
    purpose: str | None = None
    categories: list[str] | None = None
    basis: str | None = None
    notice_id: UUID | None = None
    ends_at: datetime | None = None
    """Of a request to a company (`resolvers.commands.member_requests`): when it ends by itself."""


async def choose(work: Work, given: Mapping[str, Any], source: ChoiceSource) -> None:
    """Append a choice, and decide the member's shares again.

    CLAUSE (C9, C11): the second door, on the profile page; the date of the request decides.

    An entry that arrives late changes nothing that a later request decided: its date decides. Beyond
    `MAX_A_DAY` entries, only a refusal that changes something is written.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    problems: list[FieldProblem] = []
    topic = ChoiceTopic(given.get("topic") or ChoiceTopic.SHARING)
    requested_at = _request_date(given, work.now, problems)
    selected = await _selected(work, topic, given, problems)
    if problems:
        raise FieldErrors(problems)
    direction = Direction(given["direction"])
    if await is_full(work, member["id"], source) and not (
        direction is Direction.OUT
        and await _refuses_more(work, member["id"], requested_at, topic, selected, source)
    ):
        message = f"beyond {MAX_A_DAY} choices in a day, only refusals of what is not refused yet are noted"
        raise FieldErrors([FieldProblem((), "TOO_MANY", f"{message}: try again tomorrow")])
    await append_choice(
        work,
        member["id"],
        requested_at=requested_at,
        topic=topic,
        direction=direction,
        source=source,
        selected=selected,
    )
    if topic is ChoiceTopic.SHARING:
        await refresh_shares(work.connection, work.matrix, now=work.now, members=[member["id"]])


async def append_choice(
    work: Work,
    member_id: UUID,
    *,
    requested_at: datetime,
    topic: ChoiceTopic,
    direction: Direction,
    source: ChoiceSource,
    selected: Selected | None = None,
) -> None:
    """Write one entry of the ledger. The caller has locked the member, and decides the shares again."""
    about = Selected() if selected is None else selected
    await work.connection.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source, partner_id,"
        " purpose, categories, basis, notice_id, policy, ends_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        new_id(),
        member_id,
        requested_at,
        work.now,
        topic.value,
        direction.value,
        source.value,
        about.partner_id,
        about.purpose,
        about.categories,
        about.basis,
        about.notice_id,
        decision_digest(work.matrix) if topic is ChoiceTopic.SHARING else None,
        about.ends_at,
    )


async def is_full(work: Work, member_id: UUID, source: ChoiceSource) -> bool:
    """Whether the member has made as many entries in a day as there may be."""
    entries: int = await work.connection.fetchval(
        "SELECT count(*) FROM choice WHERE member_id = $1 AND source = $2 AND received_at > $3",
        member_id,
        source.value,
        work.now - _DAY,
    )
    return entries >= MAX_A_DAY


async def _refuses_more(
    work: Work,
    member_id: UUID,
    requested_at: datetime,
    topic: ChoiceTopic,
    about: Selected,
    source: ChoiceSource,
) -> bool:
    """Whether an OUT of that date may change anything of what the ledger says."""
    if topic is ChoiceTopic.NEWSLETTER:
        rows = await work.connection.fetch(
            "SELECT DISTINCT requested_at, direction FROM choice WHERE member_id = $1 AND topic = $2",
            member_id,
            topic.value,
        )
        said = [(row["requested_at"], Direction(row["direction"])) for row in rows]
        return wants_newsletter(said) and not wants_newsletter([*said, (requested_at, Direction.OUT)])
    refusal = Choice(
        requested_at=requested_at,
        direction=Direction.OUT,
        partner_id=about.partner_id,
        purpose=None if about.purpose is None else Purpose(about.purpose),
        categories=None if about.categories is None else frozenset(map(DataCategory, about.categories)),
        source=source,
        basis=None if about.basis is None else Basis(about.basis),
    )
    known = await read_choices(work.connection, [member_id])
    return may_change(known.get(member_id, Ledger(())), refusal)


def _request_date(given: Mapping[str, Any], now: datetime, problems: list[FieldProblem]) -> datetime:
    stated: datetime | None = given.get("requested_at")
    if stated is None:
        return now
    try:
        return validate_request_date(stated, now)
    except InputError as error:
        problems.append(FieldProblem(("requestedAt",), "BAD_DATE", str(error)))
        return now


async def _selected(
    work: Work, topic: ChoiceTopic, given: Mapping[str, Any], problems: list[FieldProblem]
) -> Selected:
    stated = [name for name in SELECTORS if given.get(name) is not None]
    if topic is ChoiceTopic.NEWSLETTER:
        for name in stated:
            message = f"the newsletter is chosen as a whole: leave `{name}` out"
            problems.append(FieldProblem((name,), "NOT_APPLICABLE", message))
        return Selected()
    if "notice" in stated:
        for name in stated:
            if name != "notice":
                message = f"`notice` says what the choice is about: leave `{name}` out"
                problems.append(FieldProblem((name,), "NOT_APPLICABLE", message))
        return await _of_notice(work, given["notice"], problems)
    purpose = given.get("purpose")
    return Selected(
        partner_id=await _partner(work, given, problems),
        purpose=None if purpose is None else Purpose(purpose).value,
        categories=_categories(given, problems),
    )


async def _of_notice(work: Work, notice: str, problems: list[FieldProblem]) -> Selected:
    """What the new practice is about, copied, so that the choice says it itself (C16).

    CLAUSE (C16): a member opts out of one new practice, before it begins or later.
    """
    row = await work.connection.fetchrow(
        "SELECT id, basis, purpose, categories FROM notice WHERE id = $1 AND published_at <= $2",
        parse_uuid(notice),
        work.now,
    )
    if row is None:
        message = "there is no notice of that id: see `notices`"
        problems.append(FieldProblem(("notice",), "UNKNOWN_NOTICE", message))
        return Selected()
    if row["basis"] in BASES_WITHOUT_CHOICE:
        message = "what this notice announces leaves no choice about sharing; closing the account is one"
        problems.append(FieldProblem(("notice",), "NOT_APPLICABLE", message))
    return Selected(
        purpose=row["purpose"], categories=row["categories"], basis=row["basis"], notice_id=row["id"]
    )


async def _partner(work: Work, given: Mapping[str, Any], problems: list[FieldProblem]) -> UUID | None:
    name: str | None = given.get("partner")
    if name is None:
        return None
    partner_id: UUID | None = None
    if PARTNER_NAME.fullmatch(name):
        partner_id = await work.connection.fetchval(
            "SELECT id FROM partner WHERE name = $1 AND NOT authority", name
        )
    if partner_id is None:
        message = "there is no partner of that name: see `partners`"
        problems.append(FieldProblem(("partner",), "UNKNOWN_PARTNER", message))
    return partner_id


def _categories(given: Mapping[str, Any], problems: list[FieldProblem]) -> list[str] | None:
    if given.get("categories") is None:
        return None
    try:
        categories = sorted(category.value for category in parse_categories(given["categories"]))
    except InputError as error:
        problems.append(FieldProblem(("categories",), "UNKNOWN_CATEGORY", str(error)))
        return None
    if not categories:
        message = "`categories` is empty: leave it out to mean all of them"
        problems.append(FieldProblem(("categories",), "REQUIRED", message))
    return categories
