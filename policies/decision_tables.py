"""Decision tables: what an officer expects of a policy, row by row, and whether it holds.

In comes YAML beside the policy (`decisions/*.yaml`), out come `DecisionRow`s; `judge` decides each as a
partner's request would be decided (`policies.sharing.decide`) and says which fell otherwise, and why.

A file has `rows`, and may have `clauses` for all of them. A row has a `name`, `basis`, `purpose`, `agreement`
(keys), `category`, what to `expect` (`allow`, `withhold` or `deny`) and the `reason`. Optional are `scopes`
(default: all that the agreement names), `status`, `valid_from`, `valid_until`, `member` (`birth_date` or
`age`, `region`, `active`, `named` by a legal case) and `choices`. A choice has `asked`, the date of the
request, and `direction`; its `partner` is `this`, `other` or absent for all; it may name `purpose`,
`categories` and `source`. With `topic: NEWSLETTER` it stands in the ledger and decides nothing; `answers`
names the basis of the notice that it answers to; `until` makes it a request to a company, which ends then.
Rows are decided as of `AS_OF`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from policies.age import age_date, is_protected
from policies.agreement import AgreementTerms, parse_categories, scope_mask
from policies.choices import Choice
from policies.decision import Allow, Decision, Deny, Reason, Withhold
from policies.engine import Action, Cell, Engine
from policies.explain import explain
from policies.free_text import find_phone_number
from policies.matrix import Matrix
from policies.officer_lines import has_control
from policies.regions import covering
from policies.sharing import MemberFacts
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import InputError, PolicyError
from schema.vocabulary import AgreementStatus, ChoiceSource, ChoiceTopic, Direction

AS_OF: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""When rows are decided: tables hold whenever they are run."""

THIS_PARTNER: Final = UUID("11111111-1111-4111-8111-111111111111")
OTHER_PARTNER: Final = UUID("22222222-2222-4222-8222-222222222222")
AGREEMENT: Final = UUID("33333333-3333-4333-8333-333333333333")

_PARTNERS: Final = {"this": THIS_PARTNER, "other": OTHER_PARTNER, None: None}
_ADULT: Final = date(1980, 5, 1)
MOST_ROWS: Final = 10_000
"""Of one file: more is a mistake, and each row is decided and explained."""


class Verdict(StrEnum):
    """How a row may fall. Values are the words of the tables."""

    ALLOW = "allow"
    WITHHOLD = "withhold"
    DENY = "deny"


@dataclass(frozen=True)
class DecisionRow:
    """One row: what goes into a decision, and what must come out. `name` begins with the table's name."""

    name: str
    clauses: tuple[str, ...]
    terms: AgreementTerms
    scopes: tuple[str, ...]
    facts: MemberFacts
    choices: tuple[Choice, ...]
    newsletter: tuple[Choice, ...]
    answers: tuple[Choice, ...]
    """Those of `choices` that answer to a notice."""
    category: DataCategory
    expect: Verdict
    reason: Reason


