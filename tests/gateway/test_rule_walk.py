"""Our walk finds what graphql-core's own finds, in the same order, and leaves nothing for the collector."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest
from graphql import DocumentNode, build_schema, parse, specified_rules, validate
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations import prepare
from gateway.rule_walk import RuleSet
from tests.gateway.http.reference import LIMITS
from tests.gateway.http.reference import SCHEMA as REFERENCE

SCHEMA = build_schema("""
directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @stream(label: String, if: Boolean! = true, initialCount: Int! = 0) on FIELD
input Where { region: String!, ages: [Int!], inner: Where }
interface Named { name: String }
type Cat implements Named { name: String, lives(at: Int!): Int, friend: Cat, kittens(where: Where): [Cat!]! }
type Dog implements Named { name: String, friend: Dog }
type Query { cat(first: Int): Cat, dog: Dog, cats(where: Where): [Cat!]!, named: Named }
type Mutation { feed: Cat }
type Subscription { meows: Cat, barks: Dog }
""")

RULES = RuleSet([(rule.__name__, rule) for rule in specified_rules])

BREAKING = {
    "ExecutableDefinitionsRule": "{ dog { name } } type Bird { name: String }",
    "KnownOperationTypesRule": "mutation { feed { name } }",
    "UniqueOperationNamesRule": "query A { dog { name } } query A { cat { name } }",
    "LoneAnonymousOperationRule": "{ dog { name } } query A { dog { name } }",
    "SingleFieldSubscriptionsRule": "subscription { meows { name } barks { name } }",
    "KnownTypeNamesRule": "{ named { ... on Bird { name } } }",
    "FragmentsOnCompositeTypesRule": "{ dog { ... on String { name } } }",
    "VariablesAreInputTypesRule": "query ($dog: Dog) { dog { name } }",
    "ScalarLeafsRule": "{ dog }",
    "FieldsOnCorrectTypeRule": "{ dog { wings } bird }",
    "UniqueFragmentNamesRule": "{ dog { ...F } } fragment F on Dog { name } fragment F on Dog { name }",
    "KnownFragmentNamesRule": "{ dog { ...Missing } }",
    "NoUnusedFragmentsRule": "{ dog { name } } fragment F on Dog { name }",
    "PossibleFragmentSpreadsRule": "{ dog { ...F } } fragment F on Cat { name }",
    "NoFragmentCyclesRule": "{ dog { ...F } } fragment F on Dog { ...G } fragment G on Dog { ...F }",
    "UniqueVariableNamesRule": "query ($a: Int, $a: Int) { cat(first: $a) { name } }",
    "NoUndefinedVariablesRule": "{ cat(first: $a) { ...F } } fragment F on Cat { lives(at: $b) }",
    "NoUnusedVariablesRule": 'query ($a: Int) { cat { name } } # "$a"',
    "KnownDirectivesRule": "query @include(if: true) { dog { name @shout } }",
    "UniqueDirectivesPerLocationRule": "{ dog { name @skip(if: true) @skip(if: false) } }",
    "DeferStreamDirectiveOnRootField": "mutation { ... @defer { feed { name } } }",
    "DeferStreamDirectiveOnValidOperationsRule": "subscription { meows { ... @defer { name } } }",
    "DeferStreamDirectiveLabel": (
        '{ dog { ... @defer(label: "a") { name } } cat { ... @defer(label: "a") { name } } }'
    ),
    "StreamDirectiveOnListField": "{ dog @stream { name } }",
    "KnownArgumentNamesRule": "{ dog(last: 1) { name @skip(if: true, unless: 1) } }",
    "UniqueArgumentNamesRule": "{ cat(first: 1, first: 2) { name } }",
    "ValuesOfCorrectTypeRule": '{ cat(first: "a") { name } cats(where: {ages: [1, "b"], tail: 1}) { name } }',
    "ProvidedRequiredArgumentsRule": "{ cat { lives } dog { name @skip } }",
    "VariablesInAllowedPositionRule": "query ($a: String) { cat(first: $a) { lives(at: $a) } }",
    "OverlappingFieldsCanBeMergedRule": "{ cat { a: name a: friend { name } } d: cat { name } d: dog { n } }",
    "UniqueInputFieldNamesRule": '{ cats(where: {region: "a", region: "b"}) { name } }',
    "MaxIntrospectionDepthRule": (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    ),
}

VALID = (
    "{ dog { name } }",
    "query A($w: Where) { cats(where: $w) { name ...F } } fragment F on Cat { lives(at: 1) friend { name } }",
    "query A($n: Int = 1, $s: Boolean!) { cat(first: $n) { ... on Named @skip(if: $s) { name } } }",
    'query { cats(where: {region: "$", inner: {region: "x", ages: [1, 2]}}) { __typename } __typename }',
)

NESTED = "{ cat { ...F0 } } " + " ".join(
    f"fragment F{n} on Cat {{ {'friend { ' * 60}{f'...F{n + 1}' if n < 5 else 'name'}{' }' * 60} }}"
    for n in range(6)
)
"""Each fragment is within what the parser admits, all together are not."""


def both(document: DocumentNode, most: int = 20) -> tuple[list[object], list[object]]:
    """What our walk finds, and what graphql-core finds."""
    schema = SCHEMA
    ours = RULES.broken(schema, document, most)
    theirs = validate(
        schema,
        document,
        specified_rules,
        max_errors=most,
        hide_suggestions=True,
        allow_empty_selection_sets=False,
    )
    return (
        [(one.error.message, one.error.locations) for one in ours],
        [(error.message, error.locations) for error in theirs],
    )


def test_each_rule_is_asked_and_its_errors_bear_its_name() -> None:
    asked = {rule.__name__ for rule in specified_rules}
    assert set(BREAKING) == asked
    without_mutations = build_schema("type Query { dog: String }")
    for rule, text in BREAKING.items():
        schema = without_mutations if rule == "KnownOperationTypesRule" else SCHEMA
        assert rule in {one.rule for one in RULES.broken(schema, parse(text), 20)}, rule


@pytest.mark.parametrize("text", [*BREAKING.values(), *VALID, NESTED])
@pytest.mark.parametrize("most", [1, 20])
def test_the_errors_are_those_of_graphql_core(text: str, most: int) -> None:
    ours, theirs = both(parse(text), most)
    assert ours == theirs


@pytest.mark.parametrize("text", VALID)
def test_what_is_valid_has_no_errors(text: str) -> None:
    assert RULES.broken(SCHEMA, parse(text), 20) == []


def test_fragments_that_nest_too_deeply_together_end_validation() -> None:
    (*_, last) = RULES.broken(SCHEMA, parse(NESTED), 20)
    assert last.rule is None


def test_errors_beyond_the_most_are_told_by_one_that_bears_no_rule() -> None:
    broken = RULES.broken(SCHEMA, parse("{ " + "a b c d e f g h " + "}"), 3)
    assert [one.rule for one in broken] == [*["FieldsOnCorrectTypeRule"] * 3, None]


def test_a_document_without_a_source_is_walked_for_variables() -> None:
    document = parse("query ($a: Int) { cat(first: $a) { lives(at: $b) } }", no_location=True)
    ours, theirs = both(document)
    assert ours == theirs
    assert ours


_FIELDS = (
    "name",
    "n: name",
    "lives(at: 1)",
    "lives(at: $a)",
    "friend { name }",
    "a: friend { ...F }",
    "kittens(where: {region: $b}) { name }",
    "... on Named { name }",
    "... @include(if: $c) { name friend { n: name } }",
    "...F",
    "...G",
    "wings",
)
_HEADS = ("", "query A", "query A($a: Int!)", "query ($a: Int, $b: String!, $c: Boolean!)", "mutation")


@given(
    st.lists(st.tuples(st.sampled_from(_HEADS), st.lists(st.sampled_from(_FIELDS), min_size=1)), min_size=1),
    st.lists(st.tuples(st.sampled_from("FG"), st.lists(st.sampled_from(_FIELDS), min_size=1)), max_size=3),
)
def test_documents_put_together_at_random_are_judged_as_by_graphql_core(
    operations: Sequence[tuple[str, Sequence[str]]], fragments: Sequence[tuple[str, Sequence[str]]]
) -> None:
    texts = [f"{head} {{ cat {{ {' '.join(fields)} }} }}" for head, fields in operations]
    texts += [f"fragment {name} on Cat {{ {' '.join(fields)} }}" for name, fields in fragments]
    ours, theirs = both(parse(" ".join(texts)))
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "{{ me {{ name a{0}: name }} }}",
        "query A{0}($n: Int) {{members(first: $n) {{...F}}}} fragment F on MemberConnection {{__typename}}",
    ],
)
def test_a_prepared_document_leaves_nothing_for_the_collector(text: str) -> None:
    def made() -> None:
        for number in range(20):
            prepare(REFERENCE, text.format(number), LIMITS)

    made()
    gc.collect()
    gc.disable()
    try:
        made()
        assert gc.collect() < 20
    finally:
        gc.enable()
