"""Asking about the audience: paid for first, drawn once, answered the same ever after (C5).

One transaction, which the caller commits before anything of the answer leaves:

1. what this account was answered already in this month is answered again, and costs nothing;
2. the account is held and pays; it may have been answered meanwhile;
3. what was drawn for somebody else in this month is what this account gets, too;
4. otherwise everyone's account pays, the audience is counted, and noise is drawn;
5. that it was answered is written down.

INVARIANT (one-question-one-draw): in one month there is one release of a question, whoever asks it, how often
and in whatever shape; so nobody, and no number of recipients together, averages noise away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.audience import AudienceRules, Question
from policies.audience_answer import Audience, present
from policies.principal import RecipientPrincipal
from policies.privacy_budget import PrivacyBudget, Thousandths, epsilon_of, period_of
from policies.quotas import seconds_until
from resolvers.aggregate_terms import read_terms
from resolvers.audience_counts import count_audience
from resolvers.connection import Link
from resolvers.noise import add_noise
from resolvers.privacy_ledger import EVERYONE, account_of, hold, read_budget, spend
from schema.errors import GatewayError, PrivacyBudgetError, UnauthenticatedError
from schema.ids import new_id

_RELEASE: Final = "r.id, r.released_at, r.groups, r.total, r.bound"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a company's client under an agreement, or an officer for the company itself."""

    agreement_id: UUID | None
    budget: Thousandths
    client_id: str | None = None
    token_id: str | None = None
    officer: str | None = None

    @property
    def account(self) -> str:
        """Whose budget pays."""
        return account_of(self.agreement_id)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, paid for. It leaves only after the commit."""

    audience: Audience
    as_of: datetime
    paid: Thousandths
    """What this very asking cost: 0 where the account had the answer already."""
    budget: PrivacyBudget


async def ask_audience(
    connection: Link, question: Question, asker: Asker, rules: AudienceRules, *, now: datetime
) -> Answered:
    """The answer to the question.

    CLAUSE (C5): a count is paid for of two budgets before it leaves, and the same question is answered the
    same ever after.

    Raises:
        PrivacyBudgetError: the account, or everyone's, has less left than the answer costs.
    """
    period, account = period_of(now), asker.account
    paid = Thousandths(0)
    release = await _answered(connection, period, question, account)  # 1
    if release is None:
        await hold(connection, period, account)  # 2
        release = await _answered(connection, period, question, account)
    if release is None:
        paid = question.epsilon
        await _pay(connection, period, account, paid, asker.budget, now)
        release = await _released(connection, period, question)  # 3
        if release is None:
            release = await _draw(connection, period, question, rules, now)  # 4
        await _write_down(connection, release["id"], asker, now)  # 5
    audience = Audience(tuple(release["groups"]), release["total"], release["bound"])
    budget = await read_budget(connection, period, account, asker.budget)
    return Answered(audience, release["released_at"], paid, budget)


async def recipient(connection: Link, principal: RecipientPrincipal, *, now: datetime) -> Asker:
    """The client as one who asks, under terms that cannot change before the caller's commit.

    Raises:
        UnauthenticatedError: its agreement is not in force (any more).
    """
    terms = await read_terms(connection, principal.agreement_id, lock=True)
    if terms is None or not terms.in_force(now):
        raise UnauthenticatedError("the agreement is not in force")
    return Asker(terms.id, terms.budget, client_id=principal.client_id, token_id=principal.token_id)


async def _answered(connection: Link, period: date, question: Question, account: str) -> Record | None:
    return await connection.fetchrow(
        f"SELECT {_RELEASE} FROM aggregate_release r JOIN aggregate_answer a ON a.release_id = r.id"
        " WHERE r.period = $1 AND r.digest = $2 AND a.account = $3",
        period,
        question.digest,
        account,
    )


async def _released(connection: Link, period: date, question: Question) -> Record | None:
    return await connection.fetchrow(
        f"SELECT {_RELEASE} FROM aggregate_release r WHERE r.period = $1 AND r.digest = $2",
        period,
        question.digest,
    )


async def _draw(
    connection: Link, period: date, question: Question, rules: AudienceRules, now: datetime
) -> Record:
    """Pay of what everyone may learn, count, add noise, and keep what came of it.

    Everyone's account is held from the payment on, so that of two who ask the same at once one draws.
    """
    await hold(connection, period, EVERYONE)
    drawn = await _released(connection, period, question)
    if drawn is not None:
        return drawn
    await _pay(connection, period, EVERYONE, question.epsilon, rules.everyone_budget, now)
    exact = await count_audience(connection, question, now=now)
    noisy = add_noise(exact.groups, exact.members, sensitivity=question.sensitivity, paid=question.epsilon)
    audience = present(noisy, rules.minimum_cohort)
    release = await connection.fetchrow(
        "INSERT INTO aggregate_release AS r"
        " (id, period, digest, question, epsilon, released_at, groups, total, bound)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {_RELEASE}",
        new_id(),
        period,
        question.digest,
        question.text,
        question.epsilon,
        now,
        list(audience.groups),
        audience.total,
        audience.bound,
    )
    if release is None:
        raise GatewayError("a release was not kept")
    return release


async def _pay(
    connection: Link, period: date, account: str, wanted: Thousandths, allowed: Thousandths, now: datetime
) -> None:
    """Spend of an account.

    Raises:
        PrivacyBudgetError: less is left. It tells of what was asked before, and of no member.
    """
    if await spend(connection, period, account, wanted, allowed):
        return
    budget = await read_budget(connection, period, account, allowed)
    raise PrivacyBudgetError(
        "all recipients together" if account == EVERYONE else "this account",
        epsilon_of(budget.left),
        seconds_until(budget.resets_at.timestamp(), now.timestamp()),
    )


async def _write_down(connection: Link, release_id: UUID, asker: Asker, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO aggregate_answer (id, release_id, account, answered_at, client_id, token_id, officer)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        release_id,
        asker.account,
        now,
        asker.client_id,
        asker.token_id,
        asker.officer,
    )
