"""The decision tables (`*.yaml` beside this file) as values. The same rows run through every entry point.

A file has `rows` and, where it is not about the shipped policy, `added_rules`: Cedar text to append.
A row names `basis`, `purpose`, `agreement` (keys), `category` and what to `expect`: allow, withhold or deny,
with the `reason`. Optional are `scopes` (default: all that the agreement names), `status`,
`valid_from`, `valid_until`, `member` (`birth_date`, `region`, `active`) and `choices`, whose `partner` is
`this`, `other` or absent for all. A choice with `topic: NEWSLETTER` stands in the ledger and decides nothing;
one with `notice: true` answers to a notice, whose purpose and categories it has. Dates are chosen so that
rows hold whenever they are run before 2030.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import yaml

from policies.agreement import AgreementTerms, parse_categories
from policies.choices import Choice
from policies.decision import Reason
from policies.sharing import MemberFacts
from schema.categories import Basis, DataCategory, Purpose
from schema.vocabulary import AgreementStatus, ChoiceSource, Direction

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
THIS_PARTNER: Final = UUID("11111111-1111-4111-8111-111111111111")
OTHER_PARTNER: Final = UUID("22222222-2222-4222-8222-222222222222")
AGREEMENT: Final = UUID("33333333-3333-4333-8333-333333333333")

_PARTNERS: Final = {"this": THIS_PARTNER, "other": OTHER_PARTNER, None: None}
_ADULT: Final = date(1980, 5, 1)


@dataclass(frozen=True)
class DecisionCase:
    """One row: what goes into a decision, and what must come out."""

    name: str
    clauses: tuple[str, ...]
    added_rules: str
    terms: AgreementTerms
    scopes: tuple[str, ...]
    facts: MemberFacts
    choices: tuple[Choice, ...]
    newsletter: tuple[Choice, ...]
    answers: tuple[Choice, ...]
    """Those of `choices` that answer to a notice."""
    category: DataCategory
    expect: str
    reason: Reason


def load_cases() -> list[DecisionCase]:
    return [
        _case(path.stem, document, row)
        for path in sorted(Path(__file__).parent.glob("*.yaml"))
        for document in [yaml.safe_load(path.read_text(encoding="utf-8"))]
        for row in document["rows"]
    ]


def _case(stem: str, document: dict[str, Any], row: dict[str, Any]) -> DecisionCase:
    terms = AgreementTerms(
        id=AGREEMENT,
        partner_id=THIS_PARTNER,
        basis=Basis(row["basis"]),
        purpose=Purpose[row["purpose"]],
        categories=parse_categories(row["agreement"]),
        valid_from=_instant(row.get("valid_from", "2020-01-01T00:00:00Z")),
        valid_until=_instant(row["valid_until"]) if "valid_until" in row else None,
        status=AgreementStatus(row.get("status", "ACTIVE")),
        version=1,
    )
    member = row.get("member", {})
    return DecisionCase(
        name=f"{stem}: {row['name']}",
        clauses=tuple(row.get("clauses", document["clauses"])),
        added_rules=document.get("added_rules", ""),
        terms=terms,
        scopes=tuple(row.get("scopes", row["agreement"])),
        facts=MemberFacts(
            birth_date=member.get("birth_date", _ADULT),
            region=member.get("region"),
            active=member.get("active", True),
        ),
        choices=_choices(row, lambda choice: "topic" not in choice),
        newsletter=_choices(row, lambda choice: choice.get("topic") == "NEWSLETTER"),
        answers=_choices(row, lambda choice: "answers" in choice),
        category=DataCategory(row["category"]),
        expect=row["expect"],
        reason=Reason(row["reason"]),
    )


def _choices(row: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> tuple[Choice, ...]:
    return tuple(_choice(choice) for choice in row.get("choices", ()) if wanted(choice))


def _choice(row: dict[str, Any]) -> Choice:
    return Choice(
        requested_at=_instant(row["on"]),
        direction=Direction(row["direction"]),
        partner_id=_PARTNERS[row.get("partner")],
        purpose=Purpose[row["purpose"]] if "purpose" in row else None,
        categories=parse_categories(row["categories"]) if "categories" in row else None,
        source=ChoiceSource(row.get("source", "PROFILE_PAGE")),
        basis=Basis(row["answers"]) if "answers" in row else None,
    )


def _instant(text: str) -> datetime:
    """Read quoted ISO text: a timestamp of YAML's own loses its offset."""
    return datetime.fromisoformat(text)
