"""The executor of graphql-core as we use it: finished parts pass through, and commands run in a loop."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues
from graphql.pyutils import Path as ResponsePath

from resolvers.context import Fragment


class FragmentExecutor(Executor[Any]):
    """graphql-core's executor, which lets finished projections through as they are."""

    @classmethod
    def of(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        context: object,
    ) -> FragmentExecutor:
        """For an operation of a validated document, with variables that were coerced for it.

        `graphql.execute` would look for the operation and coerce the variables once more.
        """
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        return cls(
            schema,
            fragments,
            {name: FragmentDetails(definition, None) for name, definition in fragments.items()},
            None,
            context,
            operation,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            hide_suggestions=True,
        )

    def complete_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Pass a `Fragment` through; complete everything else."""
        if isinstance(result, Fragment):
            return result.value
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    async def execute_fields_serially(
        self,
        parent_type: Any,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> dict[str, Any]:
        """Execute the commands of a mutation one after the other, in a loop.

        graphql-core nests a coroutine for each and ends in a `RecursionError` at a thousand.
        """
        results: dict[str, Any] = {}
        for name, field_details_list in grouped_field_set.items():
            place = ResponsePath(path, name, parent_type.name)
            result = self.execute_field(
                parent_type, source_value, field_details_list, place, position_context
            )
            if result is not Undefined:
                results[name] = await result if isawaitable(result) else result
        return results
