from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graphql import get_introspection_query

from gateway.cache import BoundedCache
from gateway.operations import AVERAGE_TOKENS, Preparer, prepare
from gateway.refusals import RequestRefused
from gateway.variables import coerce_variables
from tests.gateway.http.reference import LIMITS, SCHEMA

MARKER = "5551234567"


def refusal(source: str, variables: dict[str, Any] | None = None, **limits: Any) -> list[tuple[str, str]]:
    """Code and message of each reason why a request is refused; empty if it is not."""
    bounds = replace(LIMITS, **limits)
    try:
        operation = prepare(SCHEMA, source, bounds).operation(None)
        coerced = coerce_variables(SCHEMA, operation.definition, variables or {})
        operation.check_cost(coerced.coerced, bounds)
    except RequestRefused as refused:
        return [(error.code.value, error.message) for error in refused.errors]
    return []


CYCLE = "{ me { ...A } } fragment A on Member { friend { ...B } } fragment B on Member { ...A }"

CODES = [
    ("{ me { name } }", {}, []),
    ("{ me { friend { friend { name } } } }", {"max_depth": 4}, []),
    ("{ me { friend { friend { name } } } }", {"max_depth": 3}, ["TOO_DEEP"]),
    ("{ me { ...A } } fragment A on Member { friend { friend { name } } }", {"max_depth": 3}, ["TOO_DEEP"]),
    ("{ me { ... { ... { friend { name } } } } }", {"max_depth": 3}, []),
    ("{ a: hello b: hello }", {"max_aliases": 1}, ["TOO_MANY_ALIASES"]),
    ("{ me { ...A ...A } } fragment A on Member { a: name }", {"max_aliases": 1}, ["TOO_MANY_ALIASES"]),
    ("{ hello me { id } node(id: 1) { id } }", {"max_root_fields": 2}, ["TOO_MANY_ROOT_FIELDS"]),
    ("{ ...A hello } fragment A on Query { me { id } }", {"max_root_fields": 1}, ["TOO_MANY_ROOT_FIELDS"]),
    ("{ hello @skip(if: false) @include(if: true) }", {"max_directives": 1}, ["TOO_MANY_DIRECTIVES"]),
    (
        "{ a: hello b: hello }",
        {"max_aliases": 1, "max_root_fields": 1},
        ["TOO_MANY_ALIASES", "TOO_MANY_ROOT_FIELDS"],
    ),
    ("{ hello hello hello }", {"max_tokens": 4}, ["TOO_MANY_TOKENS"]),
    ("{ hello }" + "\n#" * 30, {"max_tokens": 20}, ["TOO_MANY_TOKENS"]),
    ("{ me { name } }" + "{" * 300, {}, ["GRAPHQL_PARSE_FAILED"]),
    ("{ me " + "{ friend " * 250 + "{ id }" + "}" * 251, {}, ["TOO_DEEP"]),
    ("{ me { } }", {}, ["GRAPHQL_PARSE_FAILED"]),
    (CYCLE, {}, ["GRAPHQL_VALIDATION_FAILED"]),
    ("{ me { ...A } } fragment A on Member { ...A }", {}, ["GRAPHQL_VALIDATION_FAILED"]),
    ('{ hello(name: "\\u0000") }', {}, ["GRAPHQL_PARSE_FAILED"]),
    ('{ hello(name: "\\u{000}") }', {}, ["GRAPHQL_PARSE_FAILED"]),
    ("{ __schema { types { name } } }", {"introspection": False}, ["INTROSPECTION_DISABLED"]),
    (
        '{ hello ...A } fragment A on Query { __type(name: "Query") { name } }',
        {"introspection": False},
        ["INTROSPECTION_DISABLED"],
    ),
    ("{ __typename me { __typename } }", {"introspection": False}, []),
    (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        {},
        ["TOO_MUCH_INTROSPECTION"],
    ),
    ('{ __type(name: "Query") {' + " ofType {" * 16 + " name " + "}" * 18, {}, ["TOO_MUCH_INTROSPECTION"]),
    ("{ " + "__schema { types { name " * 1 + "name " * 600 + "} } }", {}, ["TOO_MUCH_INTROSPECTION"]),
]