@dataclass(frozen=True, slots=True)
class Judgement:
    """A row, how it fell, the rules of the policy that spoke; `lines` explain it if it fell otherwise."""

    row: DecisionRow
    verdict: Verdict
    reason: Reason
    rules: frozenset[str]
    lines: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it fell as expected, for the reason expected."""
        return (self.verdict, self.reason) == (self.row.expect, self.row.reason)


def read_tables(files: Mapping[str, str]) -> tuple[DecisionRow, ...]:
    """Read tables, by path, in the order of their paths.

    Raises:
        PolicyError: one line for each fault, with file and row.
    """
    rows: list[DecisionRow] = []
    faults: list[str] = []
    for path in sorted(files):
        try:
            rows += _read(path, files[path])
        except PolicyError as error:
            faults.append(str(error))
    if faults:
        raise PolicyError("\n".join(faults))
    return tuple(rows)


def judge(engine: Engine, matrix: Matrix, rows: Iterable[DecisionRow]) -> Iterator[Judgement]:
    """Decide each row, in order, under a policy: loaded, and compiled."""
    for row in rows:
        mask = scope_mask(row.terms, row.scopes)
        explained = explain(matrix, row.terms, mask, row.facts, row.choices, category=row.category, now=AS_OF)
        verdict, reason = _words(explained.verdict)
        fell = (verdict, reason) == (row.expect, row.reason)
        lines = () if fell else tuple(explained.lines())
        yield Judgement(row, verdict, reason, _rules_met(engine, row), lines)


def unexercised(engine: Engine, judgements: Iterable[Judgement]) -> Sequence[str]:
    """The rules that no row met, in the order of the file. What is never met is never tested."""
    met = frozenset[str]().union(*(judgement.rules for judgement in judgements))
    return [rule.name for rule in engine.rules if rule.name not in met]


def _rules_met(engine: Engine, row: DecisionRow) -> frozenset[str]:
    """The rules that the file itself applies to the row, what the program prohibits by itself included."""
    terms, protected = row.terms, is_protected(row.facts.birth_date, age_date(AS_OF))
    cells = [
        Cell(action, terms.basis, terms.purpose, row.category, protected, region)
        for action, regions in (
            (Action.SHARE, (None,)),
            (Action.PRESUME, covering(row.facts.region, engine.regions)),
        )
        for region in regions
    ]
    return frozenset(name for answer in engine.answer(cells) for name in answer.rules)


def _words(decision: Decision) -> tuple[Verdict, Reason]:
    match decision:
        case Allow(reason):
            return Verdict.ALLOW, reason
        case Withhold(reason):
            return Verdict.WITHHOLD, reason
        case Deny(reason):
            return Verdict.DENY, reason


# -- reading


def _read(path: str, text: str) -> Iterator[DecisionRow]:
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, and stricter
    except yaml.YAMLError as error:
        raise PolicyError(f"`{path}`: not YAML{_place(error)}") from error
    except (ValueError, RecursionError) as error:
        # YAML finds dates and numbers by their looks, and fails at those that there are not.
        raise PolicyError(
            f"`{path}`: not YAML: a date or number that there is not, or lists too deep in each other"
        ) from error
    if not isinstance(document, dict):
        raise PolicyError(f"`{path}`: write `rows:`, and below it the rows, each beginning with a hyphen")
    try:
        table = _Table.model_validate(document)
    except ValidationError as error:
        raise PolicyError("\n".join(_faults(path, document, error))) from error
    if twice := list(_same_names(path, table)):
        raise PolicyError("\n".join(twice))
    stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return (_row(stem, table, row) for row in table.rows)


def _same_names(path: str, table: _Table) -> Iterator[str]:
    """Rows of one name: whoever reads which one fell would look at the wrong one."""
    first: dict[str, int] = {}
    for number, row in enumerate(table.rows, start=1):
        if first.setdefault(row.name, number) != number:
            yield f"`{path}` row {number} ({row.name}): row {first[row.name]} has this name; give it another"


class _Loader(yaml.SafeLoader):
    """Refuses a word written twice: YAML would drop the first, and with it what the row was to expect."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in known:
                    raise _TwiceError(None, None, f"`{key.value}` stands there twice", key.start_mark)
                known.add((key.tag, key.value))
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


class _TwiceError(yaml.constructor.ConstructorError):
    """A mapping has a word twice."""


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = "" if mark is None else f", line {mark.line + 1}"
    return f"{line}: {error.problem}" if isinstance(error, _TwiceError) else line


def _faults(path: str, document: object, error: ValidationError) -> Iterator[str]:
    """One line a fault: the file, the row by number and name, what is wrong."""
    for fault in error.errors(include_url=False, include_input=False):
        place = [str(part) for part in fault["loc"]]
        where = ""
        if len(place) > 1 and place[0] == "rows" and place[1].isdigit():
            number = int(place[1])
            where = f" row {number + 1}{_named(document, number)}"
            place = place[2:]
        field = f" `{'.'.join(place)}`" if place else ""
        said = _SAID.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        yield f"`{path}`{where}:{field} {said}"


_SAID: Final = {
    "extra_forbidden": "is no word of a table; see docs/policy.md for those there are",
    "missing": "is missing",
}


def _named(document: Any, number: int) -> str:
    row = document["rows"][number]
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(name, str) or has_control(name) or find_phone_number(name, region=None):
        return ""
    return f" ({name})"


def _member_of(words: Iterable[str]) -> Callable[[object], object]:
    known = {word: word for word in words}

    def read(value: object) -> object:
        if isinstance(value, str) and value in known:
            return value
        raise ValueError(f"none of {', '.join(known)}")

    return read


def _shown(name: str) -> str:
    if has_control(name) or find_phone_number(name, region=None):
        raise ValueError("write it without control characters and telephone numbers")
    return name


def _keys(value: list[str]) -> list[str]:
    try:
        parse_categories(value)
    except InputError as error:
        raise ValueError(str(error)) from error
    return value


def _text_of_instant(value: object) -> object:
    # A timestamp of YAML's own loses its offset.
    if not isinstance(value, str):
        raise ValueError('quote it: a moment in ISO 8601 with its offset, such as "2026-01-31T12:00:00Z"')  # noqa: TRY004
    return value


