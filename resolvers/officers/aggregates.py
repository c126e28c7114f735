"""Aggregates at the officers' desk: agreements, budgets, answers, questions of the company's own (C5, C7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.aggregate_agreement import PURPOSES, AggregateTerms, parse_dimensions
from policies.audience import AudienceRules, Question
from policies.officers import Act
from policies.privacy_budget import (
    MOST_BUDGET,
    SMALLEST,
    PrivacyBudget,
    Thousandths,
    epsilon_of,
    period_of,
)
from resolvers.aggregate_terms import COLUMNS, terms_of
from resolvers.commands.audience import Answered, Asker, ask_audience
from resolvers.desk import Desk
from resolvers.privacy_ledger import EVERYONE, INTERNAL, account_of, read_budget
from resolvers.revocations import RevocationKind, revoke
from schema.categories import Purpose
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.vocabulary import AgreementStatus


@dataclass(frozen=True, slots=True)
class AggregateAgreementView:
    """An agreement as an officer sees it: terms, clients, and what is left of this month's budget."""

    partner: str
    terms: AggregateTerms
    clients: tuple[str, ...]
    budget: PrivacyBudget


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer as an officer sees it: to whom, when, which question, at what loss."""

    answered_at: datetime
    account: str
    asker: str
    question: str
    epsilon: Thousandths


@dataclass(frozen=True, slots=True)
class Budgets:
    """What is left for all recipients together, and for the company's own officers."""

    everyone: PrivacyBudget
    internal: PrivacyBudget