@pytest.mark.parametrize(("source", "limits", "codes"), CODES)
def test_each_limit_has_its_code(source: str, limits: dict[str, Any], codes: list[str]) -> None:
    assert [code for code, _ in refusal(source, **limits)] == codes


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("{ me { friend { id } } }", "max_depth"),
        ("{ a: hello }", "max_aliases"),
        ("{ hello @skip(if: false) }", "max_directives"),
        ("{ list(first: 1) { id } }", "max_cost"),
        ("{ hello }", "max_tokens"),
    ],
)
def test_the_message_names_the_setting_and_its_value(source: str, limit: str) -> None:
    ((_, message),) = refusal(source, None, **{limit: 0})
    assert f"`{limit}`" in message
    assert "is 0" in message


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "specified_by_url": True,
            "directive_is_repeatable": True,
            "schema_description": True,
            "input_value_deprecation": True,
            "one_of": True,
        },
        {"descriptions": False},
    ],
)
def test_stock_introspection_is_admitted(options: dict[str, Any]) -> None:
    assert refusal(get_introspection_query(**options)) == []


COSTS: list[tuple[str, dict[str, Any], int]] = [
    ("{ hello }", {}, 1),
    ("{ members { totalCount } }", {}, 1),
    ("{ members { edges { node { id name } } totalCount } }", {}, 41),
    ("{ members(first: 3) { edges { cursor node { orders(first: 2) { edges { node { id } } } } } } }", {}, 9),
    ("query($n: Int) { members(first: $n) { edges { cursor } } }", {"n": 7}, 7),
    ("query($n: Int) { members(first: $n) { edges { cursor } } }", {}, 20),
    ("query($n: Int) { members(first: $n) { edges { cursor } } }", {"n": None}, 20),
    ("query($n: Int = 5) { members(first: $n) { edges { cursor } } }", {}, 5),
    (
        (
            "query($n: Int = 5) { members(first: $n) { ...P } }"
            " fragment P on MemberConnection { edges { ...E } totalCount }"
            " fragment E on MemberEdge { cursor }"
        ),
        {"n": 9},
        10,
    ),
    ("{ list { id } }", {}, 20),
    ("{ list(first: 4) { id addresses { city } } }", {}, 8),
    ("{ list(first: -4) { id } }", {}, 0),
    ("{ me { ... on Member { id ... { name } } } }", {}, 2),
    ("{ __schema { types { name } } }", {}, 0),
]


@pytest.mark.parametrize(("source", "variables", "cost"), COSTS)
def test_cost_is_the_leaves_times_the_pages(source: str, variables: dict[str, Any], cost: int) -> None:
    operation = prepare(SCHEMA, source, LIMITS).operation(None)
    coerced = coerce_variables(SCHEMA, operation.definition, variables).coerced
    assert operation.cost(coerced) == cost


def test_fragments_that_double_each_time_are_measured_once_each() -> None:
    """Expanded, the first document has more fields than there are atoms: measuring it would not end."""
    count = 120
    chain = " ".join(f"fragment F{i} on Member {{ ...F{i + 1} a: name ...F{i + 1} }}" for i in range(count))
    source = f"{{ me {{ ...F0 }} }} {chain} fragment F{count} on Member {{ name }}"
    assert [code for code, _ in refusal(source)] == ["TOO_MANY_ALIASES"]
    friends = " ".join(
        f"fragment F{i} on Member {{ friend {{ ...F{i + 1} }} x: friend {{ ...F{i + 1} }} }}"
        for i in range(8)
    )
    source = f"{{ me {{ ...F0 }} }} {friends} fragment F8 on Member {{ name }}"
    assert [code for code, _ in refusal(source, max_aliases=1_000)] == []
    assert prepare(SCHEMA, source, replace(LIMITS, max_aliases=1_000)).operation(None).cost({}) == 256


