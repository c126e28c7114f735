"""What a partner could see of a member at a date, and why: what was recorded then, and the reasons made anew.

The record decides. `share_change` has the mask of every moment since the first line; whether the agreement
was in force at the date stands in `agreement_version`. The reasons are `policies.explain`'s, from the policy
that decided then, the terms and legal cases of then and the choices received by then. Birth date, region and
status are known as they are today, which is said; where reasons and record differ, that is said too.

CLAUSE (C16): what could be seen of a member at an earlier date, and why, is answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms, scope_mask
from policies.combined import in_force, matrix_of
from policies.decision import Allow
from policies.directory import read_directory
from policies.explain import Explanation, explain
from policies.matrix import Matrix
from policies.sharing import EVERYTHING, needed_mask, passes
from resolvers.connection import Link
from resolvers.decision_facts import read_terms
from resolvers.deletions import overdue_words, restriction_at
from resolvers.explanations import read_asked
from resolvers.policy_versions import Compile, read_timeline
from schema.categories import CATEGORY_LABELS, DataCategory
from schema.errors import InputError, UnavailableError
from schema.vocabulary import Restriction

TODAYS_FACTS: Final = "birth date, region and status are those of today: their history is not kept"
DIFFERS: Final = (
    "the reasons and the record DIFFER. The record is what was shared; a fact that is known as of today only,"
    " or rules of an earlier program, may be why"
)


@dataclass(frozen=True, slots=True)
class PolicyThen:
    """What decided at a date. `held_back`: other versions that kept something of it closed."""

    version: int
    title: str
    published_at: datetime
    held_back: tuple[int, ...]
    matrix: Matrix
    certain: bool
    """Whether anything was published by then; otherwise it is the first version."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What `share_change` says: the mask at the date, and since when; None: no line is older."""

    mask: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ExplainedAt:
    """The answer under one agreement."""

    terms: AgreementTerms
    terms_since: datetime | None
    """When these terms were recorded; None: none were by the date, and these are the first that were."""
    policy: PolicyThen
    recorded: Recorded
    restriction: Restriction
    """Of the partner, for deletions that were overdue."""
    shared: bool
    """Whether the partner could see the category, by the record."""
    explanation: Explanation

    @property
    def agrees(self) -> bool:
        """Whether the reasons lead to what was recorded."""
        allowed = isinstance(self.explanation.verdict, Allow) and self.restriction is Restriction.NONE
        return allowed == self.shared

    def lines(self) -> Iterator[str]:
        """The answer as text for an officer, one line at a time."""
        label = CATEGORY_LABELS[self.explanation.category]
        since = "" if self.recorded.since is None else f", by the record of {_day(self.recorded.since)}"
        yield f"recorded: {label} {'could' if self.shared else 'could NOT'} be seen{since}"
        yield from self._sources()
        yield from self.explanation.lines()
        if self.restriction is not Restriction.NONE:
            yield overdue_words(self.restriction)
        if not self.agrees:
            yield DIFFERS

    def _sources(self) -> Iterator[str]:
        policy = self.policy
        yield f"policy: version {policy.version}, `{policy.title}`, published {_day(policy.published_at)}"
        if policy.held_back:
            numbers = ", ".join(map(str, policy.held_back))
            versions = f"version{'s' if len(policy.held_back) > 1 else ''} {numbers}"
            yield f"  what was announced and not yet open was held back by {versions}"
        if not policy.certain:
            yield "  no version is recorded for that date: the first one is taken"
        if self.terms_since is None:
            yield "terms: none are recorded for that date; the first that are, are taken"
        else:
            yield f"terms: as recorded on {_day(self.terms_since)}"
        yield TODAYS_FACTS


async def explain_at(
    connection: Link,
    compiled: Compile,
    *,
    partner: str,
    member: str,
    category: DataCategory,
    scopes: Sequence[str] | None,
    at: datetime,
    now: datetime,
) -> Sequence[ExplainedAt]:
    """One answer for each agreement of the partner. `scopes` as in `explain_field`.

    Raises:
        InputError: the date has yet to come.
        NotFoundError: there is no such partner, no such member number, or no agreement.
    """
    if at > now:
        raise InputError("`--at` lies in the future: what will be decided then is not known")
    asked = await read_asked(connection, partner, member, at=at)
    policy = await _policy_at(connection, compiled, at)
    answers = []
    for agreement in asked.agreements:
        terms, since = await _terms_at(connection, agreement.terms, at)
        recorded = await _recorded_at(connection, terms, asked.member_id, at)
        restriction = await restriction_at(connection, terms.partner_id, at)
        scopes_mask = EVERYTHING if scopes is None else scope_mask(terms, scopes)
        shared = _seen(recorded, terms, scopes_mask, category, at, known=since is not None)
        answers.append(
            ExplainedAt(
                terms=terms,
                terms_since=since,
                policy=policy,
                recorded=recorded,
                restriction=restriction,
                shared=shared and restriction is Restriction.NONE,
                explanation=explain(
                    policy.matrix, terms, scopes_mask, asked.facts, asked.choices,
                    category=category, now=at,
                ),
            )
        )  # fmt: skip
    return answers


