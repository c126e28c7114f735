"""Relay connections: edges, pages and the arguments that every list takes."""

from __future__ import annotations

from typing import Annotated, Any, Generic, NoReturn, TypeVar

import strawberry

from schema.catalogue import related, structural
from schema.categories import DataCategory
from schema.errors import GatewayError

Node = TypeVar("Node")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo, forward paging."""

    has_next_page: bool = structural("Whether another page follows.")
    has_previous_page: bool = structural("Whether this page was reached by a cursor.")
    start_cursor: str | None = structural("The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = structural(
        "What to pass as `after` for the next page; null on an empty page, except of `changes`."
    )


@strawberry.type(description="One entry of a list, with its cursor.")
class Edge(Generic[Node]):
    """Relay's edge."""

    cursor: str = structural("Opaque; valid for this caller, this list and this filter only.")
    node: Node = structural("The entry itself.")


@strawberry.type(description="A list, by page.")
class Connection(Generic[Node]):
    """Relay's connection."""

    edges: list[Edge[Node]] = structural("The entries of this page.")
    page_info: PageInfo = structural("Where this page stands.")
    total_count: int = structural("How many entries the whole list has, with the filter applied.")


First = Annotated[
    int | None,
    strawberry.argument(description="How many entries to return; the server has a default and a largest."),
]
After = Annotated[str | None, strawberry.argument(description="The `endCursor` of the page before.")]


def projected(
    root: object,  # noqa: ARG001 - the signature declares the arguments of the GraphQL field
    first: First = strawberry.UNSET,  # noqa: ARG001
    after: After = strawberry.UNSET,  # noqa: ARG001
) -> NoReturn:
    """Stands where a list is declared; its rows come from the projection of the root above it.

    Raises:
        GatewayError: always. Being called means that a projection was bypassed: fail closed.
    """
    raise GatewayError("this field is read by projection only")


def listed(
    category: DataCategory,
    description: str,
    *,
    parent: Any,
    child: Any,
    order: tuple[Any, ...],
    **options: Any,
) -> Any:
    """A GraphQL field that lists the rows of another table by page: `schema.catalogue.related` with many."""
    return related(
        category,
        description,
        parent=parent,
        child=child,
        order=order,
        many=True,
        resolver=projected,
        **options,
    )
