"""Root fields about the audience as a whole, for companies under an aggregate agreement and officers (C5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import strawberry
from strawberry import Info

from policies.audience import Question, Vocabulary, ask
from policies.audience_answer import share
from policies.principal import OfficerPrincipal, RecipientPrincipal
from policies.privacy_budget import PrivacyBudget, epsilon_of, loss, period_of
from resolvers.aggregate_terms import read_terms
from resolvers.commands.audience import Answered, ask_audience, recipient
from resolvers.context import RequestContext, Work, context_of
from resolvers.desk import Desk
from resolvers.officers.aggregates import ask_internally
from resolvers.privacy_ledger import account_of, read_budget
from schema.catalogue import RootKind, root
from schema.categories import Audience, mask_of
from schema.errors import ForbiddenError, UnauthenticatedError
from schema.types.audience import (
    AggregateTermsType,
    AudienceAnswerType,
    AudienceGroupType,
    AudienceValuesType,
    AudienceWhere,
    PrivacyBudgetType,
)
from schema.vocabulary import DIMENSION_CATEGORIES, AgeBand, AudienceDimension

USUAL_EPSILON: Final = 0.1
"""Of one answer, where nothing is said: counts of it are within 31 of the true ones, 19 times of 20."""

_GroupBy = Annotated[
    list[AudienceDimension],
    strawberry.argument(description="What groups are made of: at most two. Empty: one group of all."),
]
_Epsilon = Annotated[
    float,
    strawberry.argument(
        description="The loss to pay for the answer, from 0.01 to 1: with more of it, counts are nearer."
    ),
]


async def answer_about_audience(
    info: Info[Any, Any],
    group_by: _GroupBy,
    where: AudienceWhere | None = strawberry.UNSET,
    epsilon: _Epsilon = USUAL_EPSILON,
) -> AudienceAnswerType:
    """The answer, once it has been paid for and written down: `perform` returns after the commit."""
    context = context_of(info)
    rules = context.means.audience
    only = _only(where)

    async def asked(work: Work) -> tuple[Question, Answered]:
        question = ask(rules.vocabulary(period_of(work.now)), group_by, only, loss(epsilon))
        match work.principal:
            case RecipientPrincipal():
                asker = await recipient(work.connection, work.principal, now=work.now)
                return question, await ask_audience(work.connection, question, asker, rules, now=work.now)
            case OfficerPrincipal(officer=officer):
                desk = Desk(work.connection, officer, work.now, lambda: work.matrix)
                return question, await ask_internally(desk, question, rules)
            case _:
                raise ForbiddenError("only companies with an aggregate agreement and officers ask this")

    question, answered = await context.perform(asked)
    return _answer(question, answered, set(group_by), rules.minimum_cohort)


def _only(where: AudienceWhere | None) -> Mapping[AudienceDimension, Sequence[str]]:
    """The conditions that were given; null is none."""
    if where is None or where is strawberry.UNSET:
        return {}
    given = {
        AudienceDimension.AGE_BAND: where.age_band,
        AudienceDimension.REGION: where.region,
        AudienceDimension.INTEREST: where.interest,
        AudienceDimension.JOINED: where.joined,
    }
    return {
        dimension: [str(value) for value in values]
        for dimension, values in given.items()
        if values is not None and values is not strawberry.UNSET
    }


def _answer(
    question: Question, answered: Answered, asked_by: set[AudienceDimension], minimum_cohort: int
) -> AudienceAnswerType:
    audience = answered.audience
    # A dimension with one value makes no groups; whoever asked by it finds the value in each all the same.
    fixed = {d: values[0] for d, values in question.only if d in asked_by and len(values) == 1}
    groups = []
    for cell, count in zip(question.cells, audience.groups, strict=True):
        keys = fixed | dict(zip((dimension for dimension, _ in question.grouped), cell, strict=True))
        band = keys.get(AudienceDimension.AGE_BAND)
        groups.append(
            AudienceGroupType(
                age_band=None if band is None else AgeBand(band),
                region=keys.get(AudienceDimension.REGION),
                interest=keys.get(AudienceDimension.INTEREST),
                joined=keys.get(AudienceDimension.JOINED),
                count=count,
                share=share(count, audience.total),
            )
        )
    return AudienceAnswerType(
        groups=groups,
        total=audience.total,
        bound=audience.bound,
        minimum_cohort=minimum_cohort,
        interests_counted=question.interests_counted or None,
        as_of=answered.as_of,
        epsilon=epsilon_of(question.epsilon),
        paid=epsilon_of(answered.paid),
        budget=_budget(answered.budget),
    )


def _budget(budget: PrivacyBudget) -> PrivacyBudgetType:
    return PrivacyBudgetType(
        limit=epsilon_of(budget.allowed), left=epsilon_of(budget.left), resets_at=budget.resets_at
    )


def list_dimensions(info: Info[Any, Any]) -> list[AudienceValuesType]:
    """The values of every dimension that the contract has, in the order of answers."""
    context = context_of(info)
    vocabulary = context.means.audience.vocabulary(period_of(context.means.clock()))
    return [
        AudienceValuesType(dimension=dimension, values=list(values))
        for dimension in _open_dimensions(context)
        if (values := _values(vocabulary, dimension))
    ]


def _values(vocabulary: Vocabulary, dimension: AudienceDimension) -> tuple[str, ...]:
    return vocabulary.values(dimension)


def _open_dimensions(context: RequestContext) -> list[AudienceDimension]:
    """What the caller's contract has: of an officer, everything."""
    if not isinstance(context.principal, RecipientPrincipal):
        return list(AudienceDimension)
    mask = context.contract_mask
    return [d for d in AudienceDimension if mask_of((DIMENSION_CATEGORIES[d],)) & mask]


async def _aggregate_agreement(info: Info[Any, Any]) -> AggregateTermsType:
    context = context_of(info)
    principal = context.principal
    if not isinstance(principal, RecipientPrincipal):
        raise ForbiddenError("only companies with an aggregate agreement have its terms")

    async def read(work: Work) -> AggregateTermsType:
        terms = await read_terms(work.connection, principal.agreement_id)
        if terms is None:
            raise UnauthenticatedError("the agreement is not in force")
        period, account = period_of(work.now), account_of(terms.id)
        budget = await read_budget(work.connection, period, account, terms.budget)
        return AggregateTermsType(
            purpose=terms.purpose,
            dimensions=_open_dimensions(context),
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            budget=_budget(budget),
        )

    found: AggregateTermsType = await context.perform(read)
    return found


@strawberry.type
class AudienceQuery:
    """What may be asked about the audience as a whole."""

    audience: AudienceAnswerType = root(
        RootKind.PLAIN,
        Audience.RECIPIENT,
        description="How many members there are, by groups, with differential privacy: of active members who"
        " are 18 or over. Asked again in the same month, it is the same answer and costs nothing.",
        resolver=answer_about_audience,
        counts=True,
    )
    audience_dimensions: list[AudienceValuesType] = root(
        RootKind.PLAIN,
        Audience.RECIPIENT,
        description="What you may group and narrow by, with every value.",
        resolver=list_dimensions,
        counts=True,
    )
    aggregate_agreement: AggregateTermsType = root(
        RootKind.PLAIN,
        Audience.RECIPIENT,
        description="The terms under which you ask, and what is left of your budget.",
        resolver=_aggregate_agreement,
        counts=True,
    )
