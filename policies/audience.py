"""Questions about the audience as a whole: what may be asked, and which questions are the same one (C5, C7).

In: dimensions to group by, and values to narrow by. Out: a `Question` in its one normal form, with every
group that its answer has, whether anybody is in it or not.

INVARIANT (groups-by-vocabulary): which groups an answer has depends on the question and on closed, public
vocabularies alone. A list of the groups that *exist* would tell of the one member who made a group exist.

INVARIANT (bounded-contribution): one member counts in at most one group; where groups are interests, in at
most `interests_counted` of them, and once more in the number of members. `Question.sensitivity` is that sum.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import product
from types import MappingProxyType
from typing import Final, TypeAlias

from policies.countries import COUNTRIES
from policies.privacy_budget import Thousandths, month_after
from policies.regions import OTHER_REGION
from schema.errors import FilterSizeError, InputError
from schema.vocabulary import AgeBand, AudienceDimension

WHERE_NAMES: Final[Mapping[AudienceDimension, str]] = MappingProxyType(
    {
        AudienceDimension.AGE_BAND: "ageBand",
        AudienceDimension.REGION: "region",
        AudienceDimension.INTEREST: "interest",
        AudienceDimension.JOINED: "joined",
    }
)

EARLIER: Final = "EARLIER"
"""Stands for every month before the listed ones."""

MONTHS: Final = 24
"""Months of registration that are told apart, the current one included."""

MOST_DIMENSIONS: Final = 2
"""That one answer is grouped by: three leave groups too small to be shown at all."""

EVERYONE_BUDGET: Final = Thousandths(4_000)
INTERNAL_BUDGET: Final = Thousandths(2_000)
"""Of a month, where the settings say nothing."""

MOST_GROUPS: Final = 2_000
"""That one answer has."""

Cell: TypeAlias = tuple[str, ...]
"""A group: one value for each dimension that is grouped by, in the order of `AudienceDimension`."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The values that there are, whoever is a member. `period` is the month of the question.

    Each member has exactly one age band, region and month; a member may have any number of interests.
    """

    regions: tuple[str, ...]
    interests: tuple[str, ...]
    interests_counted: int
    period: date

    @classmethod
    def of(
        cls, regions: Sequence[str], interests: Sequence[str], interests_counted: int, period: date
    ) -> Vocabulary:
        """The vocabulary of these settings in that month. Without regions: the countries of ISO 3166-1."""
        listed = tuple(sorted(set(regions) - {OTHER_REGION})) or COUNTRIES
        return cls((*listed, OTHER_REGION), tuple(sorted(set(interests))), interests_counted, period)

    @property
    def months(self) -> tuple[str, ...]:
        """The months of registration, oldest first, after `EARLIER`."""
        newest_last = (month_after(self.period, -back) for back in reversed(range(MONTHS)))
        return (EARLIER, *(f"{month:%Y-%m}" for month in newest_last))

    def values(self, dimension: AudienceDimension) -> tuple[str, ...]:
        """Every value of a dimension, in its order."""
        match dimension:
            case AudienceDimension.AGE_BAND:
                return tuple(band.value for band in AgeBand)
            case AudienceDimension.REGION:
                return self.regions
            case AudienceDimension.INTEREST:
                return self.interests
            case AudienceDimension.JOINED:
                return self.months


@dataclass(frozen=True, slots=True)
class Question:
    """A question in its normal form. Two that mean the same are equal. Made by `ask`.

    `grouped` and `only` are by dimension, in the order of `AudienceDimension`: the values that groups are
    made of, and those that narrow. `regions` are all that are told apart, empty where regions play no part.
    `interests_counted` is 0 where interests make no groups.
    """

    grouped: tuple[tuple[AudienceDimension, tuple[str, ...]], ...]
    only: tuple[tuple[AudienceDimension, tuple[str, ...]], ...]
    regions: tuple[str, ...]
    interests_counted: int
    epsilon: Thousandths

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every group of the answer, in order."""
        return tuple(product(*(values for _, values in self.grouped)))

    @property
    def sensitivity(self) -> int:
        """By how much one member, present or absent, can change all that is counted (L1)."""
        return 1 if not self.interests_counted else self.interests_counted + 1

    @property
    def text(self) -> str:
        """The question as it is recorded: canonical JSON."""
        facts = {
            "groupBy": {dimension.value: values for dimension, values in self.grouped},
            "where": {dimension.value: values for dimension, values in self.only},
            # What a region is depends on which others are told apart from it.
            "regions": sha256("\n".join(self.regions).encode()).hexdigest() if self.regions else None,
            "interestsCounted": self.interests_counted,
            "epsilon": self.epsilon,
        }
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> bytes:
        """SHA-256 of `text`: the name of the question."""
        return sha256(self.text.encode()).digest()


