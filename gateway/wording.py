"""What we say in place of graphql-core where its own words would print what the caller sent.

Comes in: errors of its parser and its rules. Goes out: `RefusedError`s made of names only.

INVARIANT (no-echo): a word from the request appears in a message only if it is a GraphQL Name of at
most 40 characters with at most 4 digits: enough to find a misspelt field, too little for a telephone
number or a token. Anything else is named by its position alone. Values are never printed.

CLAUSE (R1): no message repeats a value of a request or of the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from graphql import GraphQLError, GraphQLInputType, GraphQLSyntaxError
from graphql.language import TokenKind
from graphql.type import (
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_required_input_field,
)

from gateway.refusals import Code, Place, RefusedError

MAX_ECHOED_NAME: Final = 40
MAX_ECHOED_DIGITS: Final = 4
"""A shorter run of digits identifies nobody; most numbers, cards and codes are longer."""

_NAME: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_QUOTED: Final = re.compile(r"'([^']*)'")
_SHAPE: Final = re.compile(r"[$@!\[\]().:<>_0-9A-Za-z]*")
_SYNTAX: Final = re.compile(r"(?:Expected (?P<expected>\S+), found|Unexpected) (?P<found>[^ .]+)")
_KEYWORDS: Final = frozenset({"on", "query", "mutation", "subscription", "fragment"})
_KINDS: Final = frozenset(kind.value for kind in TokenKind)

_VALUE_FREE_RULES: Final = frozenset(
    {
        # Their messages hold names between quotes and fixed words, nothing else.
        "FieldsOnCorrectTypeRule", "FragmentsOnCompositeTypesRule", "KnownArgumentNamesRule",
        "KnownDirectivesRule", "KnownFragmentNamesRule", "KnownOperationTypesRule", "KnownTypeNamesRule",
        "LoneAnonymousOperationRule", "NoFragmentCyclesRule", "NoUndefinedVariablesRule",
        "NoUnusedFragmentsRule", "NoUnusedVariablesRule", "OverlappingFieldsCanBeMergedRule",
        "PossibleFragmentSpreadsRule", "ProvidedRequiredArgumentsRule", "ScalarLeafsRule",
        "SingleFieldSubscriptionsRule", "UniqueArgumentNamesRule", "UniqueDirectivesPerLocationRule",
        "UniqueFragmentNamesRule", "UniqueInputFieldNamesRule", "UniqueOperationNamesRule",
        "UniqueVariableNamesRule", "VariablesAreInputTypesRule", "VariablesInAllowedPositionRule",
    }
)  # fmt: skip


def may_echo(name: str) -> bool:
    """Whether a name from the request may appear in a message."""
    return (
        len(name) <= MAX_ECHOED_NAME
        and _NAME.fullmatch(name) is not None
        and sum(character.isdigit() for character in name) <= MAX_ECHOED_DIGITS
    )


def echoed(name: str) -> str:
    """The name in backticks, or words that stand for it."""
    return f"`{name}`" if may_echo(name) else "a name"


def places(error: GraphQLError) -> tuple[Place, ...]:
    """Where in the caller's document an error lies; empty if nowhere."""
    return tuple(Place(location.line, location.column) for location in error.locations or ())


def syntax_refusal(error: GraphQLSyntaxError, max_tokens: int) -> RefusedError:
    """The refusal for a document that does not parse; says which kind of token was expected and found."""
    description = error.description
    if "contains more than" in description:
        message = (
            f"the document has more tokens than `max_tokens` allows, which is {max_tokens}: "
            "send less in one request"
        )
        return RefusedError(Code.TOO_MANY_TOKENS, message, places(error))
    if "nested too deeply" in description:
        message = "the document is nested too deeply to be read: send less in one request"
        return RefusedError(Code.TOO_DEEP, message, places(error))
    if description == "Unterminated string.":
        reason = "a string is not closed"
    elif match := _SYNTAX.match(description):
        expected, found = match["expected"], _token(match["found"])
        reason = f"expected {_token(expected)}, found {found}" if expected else f"unexpected {found}"
    else:
        reason = "something is written that GraphQL does not admit"
    return RefusedError(Code.GRAPHQL_PARSE_FAILED, f"the document does not parse: {reason}", places(error))


def rule_refusal(error: GraphQLError, rule: str) -> RefusedError:
    """The refusal for a broken validation rule, with the names of the contract and no values."""
    code = Code.GRAPHQL_VALIDATION_FAILED
    if rule == "MaxIntrospectionDepthRule":
        code = Code.TOO_MUCH_INTROSPECTION
        message = "introspection nests lists too deeply: send the stock introspection query"
    elif rule == "ValuesOfCorrectTypeRule":
        message = error.message  # made by gateway/validation.py out of contract names
    elif rule in _VALUE_FREE_RULES:
        message = _names_only(error.message)
    else:
        message = "the document breaks a validation rule of GraphQL here: see `extensions.rule`"
    return RefusedError(code, message, places(error))


def value_message(
    type_: GraphQLInputType,
    path: Sequence[str | int],
    names: frozenset[str] | None,
    unknown: str | None = None,
) -> str:
    """What is wrong with an input value: the expected type, and the place by the contract's own names.

    `path` leads from the value of `type_` to the wrong part. `names` are the members of that part if it
    is an object; `unknown` is the member that the contract does not know, if that is what is wrong.
    """
    expected, steps = _walk(type_, path)
    where = f" at `{'.'.join(steps)}`" if steps else ""
    nullable = get_nullable_type(expected)
    if is_input_object_type(nullable):
        strangers = [unknown] if unknown is not None else []
        if names is not None:
            required = (name for name, field in nullable.fields.items() if is_required_input_field(field))
            absent = [name for name in required if name not in names]
            if absent:
                return f"a wrong value{where}: `{nullable}` needs `{'`, `'.join(absent)}`"
            strangers += sorted(names - nullable.fields.keys())
        if strangers:
            return f"a wrong value{where}: `{nullable}` has no field {echoed(strangers[0])}"
    return f"a wrong value{where}: expected type `{expected}`"


def _walk(type_: GraphQLInputType, path: Sequence[str | int]) -> tuple[GraphQLInputType, list[str]]:
    """The type at the end of the path and the path's names, as far as the contract knows them."""
    steps: list[str] = []
    current: GraphQLInputType = type_
    for key in path:
        nullable = get_nullable_type(current)
        while is_list_type(nullable) and not isinstance(key, int):
            nullable = get_nullable_type(nullable.of_type)
        if is_list_type(nullable):
            current = nullable.of_type
        elif is_input_object_type(nullable) and key in nullable.fields:
            current = nullable.fields[str(key)].type
            steps.append(str(key))
        else:
            break
    return current, steps


def _names_only(message: str) -> str:
    """A message of graphql-core with what it quotes in backticks, if it may be echoed at all."""

    def name(match: re.Match[str]) -> str:
        text = match[1]
        words = _NAME.findall(text)
        shown = _SHAPE.fullmatch(text) is not None and all(may_echo(word) for word in words)
        digits = sum(character.isdigit() for character in text)
        return f"`{text}`" if shown and digits <= MAX_ECHOED_DIGITS else "a name"

    public = _QUOTED.sub(name, message.partition(" Did you mean")[0]).rstrip(".")
    return public[:1].lower() + public[1:]


def _token(text: str) -> str:
    """The kind of a token, or words that stand for it."""
    bare = text.strip("'\"")
    return f"`{bare}`" if bare in _KINDS or bare in _KEYWORDS else "something else"
