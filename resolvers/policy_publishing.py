"""Publishing a policy: it decides from its date on, and what it newly opens waits for its notice (C16).

Each function works in the caller's transaction. A publication is one: the version, its notices, the shares
that close, and the line that tells the replicas. Mail to the members follows in transactions of its own, and
goes on where it stopped.

INVARIANT (notice-with-version): a cell that a version newly opens stands in a notice that was stored with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.announced import Announced, is_whole, still_coming
from policies.directory import PolicyDirectory
from policies.notice_texts import NoticeDraft, draft_notices
from policies.versions import CellGroup, opened
from policies.words import WORDS
from policies.words.catalogue import Words
from resolvers.connection import Link, Transactions
from resolvers.policy_versions import (
    Compile,
    NewVersion,
    PolicyInDatabase,
    decide_between,
    insert_version,
    require_policy,
)
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, decision_digest, take_turn
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import InputError
from schema.ids import new_id
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus
from schema.vocabulary import Language

MAILED: Final = 5_000
"""Members that are put into the outbox at a time: a transaction that lasts a moment."""

LONGEST_NOTICE: Final = 365
"""Days. What is announced for later than a year is forgotten by the time it comes."""

_NOBODY: Final = UUID(int=0)


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


@dataclass(frozen=True, slots=True)
class Publication:
    """What came of it. `opens_at` is None where nothing is newly opened."""

    number: int
    effective_at: datetime
    opens_at: datetime | None
    opened: tuple[CellGroup, ...]
    closed: tuple[CellGroup, ...]
    notices: tuple[UUID, ...]
    changes: ShareChanges


@dataclass(frozen=True, slots=True)
class Mailing:
    """How far the mail about a version has got."""

    queued: int
    finished: bool


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
    opens_at = at + timedelta(days=order.notice_days)
    timeline = policy.timeline.published(  # 2
        number, at=at, effective_at=order.effective_at or at, opens_at=opens_at
    )
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
        ),
        timeline,
    )
    begins = timeline.steps[-1].since
    words = words_of(order.directory.language)
    await _withdraw(connection, opened((before,), after), words, at)  # 3
    notices = await _announce(
        connection, number, draft_notices(new, words), published_at=at, effective_at=begins
    )
    if notices and order.mailed:
        await connection.execute(
            "INSERT INTO policy_mailing (version, reached, queued) VALUES ($1, $2, 0)", number, _NOBODY
        )
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
        changes=changes,
    )


def words_of(language: str) -> Words:
    """The program's own words in the language of a policy; in English where it has none."""
    known = {each.value: each for each in Language}
    return WORDS[known.get(language.partition("-")[0], Language.EN)]


def _require_another(policy: PolicyInDatabase, order: Order) -> None:
    """Raises InputError where nothing would change."""
    latest = policy.sources.get(policy.number)
    if latest is not None and latest.digest == order.directory.source.digest:
        raise InputError(f"this policy is version {policy.number} already: nothing is published")


async def _announce(
    connection: Link,
    number: int,
    drafts: Sequence[NoticeDraft],
    *,
    published_at: datetime,
    effective_at: datetime,
) -> tuple[UUID, ...]:
    made: list[UUID] = []
    for draft in drafts:
        made.append(new_id())
        await connection.execute(
            "INSERT INTO notice (id, title, body, basis, purpose, categories, published_at, effective_at,"
            " version, regions) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            made[-1],
            draft.title,
            draft.body,
            draft.basis.value,
            draft.purpose.value,
            sorted(category.value for category in draft.categories),
            published_at,
            effective_at,
            number,
            None if draft.regions is None else sorted(draft.regions),
        )
    return tuple(made)


async def _withdraw(connection: Link, to_open: Sequence[CellGroup], words: Words, now: datetime) -> None:
    """Take back what was announced and is not among what is to open any more, be it shared or presumed.

    Of what was announced and is to open in part, the part is announced instead: of the same version, whose
    mails have a link that refuses it, since the same day and for the same day.
    """
    rows = await connection.fetch(
        "SELECT id, basis, purpose, categories, regions, version, published_at, effective_at FROM notice"
        " WHERE version IS NOT NULL AND effective_at > $1 AND withdrawn_at IS NULL ORDER BY id",
        now,
    )
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
        await connection.execute("UPDATE notice SET withdrawn_at = $2 WHERE id = $1", row["id"], now)
        await _announce(
            connection,
            row["version"],
            draft_notices(left, words),
            published_at=row["published_at"],
            effective_at=row["effective_at"],
        )


async def unfinished_mailings(connection: Link) -> Sequence[int]:
    """The versions that not every member has been put into the outbox for, in order."""
    rows = await connection.fetch(
        "SELECT version FROM policy_mailing WHERE finished_at IS NULL ORDER BY version"
    )
    return [row["version"] for row in rows]


async def mail_more(connection: Link, version: int, now: datetime) -> Mailing:
    """Put some more members into the outbox, in the order of their ids. One transaction, the caller's.

    CLAUSE (C9, C16): it is a mail about the account, so everybody gets it who has one, whatever was chosen
    about promotional mail. Members who join meanwhile read of it where they register.
    """
    reached = await connection.fetchval(
        "SELECT reached FROM policy_mailing WHERE version = $1 AND finished_at IS NULL FOR UPDATE", version
    )
    if reached is None:
        queued = await connection.fetchval("SELECT queued FROM policy_mailing WHERE version = $1", version)
        return Mailing(queued or 0, finished=True)
    row = await connection.fetchrow(
        "WITH next AS (SELECT id, email FROM member WHERE id > $1 AND status = $2 AND email IS NOT NULL"
        " ORDER BY id LIMIT $3), posted AS (INSERT INTO outgoing_mail (id, member_id, recipient, kind,"
        " policy_version, created_at, due_at, attempts)"
        " SELECT gen_random_uuid(), id, email, $4, $5, $6, $6, 0 FROM next)"
        " SELECT (SELECT id FROM next ORDER BY id DESC LIMIT 1) AS last, count(*) AS count FROM next",
        reached,
        MemberStatus.ACTIVE.value,
        MAILED,
        LetterKind.NEW_PRACTICE.value,
        version,
        now,
    )
    last, count = (None, 0) if row is None else (row["last"], row["count"])
    finished = count < MAILED
    queued = await connection.fetchval(
        "UPDATE policy_mailing SET reached = coalesce($2, reached), queued = queued + $3,"
        " finished_at = CASE WHEN $4 THEN $5::timestamptz END WHERE version = $1 RETURNING queued",
        version,
        last,
        count,
        finished,
        now,
    )
    return Mailing(queued, finished)


async def mail_notices(
    transactions: Transactions,
    clock: Callable[[], datetime],
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Put every member into the outbox whom a notice has yet to reach; to how many members in all.

    It goes on where it stopped. It is part of the publication that began it, and no action of its own.
    """
    queued = 0
    async with transactions() as connection:
        waiting = await unfinished_mailings(connection)
    for version in waiting:
        mailing = Mailing(0, finished=False)
        while not mailing.finished:
            async with transactions() as connection:
                mailing = await mail_more(connection, version, clock())
            on_progress(mailing.queued)
        queued += mailing.queued
    return queued


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


async def list_versions(connection: Link) -> Sequence[VersionView]:
    """Every version, the latest first."""
    rows = await connection.fetch(
        "SELECT number, title, digest, published_at, published_by, effective_at, notice_days, rolled_back_to,"
        " (SELECT count(*) FROM notice WHERE version = number) AS notices,"
        " (SELECT queued FROM policy_mailing WHERE version = number) AS mailed"
        " FROM policy_version ORDER BY number DESC"
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
