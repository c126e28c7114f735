"""The executor of graphql-core as we use it: finished parts pass through, and commands run in a loop."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

from graphql import Undefined
from graphql.execution import Executor
from graphql.pyutils import Path as ResponsePath

from resolvers.context import Fragment


class FragmentExecutor(Executor[Any]):
    """graphql-core's executor, which lets finished projections through as they are."""

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
