"""Validation by every rule of the GraphQL specification, each error knowing which rule it broke.

Comes in: a contract's schema and a parsed document. Goes out: the refusals, empty if it is valid.
Suggestions are off, and messages pass through gateway/wording.py, so nothing that the contract does
not name and no value of the request appears in one.
"""

from __future__ import annotations

from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    ObjectFieldNode,
    ObjectValueNode,
    ValueNode,
    specified_rules,
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
from gateway.rule_walk import RuleSet
from gateway.wording import rule_refusal, value_message

MAX_ERRORS: Final = 20
"""Enough to mend a document at once; more only costs time and bytes."""

MAX_COMPARISONS: Final = 40_000
"""The budget for finding fields that conflict: about 0.1 s. graphql-core's own allows ten times as much."""


def validation_refusals(schema: GraphQLSchema, document: DocumentNode) -> list[RefusedError]:
    """What GraphQL's rules have against the document, at most `MAX_ERRORS` and a note that it stopped."""
    return [_refusal(*broken) for broken in _RULES.broken(schema, document, MAX_ERRORS)]


def _refusal(error: GraphQLError, rule: str | None) -> RefusedError:
    """One error as the caller will read it."""
    if rule is None:
        message = "validation stopped here: mend the errors before this one, or send less in one request"
        return RefusedError(Code.GRAPHQL_VALIDATION_FAILED, message)
    return rule_refusal(error, rule)


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


_RULES: Final = RuleSet([(rule.__name__, _OURS.get(rule, rule)) for rule in specified_rules])
