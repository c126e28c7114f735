"""What a notice says: of what a new version of the policy opens (C16), of a transfer of the business (C8).

In comes what is announced, out come a title and a body in plain words, in every language there is. The rest
of what members read about it (dates, how to refuse) is added where it is shown (`policies.member_text`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from policies.engine import Action
from policies.regions import GROUPS, OTHER_REGION
from policies.versions import CellGroup
from policies.words import WORDS, Words
from schema.categories import Basis, DataCategory, Purpose
from schema.vocabulary import Language


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice in one language."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A notice to be published. `regions` None: it is about everybody."""

    basis: Basis
    purpose: Purpose
    categories: frozenset[DataCategory]
    regions: frozenset[str] | None
    texts: Mapping[Language, NoticeText]


def draft_notices(opened: Iterable[CellGroup]) -> Sequence[NoticeDraft]:
    """One notice for each basis, purpose and extent: every cell that opens is in exactly one of them.

    CLAUSE (C16): nothing new is shared that was not announced.
    """
    return [
        NoticeDraft(
            group.basis,
            group.purpose,
            group.categories,
            group.regions,
            {language: _new_practice(group, words) for language, words in WORDS.items()},
        )
        for group in _merged(opened)
    ]


def draft_transfer(acquirer: str, categories: Iterable[DataCategory], effective_at: datetime) -> NoticeDraft:
    """The notice of a transfer to a company, by the name that members know.

    CLAUSE (C8, C17): it says from when on the acquirer receives data, of whom it does not, and what a member
    can do who does not want it.
    """
    return NoticeDraft(
        Basis.INSOLVENCY,
        Purpose.BUSINESS_TRANSFER,
        frozenset(categories),
        None,
        {
            language: NoticeText(
                words.transfer_title.format(acquirer=acquirer),
                words.transfer_text.format(acquirer=acquirer, date=words.date(effective_at)),
            )
            for language, words in WORDS.items()
        },
    )


def _merged(opened: Iterable[CellGroup]) -> Sequence[CellGroup]:
    """What is new of one basis and purpose in the same places is said once, shared or presumed."""
    merged: dict[tuple[Basis, Purpose, frozenset[str] | None], CellGroup] = {}
    for group in opened:
        key = (group.basis, group.purpose, group.regions)
        known = merged.get(key)
        merged[key] = (
            group if known is None else replace(known, categories=known.categories | group.categories)
        )
    return list(merged.values())


def _new_practice(group: CellGroup, words: Words) -> NoticeText:
    whom, use = words.basis[group.basis], words.uses[group.purpose]
    said = words.notice_shared if group.action is Action.SHARE else words.notice_presumed
    body = said.format(categories=_listed(group.categories, words), use=use, whom=whom)
    if group.regions is not None:
        body += " " + words.notice_regions.format(regions=words.enumerated(_places(group.regions, words)))
    return NoticeText(words.notice_title.format(use=use, whom=whom), body)


def _listed(categories: Iterable[DataCategory], words: Words) -> str:
    return words.enumerated([words.categories[category] for category in sorted(categories)])


def _places(regions: frozenset[str], words: Words) -> Sequence[str]:
    left, named = set(regions), []
    for group, countries in sorted(GROUPS.items(), key=lambda entry: -len(entry[1])):
        if countries <= left:
            left -= countries
            named.append(group)
    places = [*named, *sorted(left - {OTHER_REGION}), *(sorted(left & {OTHER_REGION}))]
    return [words.regions.get(place, place) for place in places]
