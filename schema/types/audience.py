"""Questions about the audience as a whole and their answers: counts of groups, and no member (C5, C7)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, computed, structural
from schema.categories import DataCategory, Purpose
from schema.vocabulary import AgeBand, AudienceDimension


@strawberry.input(
    name="AudienceWhere",
    description="Narrows who is counted. All given conditions hold; each is a list of values.",
)
class AudienceWhere:
    """Values are those of `audienceDimensions`: which there are depends on no member."""

    age_band: list[AgeBand] | None = accepts(
        DataCategory.AGE_RANGE, "In any of these age bands.", optional=True
    )
    region: list[str] | None = accepts(DataCategory.REGION, "In any of these regions.", optional=True)
    interest: list[str] | None = accepts(DataCategory.PROFILE, "With any of these interests.", optional=True)
    joined: list[str] | None = accepts(
        DataCategory.ACCOUNT, "Registered in any of these months (`2026-11`), or `EARLIER`.", optional=True
    )


@strawberry.type(name="AudienceGroup", description="One group, and how many members are in it, about.")
class AudienceGroupType:
    """What the question does not name is null: neither groups nor a single value of `where`."""

    age_band: AgeBand | None = computed(DataCategory.AGE_RANGE, "The age band of the group.")
    region: str | None = computed(DataCategory.REGION, "The region of the group; `OTHER` for all unlisted.")
    interest: str | None = computed(DataCategory.PROFILE, "The interest of the group.")
    joined: str | None = computed(
        DataCategory.ACCOUNT, "The month of registration of the group, in UTC, or `EARLIER`."
    )
    count: int | None = structural(
        "How many members, within `bound` with 95 % confidence. Null: the group may be smaller than"
        " `minimumCohort`."
    )
    share: float | None = structural("The part of `total`, to four places; null where either is.")


@strawberry.type(name="PrivacyBudget", description="What answers may tell of anybody in a month (epsilon).")
class PrivacyBudgetType:
    """Differential privacy: the losses of all answers add up."""

    limit: float = structural("Epsilon for each calendar month of UTC.")
    left: float = structural("What is left of it in this month.")
    resets_at: datetime = structural("When there is `limit` again.")


@strawberry.type(name="AudienceAnswer", description="Counts of groups, with noise on.")
class AudienceAnswerType:
    """The same question has the same answer until `budget.resetsAt`, and costs once."""

    groups: list[AudienceGroupType] = structural(
        "Every group that the question makes of the values there are, whether anybody is in it or not."
    )
    total: int | None = structural(
        "What shares are of: the members in the groups that are shown; of groups by interest, all members"
        " who meet `where`. Null: they may be fewer than `minimumCohort`."
    )
    bound: int = structural("Each count is within so many of the true one, with 95 % confidence.")
    minimum_cohort: int = structural("Groups that may be smaller have no count.")
    interests_counted: int | None = structural(
        "In how many groups by interest one member counts at most; null without such groups."
    )
    as_of: datetime = structural("When members were counted.")
    epsilon: float = structural("The loss of this answer.")
    paid: float = structural("What it cost now: 0 when it had been answered before in this month.")
    budget: PrivacyBudgetType = structural("What is left.")


@strawberry.type(name="AudienceValues", description="The values of a dimension.")
class AudienceValuesType:
    """A closed list: it depends on no member."""

    dimension: AudienceDimension = structural("The dimension.")
    values: list[str] = structural("Its values, in the order of answers.")


@strawberry.type(name="AggregateTerms", description="The terms under which you ask about the audience.")
class AggregateTermsType:
    """Of the asking client's own agreement."""

    purpose: Purpose = structural("What answers are for.")
    dimensions: list[AudienceDimension] = structural("What you may group and narrow by.")
    valid_from: datetime = structural("The first moment it counts.")
    valid_until: datetime | None = structural("The first moment it does not count; null: without end.")
    budget: PrivacyBudgetType = structural("What is left of your budget.")


__all__ = [
    "AggregateTermsType",
    "AudienceAnswerType",
    "AudienceGroupType",
    "AudienceValuesType",
    "AudienceWhere",
    "PrivacyBudgetType",
]
