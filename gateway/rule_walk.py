"""Runs validation rules over a document in one walk, which leaves nothing that refers in a circle.

Comes in: a schema, a document, the rules. Goes out: the errors, each with the rule that it breaks: the same,
in the same order, as those of `graphql.validate`, which `tests/gateway/test_rule_walk.py` holds.

graphql-core's own walk asks each of thirty rules for each kind of node of each document, and leaves eight
hundred objects in circles, which only the collector finds: for documents never seen before that was more than
half of the time, and the collector's pauses besides. Here what a rule has to say about a kind of node is
found once for the process, and no circle is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    BREAK,
    SKIP,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    Visitor,
    assert_valid_schema,
    visit,
)
from graphql.language.visitor import EnterLeaveVisitor, VisitorAction
from graphql.pyutils import RefMap
from graphql.validation import ASTValidationRule, ValidationContext
from graphql.validation.validate import (
    FragmentNestingVisitor,
    ValidationAbortedError,
    query_document_keys_to_validate,
)
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

VARIABLE: Final = "$"
"""No variable is written without it (GraphQL, 2.11)."""

TOO_MANY: Final = "Too many validation errors, error limit reached. Validation aborted."
"""In the words of graphql-core; a caller reads others."""

Step: TypeAlias = Callable[..., VisitorAction | None]


class Broken(NamedTuple):
    """An error, and the name of the rule that it breaks; None where validation was given up."""

    error: GraphQLError
    rule: str | None


@dataclass(slots=True)
class _Heard:
    """The errors so far. `rule` is the one whose turn it is."""

    most: int
    broken: list[Broken]
    rule: str | None = None

    def add(self, error: GraphQLError) -> None:
        """Keep it.

        Raises:
            ValidationAbortedError: there are enough.
        """
        if len(self.broken) >= self.most:
            raise ValidationAbortedError(TOO_MANY)
        self.broken.append(Broken(error, self.rule))


class _Context(ValidationContext):
    """What rules ask, with answers kept by node and not by all that a node contains."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, types: TypeInfo, heard: _Heard) -> None:
        super().__init__(
            schema, document, types, heard.add, hide_suggestions=True, allow_empty_selection_sets=False
        )
        source = None if document.loc is None else document.loc.source.body
        self._has_no_variables = source is not None and VARIABLE not in source
        self._fragment_spreads = RefMap()  # type: ignore[assignment]
        self._variable_usages = RefMap()  # type: ignore[assignment]
        self._recursive_variable_usages = RefMap()  # type: ignore[assignment]

    def get_variable_usages(
        self, node: OperationDefinitionNode | FragmentDefinitionNode
    ) -> list[VariableUsage]:
        """Where a definition uses variables; found without a walk where the text has none."""
        if self._has_no_variables:
            return []
        usages = self._variable_usages.get(node)
        if usages is None:
            fragment = node if isinstance(node, FragmentDefinitionNode) else None
            visitor = VariableUsageVisitor(self._type_info, fragment)
            visit(node, _Walk(_USAGES, (None,), [visitor], self._type_info, _Heard(0, [])))
            usages = self._variable_usages[node] = visitor.usages
        return usages


class _Turns(NamedTuple):
    """Who has a say at one kind of node: places in the list of rules, with the names of their methods.

    Whoever is asked when such a node begins may skip it, and so hears that it ends: by no method if need be.
    """

    entering: Sequence[tuple[int, str]]
    leaving: Sequence[tuple[int, str | None]]