def ask(
    vocabulary: Vocabulary,
    group_by: Iterable[AudienceDimension],
    where: Mapping[AudienceDimension, Sequence[str]],
    epsilon: Thousandths,
) -> Question:
    """The question, in its normal form.

    1. repetitions and orders of dimensions and values mean nothing;
    2. a clause that lists every value of a dimension that each member has once narrows nothing: it goes;
    3. such a dimension with one value makes no groups: it only narrows;
    4. the groups by a dimension are those that `where` leaves.

    Raises:
        InputError: a value that is none, too many dimensions or groups, or an empty list.
    """
    only: dict[AudienceDimension, tuple[str, ...]] = {}
    for dimension in AudienceDimension:
        if dimension in where:
            listed = _listed(vocabulary, dimension, where[dimension])  # 1
            whole = len(listed) == len(vocabulary.values(dimension))
            if dimension is AudienceDimension.INTEREST or not whole:  # 2
                only[dimension] = listed
    wanted = set(group_by)
    if len(wanted) > MOST_DIMENSIONS:
        raise InputError(f"`groupBy`: at most {MOST_DIMENSIONS} dimensions in one question")
    grouped = []
    for dimension in AudienceDimension:
        if dimension not in wanted:
            continue
        values = only.get(dimension, vocabulary.values(dimension))  # 4
        if not values:
            raise InputError(f"`groupBy`: the company lists no values of `{dimension.value}`")
        if len(values) > 1 or dimension is AudienceDimension.INTEREST:  # 3
            grouped.append((dimension, values))
    if _size(grouped) > MOST_GROUPS:
        raise InputError(f"the answer would have more than {MOST_GROUPS} groups: narrow it by `where`")
    listed_interests = dict(grouped).get(AudienceDimension.INTEREST, ())
    counted = min(vocabulary.interests_counted, len(listed_interests))
    regional = AudienceDimension.REGION in only or AudienceDimension.REGION in dict(grouped)
    regions = vocabulary.regions if regional else ()
    return Question(tuple(grouped), tuple(only.items()), regions, counted, epsilon)


def _listed(vocabulary: Vocabulary, dimension: AudienceDimension, values: Sequence[str]) -> tuple[str, ...]:
    """The values, once each and in the order of the vocabulary."""
    name = f"`where.{WHERE_NAMES[dimension]}`"
    known = vocabulary.values(dimension)
    if not values:
        raise InputError(f"{name} is empty: list values, or leave it out")
    if len(values) > MOST_GROUPS:
        raise FilterSizeError(f"{name} lists too many values: at most {MOST_GROUPS}")
    chosen = set(values)
    if not chosen <= set(known):
        raise InputError(f"{name}: a value that is none of this dimension; `audienceDimensions` lists them")
    return tuple(value for value in known if value in chosen)


@dataclass(frozen=True, slots=True)
class AudienceRules:
    """What the company decides about aggregates: its settings. Budgets in thousandths of epsilon a month."""

    regions: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    interests_counted: int = 3
    minimum_cohort: int = 50
    everyone_budget: Thousandths = EVERYONE_BUDGET
    internal_budget: Thousandths = INTERNAL_BUDGET

    def vocabulary(self, period: date) -> Vocabulary:
        """The values that there are in that month."""
        return Vocabulary.of(self.regions, self.interests, self.interests_counted, period)


def _size(grouped: Sequence[tuple[AudienceDimension, tuple[str, ...]]]) -> int:
    size = 1
    for _, values in grouped:
        size *= len(values)
    return size
