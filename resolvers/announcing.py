"""Announcing: notices are written down, and every member is told of them by mail (C8 c, C16).

Notices that belong together, those of a publication or that of a transfer, are told in one mail: they name
one *mailing*, which says how far the members have been put into the outbox. It is part of the action that
began it, and goes on where it stopped, in whichever process comes first.

INVARIANT (mailed-once): who moves a mailing on holds its row, and the mails and the place up to which they go
are one commit. So each member gets one mail of it, however many processes work on it and wherever one dies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.notice_texts import NoticeDraft
from resolvers.connection import Link, Transactions
from schema.ids import new_id
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus
from schema.vocabulary import Language

MAILED: Final = 5_000
"""Members that are put into the outbox at a time: a transaction that lasts a moment."""

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What notices are published for. `version` is the publication that made them; None: another reason.

    `language` is the company's own. `letter` is the mail that tells of them, and begins; `mailing_id` one
    that has begun, and tells of them as well. With neither, nobody is mailed.
    """

    published_at: datetime
    effective_at: datetime
    language: Language
    letter: LetterKind | None
    version: int | None = None
    mailing_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Mailing:
    """How far a mailing has got."""

    queued: int
    finished: bool


async def announce(connection: Link, drafts: Sequence[NoticeDraft], occasion: Occasion) -> tuple[UUID, ...]:
    """Publish the notices, and begin the mailing about them. The caller's transaction."""
    mailing_id = occasion.mailing_id
    if drafts and occasion.letter is not None:
        mailing_id = await _begin(connection, occasion.letter)
    made: list[UUID] = []
    for draft in drafts:
        made.append(new_id())
        told = {language.value: asdict(text) for language, text in draft.texts.items()}
        own = told.pop(occasion.language.value)
        await connection.execute(
            "INSERT INTO notice (id, title, body, basis, purpose, categories, published_at, effective_at,"
            " version, regions, language, translations, mailing_id)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13)",
            made[-1],
            own["title"],
            own["body"],
            draft.basis.value,
            draft.purpose.value,
            sorted(category.value for category in draft.categories),
            occasion.published_at,
            occasion.effective_at,
            occasion.version,
            None if draft.regions is None else sorted(draft.regions),
            occasion.language.value,
            json.dumps(told),
            mailing_id,
        )
    return tuple(made)


async def _begin(connection: Link, letter: LetterKind) -> UUID:
    mailing_id = new_id()
    await connection.execute(
        "INSERT INTO notice_mailing (id, kind, reached, queued) VALUES ($1, $2, $3, 0)",
        mailing_id,
        letter.value,
        _NOBODY,
    )
    return mailing_id


async def withdraw(connection: Link, notices: Sequence[UUID], now: datetime) -> None:
    """Take notices back. What of their mail has not been sent is not sent any more."""
    await connection.execute(
        "UPDATE notice SET withdrawn_at = $2 WHERE id = ANY($1::uuid[])", list(notices), now
    )


async def unfinished_mailings(connection: Link) -> Sequence[UUID]:
    """The mailings that have yet to reach members, the oldest first."""
    rows = await connection.fetch("SELECT id FROM notice_mailing WHERE finished_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def mail_more(connection: Link, mailing_id: UUID, now: datetime) -> Mailing:
    """Put some more members into the outbox, in the order of their ids. One transaction, the caller's.

    CLAUSE (C9, C16, C17): it is a mail about the account, so everybody gets it who has one, whatever was
    chosen about promotional mail. Members under 18 get it as well: it says that nothing of theirs is shared,
    and on the day they come of age they are treated as everybody else, who was told before. Members who join
    meanwhile read of it where they register.

    1. nobody else moves this mailing on meanwhile (INVARIANT mailed-once);
    2. if all of its notices were taken back, it is over;
    3. the next members; whoever is being erased is waited for, and is gone then;
    4. how far it has got.
    """
    mailing = await connection.fetchrow(  # 1
        "SELECT kind, reached, queued, finished_at FROM notice_mailing WHERE id = $1 FOR UPDATE", mailing_id
    )
    if mailing is None or mailing["finished_at"] is not None:
        return Mailing(0 if mailing is None else mailing["queued"], finished=True)
    last, count = mailing["reached"], 0
    if await _stands(connection, mailing_id):  # 2
        row = await connection.fetchrow(  # 3
            "WITH next AS (SELECT id, email FROM member WHERE id > $1 AND status = $2 AND email IS NOT NULL"
            " ORDER BY id LIMIT $3 FOR KEY SHARE), posted AS (INSERT INTO outgoing_mail (id, member_id,"
            " recipient, kind, mailing_id, created_at, due_at, attempts)"
            " SELECT gen_random_uuid(), id, email, $4, $5, $6, $6, 0 FROM next)"
            " SELECT (SELECT id FROM next ORDER BY id DESC LIMIT 1) AS last, count(*) AS count FROM next",
            last,
            MemberStatus.ACTIVE.value,
            MAILED,
            mailing["kind"],
            mailing_id,
            now,
        )
        if row is not None and row["count"]:
            last, count = row["last"], row["count"]
    finished = count < MAILED
    await connection.execute(  # 4
        "UPDATE notice_mailing SET reached = $2, queued = queued + $3, finished_at = $4 WHERE id = $1",
        mailing_id,
        last,
        count,
        now if finished else None,
    )
    return Mailing(mailing["queued"] + count, finished)


async def _stands(connection: Link, mailing_id: UUID) -> bool:
    """Whether anything is left to tell."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM notice WHERE mailing_id = $1 AND withdrawn_at IS NULL)", mailing_id
    )
    return found


async def mail_notices(
    transactions: Transactions,
    clock: Callable[[], datetime],
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Put every member into the outbox whom a notice has yet to reach; to how many members in all."""
    queued = 0
    async with transactions() as connection:
        waiting = await unfinished_mailings(connection)
    for mailing_id in waiting:
        mailing = Mailing(0, finished=False)
        while not mailing.finished:
            async with transactions() as connection:
                mailing = await mail_more(connection, mailing_id, clock())
            on_progress(queued + mailing.queued)
        queued += mailing.queued
    return queued
