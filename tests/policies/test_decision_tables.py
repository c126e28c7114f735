"""Decision tables: what is no table is named by file, row and word."""

from __future__ import annotations

import pytest

from policies.age import age_date, age_on
from policies.decision_tables import AS_OF, read_tables
from schema.errors import PolicyError

ROW = """
rows:
  - name: a
    basis: STRATEGIC
    purpose: PARTNER_OFFERS
    agreement: [user.name]
    category: user.name
    expect: allow
    reason: PRESUMED
"""


def faults(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        read_tables({"decisions/mine.yaml": text})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows: [", "`decisions/mine.yaml`: not YAML, line 1"),
        ("- a", "`decisions/mine.yaml`: write `rows:`"),
        ("rows: []", "`rows`"),
        (ROW.replace("STRATEGIC", "STRATEGI"), "row 1 (a): `basis` none of STRATEGIC, MARKETING"),
        (ROW.replace("[user.name]", "[user.nam]"), "row 1 (a): `agreement` no data category: `user.nam`"),
        (ROW.replace("[user.name]", "[user.contact.phone_number]"), "never shared"),
        (ROW.replace("expect", "expects"), "row 1 (a): `expect` is missing"),
        (ROW.replace("expect", "expects"), "row 1 (a): `expects` is no word of a table"),
        (ROW + "    valid_until: 2026-01-01T00:00:00Z", "row 1 (a): `valid_until` quote it"),
        (
            ROW + "    valid_until: 2026-13-45",
            "`decisions/mine.yaml`: not YAML: a date or number that there is not",
        ),
        ("rows: " + "[" * 5000, "lists too deep in each other"),
        (ROW + "    expect: deny", "not YAML, line 10: `expect` stands there twice"),
        (ROW + "    member: {region: Germany}", "row 1 (a): `member.region` a code of ISO 3166"),
        (ROW + "    member: {region: NO}", 'or "NO" in quotes'),
        (ROW + "    clauses: [C18]", "row 1 (a): `clauses.0`"),
        (ROW + ROW.partition("rows:\n")[2], "`decisions/mine.yaml` row 2 (a): row 1 has this name; give it"),
        (ROW.replace("name: a", "name: call 415-555-0132"), "row 1: `name` write it without"),
        (ROW.replace("name: a", 'name: "a\\e[2J"'), "row 1: `name` write it without"),
    ],
)
def test_a_fault_is_named_by_file_row_and_word(text: str, said: str) -> None:
    assert said in faults(text)


@pytest.mark.parametrize("region", ["DE", "US-CA", '"NO"'])
def test_a_region_is_a_country_or_a_part_of_one(region: str) -> None:
    (row,) = read_tables({"decisions/mine.yaml": ROW + f"    member: {{region: {region}}}"})
    assert row.facts.region == region.strip('"')


def test_every_fault_of_every_file_is_told_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        read_tables({"decisions/a.yaml": "- a", "decisions/b.yaml": ROW.replace("allow", "yes please")})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "`decisions/a.yaml`",
        "`decisions/b.yaml` row 1 (a)",
    ]


@pytest.mark.clause("C17")
@pytest.mark.parametrize("age", [0, 17, 18, 40])
def test_an_age_is_as_good_as_a_birth_date(age: int) -> None:
    (row,) = read_tables({"decisions/mine.yaml": ROW + f"    member: {{age: {age}}}"})
    assert row.facts.birth_date is not None
    assert age_on(row.facts.birth_date, age_date(AS_OF)) == age
