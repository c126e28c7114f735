"""Publishing a policy: it decides from its date on, and what it newly opens waits for its notice (C16).

Each function works in the caller's transaction. A publication is one: the version, its notices, the shares
that close, and the line that tells the replicas. Mail to the members follows (`resolvers.announcing`).

INVARIANT (notice-with-version): a cell that a version newly opens stands in a notice that was stored with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.announced import Announced, is_whole, still_coming
from policies.directory import PolicyDirectory
from policies.notice_texts import draft_notices
from policies.versions import CellGroup, opened
from policies.words import spoken
from resolvers.announcing import Occasion, announce, withdraw
from resolvers.connection import Link
from resolvers.policy_versions import (
    Compile,
    NewVersion,
    PolicyInDatabase,
    decide_between,
    directory_of_version,
    insert_version,
    require_policy,
)
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, decision_digest, take_turn
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import InputError
from schema.tables.mail import LetterKind
from schema.vocabulary import Language

LONGEST_NOTICE: Final = 365
"""Days. What is announced for later than a year is forgotten by the time it comes."""

FARTHEST: Final = timedelta(days=LONGEST_NOTICE)
"""Until a version takes effect: what never does would stand on the home page for ever."""


@dataclass(frozen=True, slots=True)
class Order:
    """How a policy is to be published.

    `effective_at` is when it begins to decide, None: at once. What it newly opens waits for `notice_days`.
    """

    directory: PolicyDirectory
    published_by: str
    notice_days: int
    effective_at: datetime | None = None
    mailed: bool = True
    rolled_back_to: int | None = None
    reason: str | None = None
    """As it may be written down (`resolvers.desk.written_reason`)."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What came of it. `opens_at` is None where nothing is newly opened.

    `withdrawn` are the notices of before that were taken back, whole or in part: it never opens.
    `dropped_languages`: in which the version in force has texts, and this one has not.
    """

    number: int
    effective_at: datetime
    opens_at: datetime | None
    opened: tuple[CellGroup, ...]
    closed: tuple[CellGroup, ...]
    notices: tuple[UUID, ...]
    withdrawn: tuple[UUID, ...]
    changes: ShareChanges
    dropped_languages: Sequence[str] = ()


async def publish(connection: Link, compiled: Compile, order: Order, now: datetime) -> Publication:
    """Let a policy decide from its date on. Whether it may be used is the caller's to have checked.

    CLAUSE (C16): what it closes is closed at its date; what it opens waits for its notice.

    1. nobody else decides or publishes meanwhile;
    2. what decides at which moment from now on (`policies.versions`);
    3. a notice for each cell that is open neither now nor by what was announced before; what was announced
       and is not in it, or not all of it, is withdrawn;
    4. the shares are decided again by what decides now, and every replica hears of it.

    Raises:
        InputError: a date or number is out of bounds, or the policy is the one in force.
    """
    if not 1 <= order.notice_days <= LONGEST_NOTICE:
        raise InputError(f"the notice period is 1 to {LONGEST_NOTICE} days")
    await take_turn(connection, alone=True)  # 1
    policy = await require_policy(connection)
    _require_another(policy, order)
    number = policy.number + 1
    at = max(now, policy.moment)
    if order.effective_at is not None and order.effective_at > at + FARTHEST:
        raise InputError(f"the date on which it takes effect is within {FARTHEST.days} days")
    opens_at = at + timedelta(days=order.notice_days)
    timeline = policy.timeline.published(  # 2
        number, at=at, effective_at=order.effective_at or at, opens_at=opens_at
    )
    in_force = await directory_of_version(connection, policy.version)
    before, after = policy.matrix(compiled), compiled(order.directory.source)
    promised = policy.matrix(compiled, policy.timeline.finally_decides)
    new = opened((before, promised), after)
    await insert_version(
        connection,
        NewVersion(
            number=number,
            directory=order.directory,
            published_at=at,
            published_by=order.published_by,
            effective_at=timeline.effective_at,
            notice_days=order.notice_days,
            rolled_back_to=order.rolled_back_to,
            reason=order.reason,
        ),
        timeline,
    )
    begins = timeline.steps[-1].since
    language = spoken(order.directory.language)
    withdrawn = await _withdraw(connection, opened((before,), after), at)  # 3
    letter = LetterKind.NEW_PRACTICE if order.mailed else None
    occasion = Occasion(at, begins, language, letter, version=number)
    notices = await announce(connection, draft_notices(new), occasion)
    published = await require_policy(connection)  # 4
    decides = published.matrix(compiled, published.timeline.at(at))
    known = policy.applied == decision_digest(before)
    changes = await decide_between(connection, before if known else None, decides, at)
    await revoke(connection, RevocationKind.POLICY, str(number), now=at)
    return Publication(
        number=number,
        effective_at=timeline.effective_at,
        opens_at=begins if new else None,
        opened=new,
        closed=opened((after,), before),
        notices=notices,
        withdrawn=withdrawn,
        changes=changes,
        dropped_languages=in_force.languages_beside(order.directory),
    )


def _require_another(policy: PolicyInDatabase, order: Order) -> None:
    """Raises InputError where nothing would change."""
    latest = policy.sources.get(policy.number)
    if latest is not None and latest.digest == order.directory.source.digest:
        raise InputError(f"this policy is version {policy.number} already: nothing is published")


async def _withdraw(connection: Link, to_open: Sequence[CellGroup], now: datetime) -> tuple[UUID, ...]:
    """Take back what was announced and is not among what is to open any more, be it shared or presumed.

    Of what was announced and is to open in part, the part is announced instead: of the same version, whose
    mails have a link that refuses it, since the same day and for the same day. The mailing goes on with it.
    """
    rows = await connection.fetch(
        "SELECT id, basis, purpose, categories, regions, version, published_at, effective_at, language,"
        " mailing_id FROM notice"
        " WHERE version IS NOT NULL AND effective_at > $1 AND withdrawn_at IS NULL ORDER BY id",
        now,
    )
    gone: list[UUID] = []
    for row in rows:
        announced = Announced(
            Basis(row["basis"]),
            Purpose(row["purpose"]),
            frozenset(DataCategory(key) for key in row["categories"]),
            None if row["regions"] is None else frozenset(row["regions"]),
        )
        left = still_coming(announced, to_open)
        if is_whole(announced, left):
            continue
        gone.append(row["id"])
        occasion = Occasion(
            row["published_at"],
            row["effective_at"],
            Language(row["language"]),
            letter=None,
            version=row["version"],
            mailing_id=row["mailing_id"],
        )
        await announce(connection, draft_notices(left), occasion)
    if gone:
        await withdraw(connection, gone, now)
    return tuple(gone)


@dataclass(frozen=True, slots=True)
class VersionView:
    """A published version as officers see it."""

    number: int
    title: str
    digest: str
    published_at: datetime
    published_by: str
    effective_at: datetime
    notice_days: int
    rolled_back_to: int | None
    notices: int
    mailed: int | None
    """Members put into the outbox; None where nobody was to be."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as officers see it, with how many members refused what it announces."""

    id: UUID
    version: int | None
    title: str
    body: str
    basis: Basis
    purpose: Purpose
    categories: tuple[DataCategory, ...]
    regions: tuple[str, ...]
    published_at: datetime
    effective_at: datetime
    withdrawn_at: datetime | None
    refused: int


