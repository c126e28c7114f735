from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.audience import MOST_GROUPS, AudienceRules, Question, Vocabulary, ask
from policies.audience_answer import NoisyCounts, present, share
from policies.countries import COUNTRIES
from policies.privacy_budget import Thousandths
from schema.errors import GatewayError, InputError
from schema.vocabulary import AgeBand
from schema.vocabulary import AudienceDimension as By
from tests.audiences import VOCABULARY, question

BANDS = [band.value for band in AgeBand]

Where = Mapping[By, Sequence[str]]


@pytest.mark.clause("C5")
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (question(By.AGE_BAND, By.REGION), question(By.REGION, By.AGE_BAND)),
        (question(By.AGE_BAND, By.AGE_BAND), question(By.AGE_BAND)),
        (question(where={By.AGE_BAND: BANDS}), question()),
        (question(By.AGE_BAND, where={By.AGE_BAND: BANDS[::-1]}), question(By.AGE_BAND)),
        (question(where={By.REGION: ["US", "DE", "US"]}), question(where={By.REGION: ["DE", "US"]})),
        (
            question(By.REGION, By.JOINED, where={By.REGION: ["DE"]}),
            question(By.JOINED, where={By.REGION: ["DE"]}),
        ),
        (question(By.AGE_BAND, where={By.AGE_BAND: BANDS[:1]}), question(where={By.AGE_BAND: BANDS[:1]})),
    ],
)
def test_what_means_the_same_is_the_same_question(left: Question, right: Question) -> None:
    assert left == right
    assert left.digest == right.digest


def test_what_means_something_else_is_another_question() -> None:
    others = [
        question(),
        question(epsilon=101),
        question(By.AGE_BAND),
        question(By.INTEREST),
        question(By.INTEREST, where={By.INTEREST: ["go"]}),
        question(where={By.INTEREST: list(VOCABULARY.interests)}),  # leaves out who has none
        question(where={By.REGION: ["US"]}),
        ask(replace(VOCABULARY, regions=("US", "OTHER")), [By.AGE_BAND], {By.REGION: ["US"]}, _PAID),
        question(By.AGE_BAND, where={By.REGION: ["US"]}),
    ]
    assert len({one.digest for one in others}) == len(others)


_PAID = Thousandths(100)


@pytest.mark.clause("C5")
def test_groups_are_those_of_the_vocabulary() -> None:
    assert [cell for (cell,) in question(By.REGION).cells] == ["DE", "US", "US-CA", "US-NY", "OTHER"]
    assert question(By.AGE_BAND, By.INTEREST).cells[:2] == (("AGE_18_24", "chess"), ("AGE_18_24", "go"))
    assert question().cells == ((),)
    months = [cell for (cell,) in question(By.JOINED).cells]
    assert months[:2] == ["EARLIER", "2024-12"]
    assert months[-1] == "2026-11"
    assert len(months) == 25
    assert AudienceRules().vocabulary(date(2026, 11, 1)).regions == (*COUNTRIES, "OTHER")
    assert len(set(COUNTRIES)) == 249


@pytest.mark.clause("C5")
def test_sensitivity_is_how_often_a_member_may_count() -> None:
    assert question(By.AGE_BAND, By.REGION).sensitivity == 1
    assert question(By.INTEREST).sensitivity == 3  # two interests, and the number of members
    assert question(By.INTEREST, where={By.INTEREST: ["go"]}).sensitivity == 2
    assert question(where={By.INTEREST: ["go", "chess"]}).sensitivity == 1


@pytest.mark.parametrize(
    ("by", "where", "named"),
    [
        ([By.AGE_BAND], {By.REGION: ["ZZ"]}, "where.region"),
        ([], {By.JOINED: ["2020-01"]}, "where.joined"),
        ([], {By.INTEREST: []}, "where.interest"),
        ([], {By.AGE_BAND: ["AGE_0_17"]}, "where.ageBand"),
        ([By.AGE_BAND, By.REGION, By.JOINED], {}, "groupBy"),
        ([], {By.REGION: ["DE"] * (MOST_GROUPS + 1)}, "where.region"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name_and_not_repeated(
    by: Sequence[By], where: Where, named: str
) -> None:
    with pytest.raises(InputError, match=f"`{named}`") as refused:
        ask(VOCABULARY, by, where, _PAID)
    assert not any(value in str(refused.value) for values in where.values() for value in values)


def test_an_answer_has_a_bounded_number_of_groups() -> None:
    everywhere = Vocabulary.of((), (), 3, date(2026, 11, 1))
    assert len(ask(everywhere, [By.REGION, By.AGE_BAND], {}, _PAID).cells) == 1_500
    with pytest.raises(InputError, match="narrow it"):
        ask(everywhere, [By.REGION, By.JOINED], {}, _PAID)


def test_without_listed_interests_nobody_asks_by_interest() -> None:
    with pytest.raises(InputError, match="INTEREST"):
        ask(Vocabulary.of((), (), 3, date(2026, 11, 1)), [By.INTEREST], {}, _PAID)


_VALUES = {dimension: VOCABULARY.values(dimension) for dimension in By}
_SHAPES = st.tuples(
    st.lists(st.sampled_from(By), max_size=3),
    st.dictionaries(
        st.sampled_from(By), st.lists(st.sampled_from(["DE", "go", "EARLIER", *BANDS]), max_size=4)
    ),
)


@given(_SHAPES)
def test_whatever_is_asked_has_one_form_or_an_error_of_ours(shape: tuple[list[By], Where]) -> None:
    by, where = shape
    try:
        asked = ask(VOCABULARY, by, where, _PAID)
    except GatewayError:
        return
    for other in permutations(by):
        turned = {dimension: [*values, *values][::-1] for dimension, values in [*where.items()][::-1]}
        assert ask(VOCABULARY, other, turned, _PAID).digest == asked.digest


@pytest.mark.clause("C5")
def test_a_group_that_may_be_too_small_is_not_shown_and_cannot_be_worked_out() -> None:
    answer = present(NoisyCounts((1_000, 80, 79, -4), None, bound=30), minimum_cohort=50)
    assert answer.groups == (1_000, 80, None, None)
    assert answer.total == 1_080  # of what is shown: nothing is left to take the rest from
    assert [share(count, answer.total) for count in answer.groups] == [0.9259, 0.0741, None, None]


def test_of_groups_by_interest_shares_are_of_the_members() -> None:
    answer = present(NoisyCounts((300, 20), 500, bound=30), minimum_cohort=50)
    assert (answer.groups, answer.total) == ((300, None), 500)
    assert share(300, 500) == 0.6
    assert share(510, 500) == 1.0
    few = present(NoisyCounts((90, 20), 70, bound=30), minimum_cohort=50)
    assert few.total is None
    assert share(90, few.total) is None


def test_where_no_group_is_shown_there_is_no_total() -> None:
    assert present(NoisyCounts((3, -3), None, bound=30), 50).total is None
