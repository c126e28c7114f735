"""A member chooses: who may see what, and whether to get the newsletter (C9, C11, C16).

One entry of the ledger for each request, and the shares that follow. The date of the request decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from policies.agreement import parse_categories
from policies.choices import validate_request_date
from resolvers.commands.correction import lock_member
from resolvers.context import Work
from resolvers.shares import decision_digest, refresh_shares
from schema.categories import Purpose
from schema.errors import FieldErrors, FieldProblem, InputError
from schema.ids import new_id, parse_uuid
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

PARTNER_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")

SELECTORS: Final = ("partner", "purpose", "categories", "notice")


@dataclass(frozen=True, slots=True)
class Selected:
    """What a choice is about; None stands for all."""

    partner_id: UUID | None = None
    purpose: str | None = None
    categories: list[str] | None = None
    notice_id: UUID | None = None


async def choose(work: Work, given: Mapping[str, Any], source: ChoiceSource) -> None:
    """Append a choice, and decide the member's shares again.

    An entry that arrives late changes nothing that a later request decided: its date decides.

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
    await append_choice(
        work,
        member["id"],
        requested_at=requested_at,
        topic=topic,
        direction=Direction(given["direction"]),
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
        " purpose, categories, notice_id, policy) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        about.notice_id,
        decision_digest(work.matrix) if topic is ChoiceTopic.SHARING else None,
    )


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
    """What the new practice is about, copied, so that the choice says it itself (C16)."""
    row = await work.connection.fetchrow(
        "SELECT id, purpose, categories FROM notice WHERE id = $1 AND published_at <= $2",
        parse_uuid(notice),
        work.now,
    )
    if row is None:
        message = "there is no notice of that id: see `notices`"
        problems.append(FieldProblem(("notice",), "UNKNOWN_NOTICE", message))
        return Selected()
    return Selected(purpose=row["purpose"], categories=row["categories"], notice_id=row["id"])


async def _partner(work: Work, given: Mapping[str, Any], problems: list[FieldProblem]) -> UUID | None:
    name: str | None = given.get("partner")
    if name is None:
        return None
    partner_id: UUID | None = None
    if PARTNER_NAME.fullmatch(name):
        partner_id = await work.connection.fetchval("SELECT id FROM partner WHERE name = $1", name)
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
