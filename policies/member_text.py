"""The policy in words, for members: who receives what, for what, by which rule, and what they can do.

In come a compiled policy, the words of a language, what was announced and the time; out comes a `Document`.
It says what the matrix says and nothing else, so that no sentence can promise what is not decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from policies.choices import BASES_WITHOUT_CHOICE
from policies.document import Block, Document, Heading, Items, Paragraph
from policies.engine import Action
from policies.matrix import Matrix
from policies.regions import OTHER_REGION
from policies.rules import Rule
from policies.words import Words
from policies.words.rule_texts import rule_text
from schema.categories import SEALED, SHAREABLE, Basis, DataCategory, Purpose, categories_of


class Announcement(Protocol):
    """A new practice that was announced (C16)."""

    @property
    def title(self) -> str:
        """Its heading."""

    @property
    def body(self) -> str:
        """What it says, in paragraphs."""

    @property
    def basis(self) -> Basis:
        """On which basis data will be shared."""

    @property
    def purpose(self) -> Purpose:
        """What for."""

    @property
    def categories(self) -> Sequence[str]:
        """Which data."""

    @property
    def published_at(self) -> datetime:
        """Since when everybody can read it."""

    @property
    def effective_at(self) -> datetime:
        """Its first day."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Since when a policy is in force, and as which version; None: nobody said."""

    version: str | None = None
    since: datetime | None = None


UNKNOWN: Final = Standing()


def member_text(
    matrix: Matrix,
    words: Words,
    standing: Standing = UNKNOWN,
    announced: Sequence[Announcement] = (),
    now: datetime | None = None,
) -> Document:
    """The whole text. What was announced counts as coming until `now` has reached its first day.

    CLAUSE (C16): everybody can read the policy in force in words, with what will change and how to refuse it.
    """
    return Document(
        words.text_title,
        (
            Paragraph(words.text_intro),
            *_standing(words, standing),
            *announcements(announced, words, now),
            *_shared(matrix, words),
            Heading(words.minors),
            Paragraph(words.minors_text),
            Heading(words.never),
            *_never(matrix, words),
            Heading(words.choice),
            Paragraph(words.choice_text),
            Paragraph(words.choice_signal),
            Heading(words.access),
            Paragraph(words.access_text),
            Heading(words.rules),
            Paragraph(words.rules_intro),
            Items(tuple(_rule(rule, words) for rule in matrix.rules.values())),
            *_waiting(matrix, words),
            Paragraph(words.fingerprint.format(digest=matrix.digest), quiet=True),
        ),
    )


def _waiting(matrix: Matrix, words: Words) -> Iterator[Block]:
    """The rules that do not count yet, apart from those that do."""
    if matrix.waiting:
        yield Heading(words.rules_waiting)
        yield Paragraph(words.rules_waiting_intro)
        yield Items(tuple(_rule(rule, words) for rule in matrix.waiting))


def _standing(words: Words, standing: Standing) -> Iterator[Block]:
    if standing.since is None:
        return
    date = words.date(standing.since)
    if standing.version is None:
        yield Paragraph(words.in_force_unnamed.format(date=date))
    else:
        yield Paragraph(words.in_force.format(version=standing.version, date=date))


def announcements(announced: Sequence[Announcement], words: Words, now: datetime | None) -> Sequence[Block]:
    """What will change, with the day and how to refuse it; then what has changed. None announced: nothing."""
    coming = [notice for notice in announced if now is None or notice.effective_at > now]
    begun = [notice for notice in announced if notice not in coming]
    return (
        *_notices(coming, words, words.coming, words.coming_intro),
        *_notices(begun, words, words.changed, None),
    )


def _notices(notices: Sequence[Announcement], words: Words, title: str, intro: str | None) -> Iterator[Block]:
    if not notices:
        return
    yield Heading(title)
    if intro is not None:
        yield Paragraph(intro)
    for notice in notices:
        yield Heading(notice.title, 3)
        yield from (Paragraph(part) for part in notice.body.split("\n\n") if part.strip())
        categories = listed((DataCategory(key) for key in notice.categories), words)
        yield Paragraph(
            words.about.format(
                categories=categories, use=words.uses[notice.purpose], whom=words.basis[notice.basis]
            )
        )
        dates = words.announced.format(
            announced=words.date(notice.published_at), effective=words.date(notice.effective_at)
        )
        refusing = words.not_refusable if notice.basis in BASES_WITHOUT_CHOICE else words.refusable
        yield Paragraph(f"{dates} {refusing}")


