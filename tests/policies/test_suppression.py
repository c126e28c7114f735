"""C9, C11: the decision table, and the decision against a model that knows nothing of how it is made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.agreement import AgreementTerms
from policies.choices import Choice
from policies.suppression import AddressWord, Consent, Refusal, Said, decide_mail, mails, speaks, takes_part
from schema.categories import Basis, DataCategory, Purpose, mask_of
from schema.vocabulary import AgreementStatus, ChoiceSource, Direction

MINE, THEIRS = UUID(int=1), UUID(int=2)
TERMS: Final = AgreementTerms(
    id=UUID(int=9),
    partner_id=MINE,
    basis=Basis.MARKETING,
    purpose=Purpose.PARTNER_EMAIL,
    categories=frozenset({DataCategory.EMAIL}),
    valid_from=datetime(2020, 1, 1, tzinfo=UTC),
    valid_until=None,
    status=AgreementStatus.ACTIVE,
    version=1,
)
SELECTORS: Final[dict[str, dict[str, Any]]] = {
    "all": {},
    "mine": {"partner_id": MINE},
    "theirs": {"partner_id": THEIRS},
    "email": {"categories": frozenset({DataCategory.EMAIL})},
    "name": {"categories": frozenset({DataCategory.NAME})},
    "purpose": {"purpose": Purpose.PARTNER_EMAIL},
    "other-purpose": {"purpose": Purpose.JOINT_SERVICE},
}
COVERING: Final = frozenset({"all", "mine", "email", "purpose"})
TABLE: Final = yaml.safe_load(Path(__file__).with_suffix("").parent.joinpath("suppression.yaml").read_text())

Request = tuple[int, str, str]


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def said(requests: list[Request]) -> Said:
    nothing: dict[str, Any] = {"partner_id": None, "purpose": None, "categories": None}
    choices = [
        Choice(
            requested_at=day(on),
            direction=Direction(direction),
            source=ChoiceSource.MAIL,
            **(nothing | SELECTORS[about]),
        )
        for on, direction, about in requests
        if about in SELECTORS
    ]

    def latest(what: str, way: str) -> datetime | None:
        return max(
            (day(on) for on, direction, about in requests if (about, direction) == (what, way)), default=None
        )

    return Said(
        choices=choices,
        newsletter=[(day(on), Direction(direction)) for on, direction, about in requests if about == "news"],
        address=AddressWord(latest("address", "OUT"), latest("address", "IN")),
        kept=latest("kept", "OUT"),
    )


@pytest.mark.clause("C9", "C11")
@pytest.mark.parametrize(("name", "requests", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(name: str, requests: list[Request], expected: dict[str, int] | None) -> None:
    match decide_mail(said(requests), TERMS):
        case Refusal(since):
            outcome: Any = {"refused": since}
        case Consent(since):
            outcome = {"allowed": since}
        case None:
            outcome = None
    assert outcome == (None if expected is None else {key: day(on) for key, on in expected.items()}), name


def model(requests: list[Request]) -> datetime | None:
    """Since when it is refused: a refusal stands unless a request that may take it back is later."""
    takes_back = {"news": {"news"}, "address": {"address"}, "kept": {"address"}}
    standing = []
    for on, direction, about in requests:
        if direction == "IN" or about not in COVERING | set(takes_back):
            continue
        back = takes_back.get(about, set()) | COVERING
        if not any(way == "IN" and other in back and later > on for later, way, other in requests):
            standing.append(day(on))
    return max(standing, default=None)


REQUESTS: Final = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["IN", "OUT"]),
        st.sampled_from([*SELECTORS, "news", "address", "kept"]),
    ),
    max_size=8,
)


@pytest.mark.clause("C11")
@given(REQUESTS, st.randoms())
def test_the_latest_request_that_may_decide_does_whatever_the_order_of_arrival(
    requests: list[Request], random: Any
) -> None:
    outcome = decide_mail(said(requests), TERMS)
    assert (outcome.since if isinstance(outcome, Refusal) else None) == model(requests)
    shuffled = list(requests)
    random.shuffle(shuffled)
    assert decide_mail(said(shuffled), TERMS) == outcome


@pytest.mark.clause("C8")
@pytest.mark.parametrize("basis", Basis)
def test_who_may_mail_of_its_own_accord(basis: Basis) -> None:
    email = mask_of({DataCategory.EMAIL})
    assert mails(basis, email) == (basis in {Basis.STRATEGIC, Basis.MARKETING})
    assert not mails(basis, mask_of({DataCategory.NAME}))


@pytest.mark.parametrize("status", AgreementStatus)
def test_an_agreement_that_has_ended_takes_no_part(status: AgreementStatus) -> None:
    assert takes_part(TERMS)
    ended = {slot: getattr(TERMS, slot) for slot in TERMS.__slots__} | {"status": status}
    assert takes_part(AgreementTerms(**ended)) == (status is not AgreementStatus.ENDED)


@pytest.mark.clause("C17")
def test_a_protected_member_has_said_nothing() -> None:
    today = date(2026, 11, 23)
    assert speaks(date(2008, 11, 23), today)
    assert not speaks(date(2008, 11, 24), today)
    assert not speaks(None, today)
