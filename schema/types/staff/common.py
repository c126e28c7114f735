"""What the types of officers have in common: a page of a list, and findings of a command."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

from schema.catalogue import structural
from schema.types.commands import FieldErrorType

Node = TypeVar("Node")


@strawberry.type(description="A list, by page.")
class Page(Generic[Node]):
    """A page of a list of records, with what leads to the next."""

    nodes: list[Node] = structural("The entries of this page.")
    end_cursor: str | None = structural("What to pass as `after` for the next page; null on an empty page.")
    has_next_page: bool = structural("Whether another page follows.")


@strawberry.type(name="Done", description="What came of a command.")
class DonePayload:
    """Findings, or none."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
