"""The letters about notices: what is announced, from when on, and what a member can do (C8 c, C16).

Comes in: an announcement, and to whom it goes. Goes out: subject and paragraphs, whole in the company's
language, because nobody has told us which one a member reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from gateway.web.addresses import Addresses
from policies.words import WORDS, Words
from resolvers.outbox import Announcement
from schema.tables.mail import LetterKind


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """The subject, and what stands below it."""

    subject: str
    parts: tuple[str, ...]


def notice_letter(
    kind: LetterKind,
    announcement: Announcement,
    member_id: UUID,
    *,
    name: str | None,
    sender: str,
    addresses: Addresses,
) -> NoticeLetter:
    """The letter of a kind about these notices. `name` is the member's, if it can be greeted with.

    CLAUSE (C16): the mail about a new practice says how to refuse it.
    CLAUSE (C8, C17): that about a transfer has nothing to refuse, and says what a member can do instead;
    either says that nothing is shared about members under 18.
    """
    words = WORDS[announcement.language]
    subject, why = _OPENINGS[kind](words)
    return NoticeLetter(
        subject,
        (
            words.hello if name is None else words.hello_named.format(name=name),
            why,
            *_notices(announcement, words),
            *_refusing(announcement, member_id, words, addresses),
            words.minors_text,
            words.mail_pages,
            f"{addresses.public_url}/policy",
            words.mail_account.format(sender=sender),
        ),
    )


def _notices(announcement: Announcement, words: Words) -> Iterator[str]:
    for notice in announcement.notices:
        sentences = [notice.body, words.begins.format(date=words.date(notice.effective_at))]
        if not notice.refusable and announcement.version is not None:  # a transfer says so itself
            sentences.append(words.not_refusable)
        yield f"{notice.title}\n\n{' '.join(sentences)}"


def _refusing(
    announcement: Announcement, member_id: UUID, words: Words, addresses: Addresses
) -> Iterator[str]:
    if announcement.refusable and announcement.version is not None:
        yield words.refuse_by_link
        yield addresses.refuse_practices(member_id, announcement.version)
        yield words.mail_choices
    else:
        yield words.access_text


_OPENINGS: Final[Mapping[LetterKind, Callable[[Words], tuple[str, str]]]] = MappingProxyType(
    {
        LetterKind.NEW_PRACTICE: lambda words: (words.practice_subject, words.practice_why),
        LetterKind.BUSINESS_TRANSFER: lambda words: (words.transfer_subject, words.transfer_why),
    }
)
"""What each is called, and why it came."""
