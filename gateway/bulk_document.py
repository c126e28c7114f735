"""The GraphQL document of a bulk download: everything of a member that a contract shows, or some of it.

In: a contract and names of fields. Out: the text of a document, the same for the same contract and names. It
is prepared, costed and registered like any document that a partner sends, so bulk is no way round a contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type

from gateway.wording import echoed
from schema.errors import ForbiddenError, InputError

OPERATION: Final = "MembersExport"
"""The name under which the disclosure log knows it."""

_MEMBER: Final = "SharedMember"


def bulk_document(schema: GraphQLSchema, names: Sequence[str] | None = None) -> str:
    """The document for these fields of a member, in this order; all of them if none are named.

    Raises:
        ForbiddenError: the contract has no members.
        InputError: a name is not a field of the contract, whether or not it is one of another.
    """
    member = schema.type_map.get(_MEMBER)
    if not isinstance(member, GraphQLObjectType):
        raise ForbiddenError("your contract has no `members`: ask for a token with wider scopes")
    wanted = list(dict.fromkeys(member.fields if names is None else names))
    for name in wanted:
        if name not in member.fields:
            raise InputError(f"`fields`: {echoed(name)} is not a field of a member in your contract")
    if not wanted:
        raise InputError("`fields` is empty: name fields of a member, or leave it out for all")
    selected = " ".join(_selected(member, name) for name in wanted)
    return (
        f"query {OPERATION}($first: Int!, $after: String) {{\n"
        "  members(first: $first, after: $after) {\n"
        f"    edges {{ node {{ {selected} }} }}\n"
        "    pageInfo { hasNextPage endCursor }\n"
        "  }\n"
        "}\n"
    )


def leaves(schema: GraphQLSchema, names: Sequence[str] | None = None) -> int:
    """How many leaf values one member has in that document."""
    member = schema.type_map[_MEMBER]
    assert isinstance(member, GraphQLObjectType)  # noqa: S101 - the document has been made
    return sum(_leaves(member, name) for name in dict.fromkeys(member.fields if names is None else names))


def _selected(parent: GraphQLObjectType, name: str) -> str:
    """A field, and every value below it."""
    returned = get_named_type(parent.fields[name].type)
    if is_leaf_type(returned):
        return name
    assert isinstance(returned, GraphQLObjectType)  # noqa: S101 - there are no interfaces and unions
    return f"{name} {{ {' '.join(_selected(returned, below) for below in returned.fields)} }}"


def _leaves(parent: GraphQLObjectType, name: str) -> int:
    returned = get_named_type(parent.fields[name].type)
    if not isinstance(returned, GraphQLObjectType):
        return 1
    return sum(_leaves(returned, below) for below in returned.fields)