class _Visitors:
    """Classes of visitors, and who of them has a say at which kind of node: found once for the process."""

    def __init__(self, classes: Sequence[type[Visitor]]) -> None:
        self._classes = classes
        self._kinds: dict[str, _Turns] = {}

    def turns(self, kind: str) -> _Turns:
        """Who has a say at nodes of this kind."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = self._found(kind)
        return found

    def _found(self, kind: str) -> _Turns:
        entering = [_method(one, "enter", kind) for one in self._classes]
        leaving = [_method(one, "leave", kind) for one in self._classes]
        return _Turns(
            tuple((place, name) for place, name in enumerate(entering) if name is not None),
            tuple(
                (place, leave)
                for place, (enter, leave) in enumerate(zip(entering, leaving, strict=True))
                if enter is not None or leave is not None
            ),
        )


def _method(one: type[Visitor], when: str, kind: str) -> str | None:
    """The name of the method by which a visitor hears of this kind of node, as graphql-core looks for it."""
    return next((name for name in (f"{when}_{kind}", when) if hasattr(one, name)), None)


_USAGES: Final = _Visitors((VariableUsageVisitor,))


class RuleSet:
    """Rules, each under the name that its errors bear. Made once."""

    def __init__(self, rules: Sequence[tuple[str, type[ASTValidationRule]]]) -> None:
        self._names: Final = (None, *(name for name, _ in rules))
        self._classes: Final = tuple(rule for _, rule in rules)
        self._visitors: Final = _Visitors((FragmentNestingVisitor, *self._classes))

    def broken(self, schema: GraphQLSchema, document: DocumentNode, most: int) -> list[Broken]:
        """What the rules have against the document: at most so many errors, and a note that it stopped."""
        assert_valid_schema(schema)
        heard = _Heard(most, [])
        types = TypeInfo(schema)
        context = _Context(schema, document, types, heard)
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        rules: list[Visitor] = [FragmentNestingVisitor(fragments), *(rule(context) for rule in self._classes)]
        walk = _Walk(self._visitors, self._names, rules, types, heard)
        if not fragments:
            walk.skipping[0] = BREAK
        try:
            visit(document, walk, query_document_keys_to_validate)
        except ValidationAbortedError as error:
            error.__context__ = None
            heard.broken.append(Broken(error.with_traceback(None), None))
        except RecursionError:
            heard.broken.append(Broken(ValidationAbortedError("Validation aborted."), None))
        return heard.broken


class _Walk(Visitor):
    """All rules at once. `skipping` says for each which node it skips, as in graphql-core's own.

    What it does at a kind of node does not know the walk itself: that would be a circle.
    """

    def __init__(
        self,
        visitors: _Visitors,
        names: Sequence[str | None],
        rules: Sequence[Visitor],
        types: TypeInfo,
        heard: _Heard,
    ) -> None:
        super().__init__()
        self._visitors = visitors
        self._names = names
        self._rules = rules
        self._types = types
        self._heard = heard
        self.skipping: list[Any] = [None] * len(rules)

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        """What is done when a node of this kind begins, and when it ends."""
        found = self.enter_leave_map.get(kind)
        if found is None:
            turns = self._visitors.turns(kind)
            found = EnterLeaveVisitor(self._entering(kind, turns), self._leaving(kind, turns))
            self.enter_leave_map[kind] = found
        return found

    def _entering(self, kind: str, turns: _Turns) -> Step | None:
        meet = getattr(self._types, f"enter_{kind}", None)
        steps = self._steps(turns.entering)
        if meet is None and not steps:
            return None
        skipping, heard = self.skipping, self._heard

        def enter(node: Any, key: Any, parent: Any, path: Any, ancestors: Any) -> None:
            if meet is not None:
                meet(node)
            for place, name, step in steps:
                if skipping[place] is None:
                    heard.rule = name
                    said = step(node, key, parent, path, ancestors)
                    if said is not None:
                        skipping[place] = node if said is SKIP or said is False else BREAK

        return enter

    def _leaving(self, kind: str, turns: _Turns) -> Step | None:
        part = getattr(self._types, f"leave_{kind}", None)
        steps = self._steps(turns.leaving)
        if part is None and not steps:
            return None
        skipping, heard = self.skipping, self._heard

        def leave(node: Any, key: Any, parent: Any, path: Any, ancestors: Any) -> None:
            for place, name, step in steps:
                if skipping[place] is None:
                    if step is not None:
                        heard.rule = name
                        said = step(node, key, parent, path, ancestors)
                        if said is BREAK or said is True:
                            skipping[place] = BREAK
                elif skipping[place] is node:
                    skipping[place] = None
            if part is not None:
                part()

        return leave

    def _steps(self, turns: Sequence[tuple[int, str | None]]) -> list[tuple[int, str | None, Any]]:
        """The methods of this document's rules, whose turn it is."""
        rules, names = self._rules, self._names
        return [
            (place, names[place], None if method is None else getattr(rules[place], method))
            for place, method in turns
        ]