def _seen(
    recorded: Recorded,
    terms: AgreementTerms,
    scopes_mask: int,
    category: DataCategory,
    at: datetime,
    *,
    known: bool,
) -> bool:
    """A row counts while its agreement is in force, which each statement asks, and as far as scopes go."""
    counts = terms.in_force(at) if known else recorded.mask != 0
    return counts and passes(recorded.mask & scopes_mask, needed_mask(category))


async def _policy_at(connection: Link, compiled: Compile, at: datetime) -> PolicyThen:
    columns = "number, title, published_at, effective_at, steps"
    row = await connection.fetchrow(
        f"SELECT {columns} FROM policy_version WHERE published_at <= $1 ORDER BY number DESC LIMIT 1", at
    )
    certain = row is not None
    if row is None:
        row = await connection.fetchrow(f"SELECT {columns} FROM policy_version ORDER BY number LIMIT 1")
    if row is None:
        raise UnavailableError("no policy was published yet: start the gateway once, or `gateway init`")
    formula = read_timeline(row).at(at)
    numbers = sorted(reduce(or_, formula))
    rows = await connection.fetch(
        "SELECT number, title, published_at, files FROM policy_version WHERE number = ANY($1::int[])", numbers
    )
    by_number: dict[int, Record] = {each["number"]: each for each in rows}
    versions = {
        number: compiled(read_directory(json.loads(each["files"])).source)
        for number, each in by_number.items()
    }
    version = in_force(formula)
    return PolicyThen(
        version=version,
        title=by_number[version]["title"],
        published_at=by_number[version]["published_at"],
        held_back=tuple(number for number in numbers if number != version),
        matrix=matrix_of(formula, versions),
        certain=certain,
    )


async def _terms_at(
    connection: Link, current: AgreementTerms, at: datetime
) -> tuple[AgreementTerms, datetime | None]:
    """The terms of a date and since when; the first recorded ones and None, if there were none by then."""
    row = await connection.fetchrow(
        "SELECT agreement_id AS id, partner_id, recorded_at, terms.basis, terms.purpose, terms.categories,"
        " terms.valid_from, terms.valid_until, terms.status, terms.version FROM agreement_version terms"
        " JOIN agreement ON agreement.id = agreement_id WHERE agreement_id = $1"
        " ORDER BY recorded_at <= $2 DESC, CASE WHEN recorded_at <= $2 THEN -seq ELSE seq END LIMIT 1",
        current.id,
        at,
    )
    if row is None:
        return current, None
    return read_terms(row), row["recorded_at"] if row["recorded_at"] <= at else None


async def _recorded_at(connection: Link, terms: AgreementTerms, member_id: UUID, at: datetime) -> Recorded:
    """What the last line by then left; or else what the first line after it found; or else what is now."""
    subject = await connection.fetchval(
        "SELECT subject FROM pairwise_subject WHERE partner_id = $1 AND member_id = $2",
        terms.partner_id,
        member_id,
    )
    line = await connection.fetchrow(
        "SELECT after, changed_at FROM share_change WHERE agreement_id = $1 AND subject = $2"
        " AND changed_at <= $3 ORDER BY seq DESC LIMIT 1",
        terms.id,
        subject,
        at,
    )
    if line is not None:
        return Recorded(line["after"], line["changed_at"])
    before = await connection.fetchval(
        "SELECT before FROM share_change WHERE agreement_id = $1 AND subject = $2 ORDER BY seq LIMIT 1",
        terms.id,
        subject,
    )
    if before is None:
        before = await connection.fetchval(
            "SELECT mask FROM share WHERE agreement_id = $1 AND subject = $2", terms.id, subject
        )
    return Recorded(before or 0, None)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