async def create_aggregate_agreement(
    desk: Desk,
    *,
    partner: str,
    purpose: Purpose,
    dimensions: Iterable[str],
    budget: Thousandths,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> UUID:
    """Let a company ask about the audience; returns the agreement's id. It counts from now, or `valid_from`.

    Raises:
        ForbiddenError: the officer may not.
        InputError: a purpose, dimension, budget or date that cannot be.
        NotFoundError: there is no such partner.
    """
    await desk.act(Act.AGREEMENT_CREATE, f"aggregate agreement with {partner}")
    begins = valid_from or desk.now
    if purpose not in PURPOSES:
        raise InputError(f"`--purpose`: one of {', '.join(sorted(one.name for one in PURPOSES))}")
    if not SMALLEST <= budget <= MOST_BUDGET:
        raise InputError(
            f"`--budget`: an epsilon from {epsilon_of(SMALLEST):g} to {epsilon_of(MOST_BUDGET):g}"
        )
    if valid_until is not None and valid_until <= begins:
        raise InputError("`--until` has to be after `--from`")
    granted = parse_dimensions(dimensions)
    partner_id = await desk.connection.fetchval("SELECT id FROM partner WHERE name = $1", partner)
    if partner_id is None:
        raise NotFoundError("there is no such partner: see `gateway partner list`")
    agreement_id = new_id()
    await desk.connection.execute(
        "INSERT INTO aggregate_agreement"
        " (id, partner_id, purpose, dimensions, budget, valid_from, valid_until, status, version, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'ACTIVE', 1, $8)",
        agreement_id,
        partner_id,
        purpose.value,
        sorted(granted),
        budget,
        begins,
        valid_until,
        desk.now,
    )
    return agreement_id


async def end_aggregate_agreement(desk: Desk, agreement_id: UUID) -> None:
    """Stop an agreement at once and for good, in every replica.

    Raises:
        ForbiddenError: the officer may not.
        InputError: it has ended already.
        NotFoundError: there is no such agreement.
    """
    await desk.act(Act.AGREEMENT_STATUS, f"aggregate agreement {agreement_id}")
    status = await desk.connection.fetchval(
        "SELECT status FROM aggregate_agreement WHERE id = $1 FOR UPDATE", agreement_id
    )
    if status is None:
        raise _unknown()
    if status == AgreementStatus.ENDED:
        raise InputError("the agreement has ended already")
    await desk.connection.execute(
        "UPDATE aggregate_agreement SET status = 'ENDED', version = version + 1 WHERE id = $1", agreement_id
    )
    await revoke(desk.connection, RevocationKind.AGREEMENT, str(agreement_id), now=desk.now)


async def list_aggregate_agreements(
    desk: Desk, *, agreement_id: UUID | None = None, partner: str | None = None
) -> Sequence[AggregateAgreementView]:
    """The agreements, by partner and age: all, that of an id, or those of a partner.

    Raises:
        ForbiddenError: the officer may not.
        NotFoundError: there is none of that id.
    """
    await desk.act(Act.AGREEMENT_READ, "aggregate agreements" if agreement_id is None else str(agreement_id))
    rows = await desk.connection.fetch(_LIST, agreement_id, partner)
    if agreement_id is not None and not rows:
        raise _unknown()
    views = []
    for row in rows:
        terms = terms_of(row)
        budget = await read_budget(desk.connection, period_of(desk.now), account_of(terms.id), terms.budget)
        views.append(AggregateAgreementView(row["partner"], terms, tuple(row["clients"]), budget))
    return views


async def ask_internally(desk: Desk, question: Question, rules: AudienceRules) -> Answered:
    """The answer to an officer, for the company's own use (C5): under a budget like everybody's.

    Raises:
        ForbiddenError: none of the officer's roles may.
        PrivacyBudgetError: the company's own budget, or everyone's, has less left.
    """
    await desk.act(Act.AUDIENCE_READ, f"audience question {question.digest.hex()[:16]}")
    asker = Asker(None, rules.internal_budget, officer=desk.officer.name)
    return await ask_audience(desk.connection, question, asker, rules, now=desk.now)


async def look_at_dimensions(desk: Desk) -> None:
    """Write down that an officer looks at what may be asked.

    Raises:
        ForbiddenError: none of the officer's roles may.
    """
    await desk.act(Act.AUDIENCE_READ, "dimensions of the audience")


async def list_answers(
    desk: Desk, *, agreement_id: UUID | None = None, limit: int = 100
) -> Sequence[AnswerView]:
    """What was answered, to whom, the latest first: all, or what was under one agreement.

    Raises:
        ForbiddenError: none of the officer's roles may.
    """
    await desk.act(Act.DISCLOSURE_READ, "answers about the audience")
    rows = await desk.connection.fetch(
        "SELECT a.answered_at, a.account, coalesce(a.client_id, a.officer) AS asker, r.question, r.epsilon"
        " FROM aggregate_answer a JOIN aggregate_release r ON r.id = a.release_id"
        " WHERE $1::text IS NULL OR a.account = $1 ORDER BY a.answered_at DESC, a.id DESC LIMIT $2",
        None if agreement_id is None else account_of(agreement_id),
        limit,
    )
    return [AnswerView(**row) for row in rows]


async def read_budgets(desk: Desk, rules: AudienceRules) -> Budgets:
    """What is left in this month.

    Raises:
        ForbiddenError: none of the officer's roles may.
    """
    await desk.act(Act.AUDIENCE_READ, "budgets of aggregates")
    period = period_of(desk.now)
    return Budgets(
        await read_budget(desk.connection, period, EVERYONE, rules.everyone_budget),
        await read_budget(desk.connection, period, INTERNAL, rules.internal_budget),
    )


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such aggregate agreement: see `gateway aggregates agreement list`")


_LIST: Final = (
    f"SELECT {COLUMNS}, p.name AS partner, ARRAY(SELECT c.client_id FROM partner_client c"
    " WHERE c.aggregate_agreement_id = g.id AND c.status = 'ACTIVE' ORDER BY c.client_id) AS clients"
    " FROM aggregate_agreement g JOIN partner p ON p.id = g.partner_id"
    " WHERE ($1::uuid IS NULL OR g.id = $1) AND ($2::text IS NULL OR p.name = $2) ORDER BY p.name, g.id"
)