def _shared(matrix: Matrix, words: Words) -> Iterator[Block]:
    yield Heading(words.shared)
    for basis in Basis:
        practices = _practices(matrix, basis)
        if practices:
            yield Heading(words.whom[basis], 3)
        for practice in practices:
            uses = words.enumerated([words.uses[purpose] for purpose in practice.purposes])
            what = words.shared_for.format(
                uses=uses, categories=listed(categories_of(practice.shared), words)
            )
            yield Paragraph(" ".join([what, *_when(basis, practice, words)]))
            rules = words.enumerated([f"`{rule.name}`" for rule in practice.rules])
            yield Paragraph(words.decided_by.format(rules=rules), quiet=True)


@dataclass(frozen=True, slots=True)
class _Practice:
    """Purposes of one basis with the same sharing. `presumed` is by region, that of `OTHER` first."""

    purposes: tuple[Purpose, ...]
    shared: int
    presumed: tuple[tuple[str, int], ...]
    rules: tuple[Rule, ...]


def _practices(matrix: Matrix, basis: Basis) -> list[_Practice]:
    found: dict[tuple[object, ...], list[Purpose]] = {}
    regions = (OTHER_REGION, *(region for region in matrix.regions if region != OTHER_REGION))
    for purpose in Purpose:
        shared = matrix.share_mask(basis, purpose, protected=False)
        presumed = tuple((region, matrix.presumed_mask(basis, purpose, region)) for region in regions)
        if basis in BASES_WITHOUT_CHOICE:
            shared &= presumed[0][1]  # nobody can ask for the rest
        if shared:
            rules = _rules(matrix, basis, purpose, shared)
            found.setdefault((shared, presumed, rules), []).append(purpose)
    return [
        _Practice(tuple(purposes), shared, presumed, rules)  # type: ignore[arg-type]
        for (shared, presumed, rules), purposes in found.items()
    ]


def _rules(matrix: Matrix, basis: Basis, purpose: Purpose, shared: int) -> tuple[Rule, ...]:
    """The rules by which this is shared, and by which it waits for an opt-in somewhere."""
    ids = {
        rule_id
        for category in categories_of(shared)
        for action, region in (
            (Action.SHARE, None),
            *((Action.PRESUME, region) for region in matrix.regions),
        )
        for rule_id in matrix.rule_for(action, basis, purpose, category, region=region)
    }
    return tuple(rule for rule in matrix.rules.values() if rule.name in ids)


def _when(basis: Basis, practice: _Practice, words: Words) -> Iterator[str]:
    if basis in BASES_WITHOUT_CHOICE:
        yield words.no_choice
        return
    if basis is Basis.MEMBER_REQUEST:
        yield words.only_requested
        return
    (_, general), *regions = practice.presumed
    yield _until(practice.shared, general, words)
    for region, presumed in regions:
        if presumed != general:
            how = _until(practice.shared, presumed, words)
            yield words.in_region.format(region=words.region(region), how=f"{how[:1].lower()}{how[1:]}")


def _until(shared: int, presumed: int, words: Words) -> str:
    if presumed == shared:
        return words.until_refused
    if not presumed:
        return words.if_asked
    return words.until_refused_but.format(categories=listed(categories_of(presumed), words))


def _never(matrix: Matrix, words: Words) -> Iterator[Block]:
    to_companies = 0
    for basis in Basis:
        if basis not in BASES_WITHOUT_CHOICE:
            for purpose in Purpose:
                to_companies |= matrix.share_mask(basis, purpose, protected=False)
    yield Paragraph(words.never_text.format(categories=_capital(listed(SEALED, words))))
    kept_back = SHAREABLE - categories_of(to_companies)
    if kept_back:
        yield Paragraph(words.kept_back.format(categories=_capital(listed(kept_back, words))))


def _rule(rule: Rule, words: Words) -> str:
    effect = words.permits if rule.effect == "permit" else words.forbids
    return f"{effect.format(text=rule_text(rule, words.language))} (`{rule.name}`, {rule.clause})"


def listed(categories: Iterable[DataCategory], words: Words) -> str:
    """The categories in words, in the order of the alphabet, without those that another one covers.

    One that covers something sealed stands for itself alone: there is more of it than is shared.
    """
    known = tuple(categories)
    covering = [c for c in known if not any(c != sealed and c.covers(sealed) for sealed in SEALED)]
    whole = [c for c in known if not any(o != c and o.covers(c) for o in covering)]
    return ", ".join(sorted((words.categories[category] for category in whole), key=str.casefold))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