async def list_versions(connection: Link, number: int | None = None) -> Sequence[VersionView]:
    """Every version, the latest first; or the one of that number, if there is one."""
    rows = await connection.fetch(
        "SELECT number, title, digest, published_at, published_by, effective_at, notice_days, rolled_back_to,"
        " reason, (SELECT count(*) FROM notice WHERE version = number) AS notices,"
        " (SELECT max(queued) FROM notice JOIN notice_mailing ON notice_mailing.id = mailing_id"
        "  WHERE version = number) AS mailed"
        " FROM policy_version WHERE $1::int IS NULL OR number = $1 ORDER BY number DESC",
        number,
    )
    return [VersionView(**dict(row)) for row in rows]


async def list_notices(connection: Link) -> Sequence[NoticeView]:
    """Every notice, the latest first. A member counts as refusing by her latest answer to it."""
    rows = await connection.fetch(
        "SELECT notice.id, version, title, body, basis, purpose, categories, regions, published_at,"
        " effective_at, withdrawn_at,"
        " (SELECT count(*) FROM (SELECT DISTINCT ON (member_id) direction FROM choice"
        "  WHERE choice.notice_id = notice.id"
        "  ORDER BY member_id, requested_at DESC, direction = 'OUT' DESC) latest"
        "  WHERE direction = 'OUT') AS refused"
        " FROM notice ORDER BY published_at DESC, notice.id DESC"
    )
    return [
        NoticeView(
            **{
                **dict(row),
                "basis": Basis(row["basis"]),
                "purpose": Purpose(row["purpose"]),
                "categories": tuple(DataCategory(key) for key in row["categories"]),
                "regions": tuple(row["regions"] or ()),
            }
        )
        for row in rows
    ]
