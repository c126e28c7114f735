"""From a validated operation to its plans: what is found once is kept, with a bound.

In: a contract, an operation, coerced variables. Out: the selection, a plan for each projection, and the
values of its slots. A selection depends on the variables in `@skip` and `@include`; a plan besides on which
arguments there are. Neither holds a value of a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import DocumentNode, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from gateway.answers import switch_variables
from gateway.cache import BoundedCache
from gateway.contracts import Contract, ContractKey
from resolvers.binding import SlotValues
from resolvers.context import Path
from resolvers.parameters import SlotShape
from resolvers.projection import Projection, project, projected_fields
from resolvers.selection import Selection, select
from resolvers.statement import Plan, build
from schema.catalogue import Catalogue

OperationKey: TypeAlias = tuple[ContractKey, str, str | None]
"""A contract, the name under which a document is kept, and the name of one of its operations."""


PlanKey: TypeAlias = tuple[OperationKey, tuple[Any, ...]]
"""And the values of the variables in `@skip` and `@include`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One validated operation of a document."""

    document: DocumentNode
    node: OperationDefinitionNode
    document_hash: str
    kept_as: str = ""
    """The name under which its selection is kept; that of the document's digest if it is empty."""

    @property
    def name(self) -> str | None:
        """The operation's name, if it has one."""
        return None if self.node.name is None else self.node.name.value


@dataclass(frozen=True, slots=True)
class Planned:
    """An operation with its variables, ready to be run for whoever has the contract.

    `arguments` are those of each slot; a run gets slots of its own by `slots`. `direct`: each root field is a
    projection, so that graphql-core's executor has nothing to do.
    """

    contract: Contract
    operation: Operation
    variables: VariableValues
    selection: Selection
    plans: Mapping[Path, Plan]
    arguments: Sequence[Mapping[str, Any]]
    is_query: bool
    direct: bool

    def slots(self) -> list[SlotValues]:
        """The slots of one run."""
        return [SlotValues(arguments) for arguments in self.arguments]


class Planner:
    """Finds or makes selections and plans. One for a process."""

    def __init__(self, catalogue: Catalogue, cache_size: int) -> None:
        self._catalogue = catalogue
        self._switches: BoundedCache[OperationKey, tuple[str, ...]] = BoundedCache(cache_size)
        self._selections: BoundedCache[Any, Selection] = BoundedCache(cache_size)
        self._plans: BoundedCache[Any, Mapping[Path, Plan]] = BoundedCache(cache_size)
        self._built: BoundedCache[tuple[Projection, tuple[SlotShape, ...]], Plan] = BoundedCache(cache_size)

    def plan(self, contract: Contract, operation: Operation, variables: VariableValues) -> Planned:
        """The operation with these variables, as it is run."""
        key, selection, slots = self.select(contract, operation, variables)
        plans = self.plans(key, selection, slots)
        is_query = operation.node.operation is OperationType.QUERY
        direct = is_query and all((s.key,) in plans or s.name == "__typename" for s in selection.roots)
        arguments = [slot.arguments for slot in slots]
        return Planned(contract, operation, variables, selection, plans, arguments, is_query, direct)

    def select(
        self, contract: Contract, operation: Operation, variables: VariableValues
    ) -> tuple[PlanKey, Selection, list[SlotValues]]:
        """What the operation selects with these variables, and its slots with their arguments."""
        key, selection = self._selection(contract, operation, variables)
        return key, selection, [SlotValues(slot.arguments(variables)) for slot in selection.slots]

    def _selection(
        self, contract: Contract, operation: Operation, variables: VariableValues
    ) -> tuple[PlanKey, Selection]:
        operation_key = (contract.key, operation.kept_as or operation.document_hash, operation.name)
        switches = self._switches.get(operation_key)
        if switches is None:
            switches = switch_variables(operation.document)
            self._switches.put(operation_key, switches)
        key = (operation_key, tuple(variables.coerced.get(name) for name in switches))
        selection = self._selections.get(key)
        if selection is None:
            selection = select(contract.schema, operation.document, operation.node, variables)
            self._selections.put(key, selection)
        return key, selection

    def plans(self, key: PlanKey, selection: Selection, slots: Sequence[SlotValues]) -> Mapping[Path, Plan]:
        """The plan of each projection, by response path, for the arguments that there are."""
        shapes = tuple(shape_of(slot) for slot in slots)
        plans = self._plans.get((key, shapes))
        if plans is None:
            plans = {
                path: self._built_plan(project(self._catalogue, selected), shapes)
                for path, selected in projected_fields(self._catalogue, selection.roots)
            }
            self._plans.put((key, shapes), plans)
        return plans

    def _built_plan(self, projection: Projection, shapes: tuple[SlotShape, ...]) -> Plan:
        """The plan of a projection: documents that differ in names and order of arguments alone share it."""
        plan = self._built.get((projection, shapes))
        if plan is None:
            plan = build(self._catalogue, projection, shapes)
            self._built.put((projection, shapes), plan)
        return plan


def shape_of(slot: SlotValues) -> SlotShape:
    """Which arguments of a slot are there."""
    where = slot.arguments.get("where") or {}
    after = slot.arguments.get("after") is not None
    return SlotShape(
        after=after,
        end=not after and slot.arguments.get("first") == 0,
        where=tuple(sorted(name for name, value in where.items() if value is not None)),
    )
