"""The variables of one request, checked against the operation that they are for.

Comes in: the operation and the JSON object `variables`. Goes out: graphql-core's `VariableValues`, or
`RequestRefused` with BAD_VARIABLES, worded from the contract's names. Values are never printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    is_input_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values, input_is_nested_too_deeply
from graphql.utilities.validate_input_value import validate_input_value

from gateway.refusals import Code, Place, RefusedError, RequestRefused
from gateway.wording import may_echo, value_message
from schema.errors import GatewayError

MAX_ERRORS: Final = 20


def coerce_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> VariableValues:
    """The variables as the operation declares them, defaults filled in.

    Raises:
        RequestRefused: a required variable is missing or a value has a wrong type (BAD_VARIABLES).
        GatewayError: a scalar of ours refused the value with an error of its own.
    """
    definitions = operation.variable_definitions or ()
    outcome = get_variable_values(schema, definitions, dict(variables), MAX_ERRORS, hide_suggestions=True)
    if isinstance(outcome, VariableValues):
        return outcome
    for error in outcome:
        cause = _ours(error)
        if cause is not None:
            raise cause
    errors = [refusal for definition in definitions for refusal in _refusals(schema, definition, variables)]
    if not errors:
        errors = [
            RefusedError(Code.BAD_VARIABLES, "the variables do not fit the operation: check their types")
        ]
    raise RequestRefused(errors[:MAX_ERRORS])


def _refusals(
    schema: GraphQLSchema, definition: VariableDefinitionNode, variables: Mapping[str, Any]
) -> list[RefusedError]:
    """What is wrong with one variable."""
    type_ = type_from_ast(schema, definition.type)
    if type_ is None or not is_input_type(type_):
        return []
    name = definition.variable.name.value
    place = _place(definition)
    shown = f"variable `${name}`" if may_echo(name) else "a variable"
    value = variables.get(name, Undefined)
    if value is Undefined:
        if is_non_null_type(type_) and definition.default_value is None:
            message = f"{shown} is missing: expected type `{type_}`"
            return [RefusedError(Code.BAD_VARIABLES, message, place)]
        return []
    if input_is_nested_too_deeply(value, type_):
        return [RefusedError(Code.BAD_VARIABLES, f"{shown} is nested too deeply", place)]
    return _value_refusals(type_, value, shown, place)


def _value_refusals(
    type_: GraphQLInputType, value: Any, shown: str, place: tuple[Place, ...]
) -> list[RefusedError]:
    """What is wrong with a value that was given."""
    messages: dict[str, None] = {}

    def on_error(_error: GraphQLError, path: list[str | int]) -> None:
        part = _at(value, path)
        keys = frozenset(key for key in part if isinstance(key, str)) if isinstance(part, dict) else None
        messages[f"{shown} has {value_message(type_, path, keys)}"] = None

    validate_input_value(value, type_, on_error, hide_suggestions=True)
    return [RefusedError(Code.BAD_VARIABLES, message, place) for message in messages]


def _at(value: Any, path: list[str | int]) -> Any:
    """The part of a value that a path leads to; None where it leads nowhere."""
    for key in path:
        if isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        elif isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def _ours(error: GraphQLError) -> GatewayError | None:
    """The error of our own tree that a scalar raised, if one did."""
    seen: BaseException | None = error
    while isinstance(seen, GraphQLError):
        seen = seen.original_error
    return seen if isinstance(seen, GatewayError) else None


def _place(definition: VariableDefinitionNode) -> tuple[Place, ...]:
    """Where the variable is declared."""
    if definition.loc is None:
        return ()
    return (Place(definition.loc.start_token.line, definition.loc.start_token.column),)
