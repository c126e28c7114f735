"""Why a partner sees or does not see a field of a member: reads the facts, asks `policies.explain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.agreement import scope_mask
from policies.choices import Choice
from policies.explain import Explanation, explain
from policies.matrix import Matrix
from policies.sharing import EVERYTHING, MemberFacts
from resolvers.callers import find_member
from resolvers.commands.partners import AgreementView, list_agreements
from resolvers.connection import Link
from resolvers.decision_facts import read_choices, read_facts, read_named
from resolvers.deletions import overdue_words
from schema.catalogue import Catalogue
from schema.categories import DataCategory
from schema.errors import InputError, NotFoundError
from schema.vocabulary import Restriction

SHARED_TYPE = "SharedMember"

_ANNOUNCED: Final = (
    "SELECT min(effective_at) FROM notice WHERE basis = $1 AND purpose = $2 AND $3::text = ANY(categories)"
    " AND (regions IS NULL OR $4::text = ANY(regions)) AND withdrawn_at IS NULL AND effective_at > $5"
)
"""The categories of a notice are those that it opens."""


@dataclass(frozen=True, slots=True)
class ExplainedAgreement:
    """The explanation under one agreement of the partner."""

    agreement: AgreementView
    explanation: Explanation
    announced_for: datetime | None = None
    """When the cell that it rests on opens, by a notice that waits."""

    def lines(self) -> Iterator[str]:
        """The answer as text for an officer, one line at a time."""
        yield from self.explanation.lines()
        restriction = self.agreement.duties.restriction
        if restriction is not Restriction.NONE:
            yield overdue_words(restriction)
        if self.announced_for is not None:
            yield f"it was announced, and opens on {self.announced_for:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """The agreements of a partner, and the member whom the question is about."""

    agreements: Sequence[AgreementView]
    member_id: UUID
    facts: MemberFacts
    choices: Sequence[Choice]


def category_named(catalogue: Catalogue, field: str) -> DataCategory:
    """The data category that `field` names: a field of `SharedMember`, or a category key.

    Raises:
        InputError: it names neither.
    """
    name = field.removeprefix(f"{SHARED_TYPE}.")
    if (SHARED_TYPE, name) in catalogue.fields:
        return catalogue.category(SHARED_TYPE, name)
    try:
        return DataCategory(field)
    except ValueError as error:
        known = ", ".join(sorted(f for owner, f in catalogue.fields if owner == SHARED_TYPE))
        raise InputError(f"`--field` is a category key or one of: {known}") from error


async def explain_field(
    connection: Link,
    matrix: Matrix,
    *,
    partner: str,
    member: str,
    category: DataCategory,
    scopes: Sequence[str] | None,
    now: datetime,
) -> Sequence[ExplainedAgreement]:
    """One explanation for each agreement of the partner, whether it is in force or not.

    `scopes` are those of the token; None stands for all that the agreement names.

    Raises:
        NotFoundError: there is no such partner, no such member number, or no agreement.
    """
    asked = await read_asked(connection, partner, member)
    return [
        ExplainedAgreement(
            agreement,
            explain(
                matrix,
                agreement.terms,
                EVERYTHING if scopes is None else scope_mask(agreement.terms, scopes),
                asked.facts,
                asked.choices,
                category=category,
                now=now,
            ),
            await connection.fetchval(
                _ANNOUNCED, agreement.terms.basis, agreement.terms.purpose, category, asked.facts.region, now
            ),
        )
        for agreement in asked.agreements
    ]


async def read_asked(
    connection: Link, partner: str, member: str, *, at: datetime | None = None
) -> AskedAbout:
    """What an explanation is made of; `at` a date, with the choices and legal cases of then.

    Raises:
        NotFoundError: there is no such partner, no such member number, or no agreement.
    """
    agreements = await list_agreements(connection, partner=partner)
    if not agreements:
        raise NotFoundError("that partner has no agreement: see `gateway partner list`")
    member_id = await find_member(connection, member)
    row = await connection.fetchrow("SELECT birth_date, region, status FROM member WHERE id = $1", member_id)
    if member_id is None or row is None:
        raise NotFoundError("there is no member of that number")
    named = (await read_named(connection, [member_id], at=at)).get(member_id, frozenset())
    choices = (await read_choices(connection, [member_id], received_by=at)).get(member_id, ())
    return AskedAbout(agreements, member_id, read_facts(row, named), choices)