MESSAGES = [
    ('{ members(first: "5551234567") { totalCount } }', "a wrong value: expected type `Int`"),
    (
        "{ members(where: {region: x5551234567}) { totalCount } }",
        "a wrong value at `region`: expected type `Region!`",
    ),
    ("{ members(where: {}) { totalCount } }", "a wrong value: `Where` needs `region`"),
    (
        "{ members(where: {region: NORTH, regio: 1}) { totalCount } }",
        "a wrong value: `Where` has no field `regio`",
    ),
    (
        "{ members(where: {region: NORTH, x5551234567: 1}) { totalCount } }",
        "a wrong value: `Where` has no field a name",
    ),
    ("{ hallo }", "cannot query field `hallo` on type `Query`"),
    ("{ x5551234567 }", "cannot query field a name on type `Query`"),
    ("query($x5551234567: Int) { hello }", "variable a name is never used"),
    ('{ "5551234567" }', "the document does not parse: expected `Name`, found `String`"),
    (
        "{ hello(name: 5551234567x) }",
        "the document does not parse: something is written that GraphQL does not admit",
    ),
    ('{ hello(name: "5551234567', "the document does not parse: a string is not closed"),
]


@pytest.mark.parametrize(("source", "message"), MESSAGES)
def test_messages_say_the_type_and_never_the_value(source: str, message: str) -> None:
    assert message in [text for _, text in refusal(source)]
    assert MARKER not in str(refusal(source))


VARIABLES: list[tuple[Any, str]] = [
    (MARKER, "variable `$w` has a wrong value: expected type `Where!`"),
    ({"region": MARKER}, "variable `$w` has a wrong value at `region`: expected type `Region!`"),
    (
        {"region": "NORTH", "ages": [1, MARKER]},
        "variable `$w` has a wrong value at `ages`: expected type `Int!`",
    ),
    (
        {"region": "NORTH", "inner": {"ages": 1}},
        "variable `$w` has a wrong value at `inner`: `Where` needs `region`",
    ),
    ({"region": "NORTH", MARKER: 1}, "variable `$w` has a wrong value: `Where` has no field a name"),
    (None, "variable `$w` has a wrong value: expected type `Where!`"),
]


@pytest.mark.parametrize(("value", "message"), VARIABLES)
def test_a_wrong_variable_is_named_and_never_printed(value: Any, message: str) -> None:
    source = "query($w: Where!) { members(where: $w) { totalCount } }"
    assert refusal(source, {"w": value}) == [("BAD_VARIABLES", message)]


def test_a_document_is_worked_on_once_for_each_contract() -> None:
    preparer = Preparer(LIMITS, 10)
    first = preparer.prepare("a", SCHEMA, "{ hello }")
    assert preparer.prepare("a", SCHEMA, "{ hello }") is first
    assert preparer.prepare("b", SCHEMA, "{ hello }") is not first


def test_refusals_are_remembered_and_displace_nothing() -> None:
    preparer = Preparer(LIMITS, 1)
    good = preparer.prepare("a", SCHEMA, "{ hello }")
    for number in range(600):
        with pytest.raises(RequestRefused):
            preparer.prepare("a", SCHEMA, f"{{ nothing{number} }}")
    assert preparer.prepare("a", SCHEMA, "{ hello }") is good
    assert len(preparer._refused) == 256


def test_many_documents_do_not_grow_memory() -> None:
    preparer = Preparer(LIMITS, 8)
    for number in range(50):
        preparer.prepare("a", SCHEMA, f"query Q{number} {{ me {{ {'id ' * 200} }} }}")
    assert len(preparer._ready) <= 8
    assert preparer._ready.weight <= 8 * AVERAGE_TOKENS


def test_the_cache_forgets_what_was_used_least_recently() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_a_value_heavier_than_the_cache_is_not_kept() -> None:
    cache: BoundedCache[str, int] = BoundedCache(9, 5)
    cache.put("a", 1, 6)
    assert (len(cache), cache.weight) == (0, 0)
