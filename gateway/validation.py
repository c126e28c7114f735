"""Validation by every rule of the GraphQL specification, each error knowing which rule it broke.

Comes in: a contract's schema and a parsed document. Goes out: the refusals, empty if it is valid.
Suggestions are off, and messages pass through gateway/wording.py, so nothing that the contract does
not name and no value of the request appears in one.
"""

from __future__ import annotations

from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    ObjectFieldNode,
    ObjectValueNode,
    ValueNode,
    specified_rules,
    validate,
)
from graphql.language import SKIP, VisitorAction
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation import (
    ASTValidationRule,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    ValuesOfCorrectTypeRule,
)

from gateway.refusals import Code, RefusedError
from gateway.wording import rule_refusal, value_message

MAX_ERRORS: Final = 20
"""Enough to mend a document at once; more only costs time and bytes."""

MAX_COMPARISONS: Final = 40_000
"""The budget for finding fields that conflict: about 0.1 s. graphql-core's own allows ten times as much."""

_RULE: Final = "rule"


def validation_refusals(schema: GraphQLSchema, document: DocumentNode) -> list[RefusedError]:
    """What GraphQL's rules have against the document, at most `MAX_ERRORS` and a note that it stopped."""
    errors = validate(
        schema,
        document,
        _RULES,
        max_errors=MAX_ERRORS,
        hide_suggestions=True,
        allow_empty_selection_sets=False,
    )
    return [_refusal(error) for error in errors]


def _refusal(error: GraphQLError) -> RefusedError:
    """One error as the caller will read it."""
    rule = (error.extensions or {}).get(_RULE)
    if rule is None:
        message = "validation stopped here: mend the errors before this one, or send less in one request"
        return RefusedError(Code.GRAPHQL_VALIDATION_FAILED, message)
    return rule_refusal(error, str(rule))


class _Naming:
    """A validation context that writes the rule's name on each error reported through it."""

    def __init__(self, context: ValidationContext, rule: str) -> None:
        self._context = context
        self._rule = rule

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def report_error(self, error: GraphQLError) -> None:
        """Pass the error on with the name of the rule."""
        error.extensions = {_RULE: self._rule}
        self._context.report_error(error)


class _OverlappingFields(OverlappingFieldsCanBeMergedRule):
    """The rule of that name, which compares each field with each of the same name, with a smaller budget."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MAX_COMPARISONS


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """The rule of that name, with messages that say the expected type instead of the value found."""

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report each wrong part of a literal by its path in the contract."""
        if input_type:
            expected = input_type

            def on_error(error: GraphQLError, path: list[str | int]) -> None:
                wrong = error.nodes[0] if error.nodes else node
                names = (
                    frozenset(f.name.value for f in wrong.fields)
                    if isinstance(wrong, ObjectValueNode)
                    else None
                )
                unknown = wrong.name.value if isinstance(wrong, ObjectFieldNode) else None
                message = value_message(expected, path, names, unknown)
                self.report_error(GraphQLError(message, wrong))

            validate_input_literal(node, expected, on_error, None, None, hide_suggestions=True)
        return SKIP


_OURS: Final[dict[type[ASTValidationRule], type[ASTValidationRule]]] = {
    ValuesOfCorrectTypeRule: _ValuesOfCorrectType,
    OverlappingFieldsCanBeMergedRule: _OverlappingFields,
}


def _named(rule: type[ASTValidationRule]) -> type[ASTValidationRule]:
    """The rule, telling its own name with each error. The name is that of the specified rule."""
    name = rule.__name__
    base: Any = _OURS.get(rule, rule)

    class Named(base):  # type: ignore[misc]
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(_Naming(context, name))

    Named.__name__ = name
    return Named


_RULES: Final = tuple(_named(rule) for rule in specified_rules)