def _a_region(value: object) -> object:
    # YAML reads a bare NO, Norway, as a truth value.
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ValueError('a code of ISO 3166, such as DE or US-CA, or "NO" in quotes')
    return value


_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

_Basis = Annotated[Basis, BeforeValidator(_member_of(Basis))]
_Purpose = Annotated[str, BeforeValidator(_member_of(Purpose.__members__))]
_Keys = Annotated[list[str], Field(min_length=1), AfterValidator(_keys)]
_Category = Annotated[DataCategory, BeforeValidator(_member_of(DataCategory))]
_Instant = Annotated[AwareDatetime, BeforeValidator(_text_of_instant)]
_Clauses = list[Annotated[str, Field(pattern=r"^(C([1-9]|1[0-7])|R[12])$")]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Choice(_Strict):
    asked: _Instant
    direction: Annotated[Direction, BeforeValidator(_member_of(Direction))]
    partner: Literal["this", "other"] | None = None
    purpose: _Purpose | None = None
    categories: _Keys | None = None
    source: Annotated[ChoiceSource, BeforeValidator(_member_of(ChoiceSource))] = ChoiceSource.PROFILE_PAGE
    topic: Annotated[ChoiceTopic, BeforeValidator(_member_of(ChoiceTopic))] = ChoiceTopic.SHARING
    answers: _Basis | None = None
    until: _Instant | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        whole = self.direction is Direction.IN and self.partner is not None and self.purpose is not None
        if self.until is not None and (self.answers is not None or not whole):
            raise ValueError("`until` makes it a request: IN, with `partner` and `purpose`")
        return self

    def made(self) -> Choice:
        return Choice(
            requested_at=self.asked,
            direction=self.direction,
            partner_id=_PARTNERS[self.partner],
            purpose=None if self.purpose is None else Purpose[self.purpose],
            categories=None if self.categories is None else parse_categories(self.categories),
            source=self.source,
            basis=self.answers if self.until is None else Basis.MEMBER_REQUEST,
            ends_at=self.until,
        )


class _Member(_Strict):
    birth_date: date | None = _ADULT
    age: Annotated[int, Field(ge=0, le=120)] | None = None
    """In completed years; instead of `birth_date`."""
    region: Annotated[str, BeforeValidator(_a_region)] | None = None
    active: bool = True
    named: bool = False
    """By an approved legal case under this agreement."""

    def made(self) -> MemberFacts:
        born = self.birth_date if self.age is None else date(AS_OF.year - self.age, 1, 1)
        named_by = frozenset({AGREEMENT}) if self.named else frozenset()
        return MemberFacts(birth_date=born, region=self.region, active=self.active, named_by=named_by)


class _Row(_Strict):
    name: Annotated[str, Field(min_length=1), AfterValidator(_shown)]
    clauses: _Clauses | None = None
    basis: _Basis
    purpose: _Purpose
    agreement: _Keys
    category: _Category
    expect: Annotated[Verdict, BeforeValidator(_member_of(Verdict))]
    reason: Annotated[Reason, BeforeValidator(_member_of(Reason))]
    scopes: list[str] | None = None
    status: Annotated[AgreementStatus, BeforeValidator(_member_of(AgreementStatus))] = AgreementStatus.ACTIVE
    valid_from: _Instant = datetime(2020, 1, 1, tzinfo=UTC)
    valid_until: _Instant | None = None
    member: _Member = _Member()
    choices: list[_Choice] = []


class _Table(_Strict):
    clauses: _Clauses = []
    rows: Annotated[list[_Row], Field(min_length=1, max_length=MOST_ROWS)]


def _row(stem: str, table: _Table, row: _Row) -> DecisionRow:
    def chosen(wanted: Callable[[_Choice], bool]) -> tuple[Choice, ...]:
        return tuple(choice.made() for choice in row.choices if wanted(choice))

    return DecisionRow(
        name=f"{stem}: {row.name}",
        clauses=tuple(table.clauses if row.clauses is None else row.clauses),
        terms=AgreementTerms(
            id=AGREEMENT,
            partner_id=THIS_PARTNER,
            basis=row.basis,
            purpose=Purpose[row.purpose],
            categories=parse_categories(row.agreement),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            status=row.status,
            version=1,
        ),
        scopes=tuple(row.agreement if row.scopes is None else row.scopes),
        facts=row.member.made(),
        choices=chosen(lambda choice: choice.topic is ChoiceTopic.SHARING),
        newsletter=chosen(lambda choice: choice.topic is ChoiceTopic.NEWSLETTER),
        answers=chosen(lambda choice: choice.answers is not None),
        category=row.category,
        expect=row.expect,
        reason=row.reason,
    )
