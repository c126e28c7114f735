"""The fragments of a document in an order that lets each be worked on once.

Comes in: a parsed document, not validated. Goes out: its fragment definitions, each after all that it
spreads. Works without recursion through fragments, so that a long chain cannot exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import DocumentNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

from gateway.refusals import Code, DocumentRefused, Place, RefusedError


def fragments_in_order(document: DocumentNode) -> list[FragmentDefinitionNode]:
    """Each fragment after those that it spreads. Spreads of fragments that do not exist are passed over.

    Where a name is defined twice, the last definition counts; validation refuses the document anyway.

    Raises:
        DocumentRefused: a fragment spreads itself, directly or through others.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    spreads = {name: _spreads(fragment.selection_set) for name, fragment in fragments.items()}
    done: dict[str, FragmentDefinitionNode] = {}
    for root in fragments:
        path: list[tuple[str, Iterator[str]]] = [] if root in done else [(root, iter(spreads[root]))]
        on_path = {root}
        while path:
            name, remaining = path[-1]
            following = next(
                (spread for spread in remaining if spread in fragments and spread not in done), None
            )
            if following is None:
                path.pop()
                on_path.discard(name)
                done[name] = fragments[name]
            elif following in on_path:
                raise _cyclic(fragments[following])
            else:
                path.append((following, iter(spreads[following])))
                on_path.add(following)
    return list(done.values())


def _spreads(selections: SelectionSetNode) -> tuple[str, ...]:
    """The names of the fragments spread anywhere below, each once."""
    names: dict[str, None] = {}
    stack = [selections]
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                names[selection.name.value] = None
            else:
                inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
                if inner is not None:
                    stack.append(inner)
    return tuple(names)


def _cyclic(fragment: FragmentDefinitionNode) -> DocumentRefused:
    """The refusal of a fragment that spreads itself."""
    place = (
        (Place(fragment.loc.start_token.line, fragment.loc.start_token.column),)
        if fragment.loc is not None
        else ()
    )
    message = "a fragment spreads itself, directly or through others: remove the cycle"
    return DocumentRefused((RefusedError(Code.GRAPHQL_VALIDATION_FAILED, message, place),))
