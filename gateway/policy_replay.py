"""What partners' queries would have gained or lost under another policy.

In come the two policies, what the disclosure log says was released, and the documents that clients
registered; out come, for each client and document, the fields that would have come or gone. The log names a
document by its hash and the categories that were released: of one that was never registered, nothing else is
known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from policies.matrix import Matrix
from resolvers.policy_effects import ClientDocument, Released
from schema.catalogue import Catalogue, Filter, Source, category_of
from schema.categories import DataCategory, closed, expand, mask_of


@dataclass(frozen=True, slots=True)
class ReplayedDocument:
    """A registered document: fields and filters that it names, and would have gained or lost, by name."""

    partner: str
    client_id: str
    document_id: str
    responses: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayedRelease:
    """Answers to a document that is not registered: the categories in them that would not have been there."""

    partner: str
    client_id: str
    operation: str
    responses: int
    lost: tuple[DataCategory, ...]


def replay_documents(
    schema: GraphQLSchema,
    catalogue: Catalogue,
    before: Matrix,
    after: Matrix,
    documents: Iterable[ClientDocument],
    released: Iterable[Released],
) -> Iterator[ReplayedDocument]:
    """The registered documents that would have been answered otherwise."""
    answered: dict[tuple[str, str], int] = {}
    for entry in released:
        key = (entry.client_id, entry.operation_hash)
        answered[key] = answered.get(key, 0) + entry.responses
    for document in documents:
        old, new = _open(before, document), _open(after, document)
        if old == new:
            continue
        asked = [(name, mask) for name, mask in _asked(schema, catalogue, document.body) if mask]
        gained = tuple(name for name, mask in asked if mask & new and not mask & old)
        lost = tuple(name for name, mask in asked if mask & old and not mask & new)
        if gained or lost:
            yield ReplayedDocument(
                document.partner,
                document.client_id,
                document.document_id,
                answered.get((document.client_id, document.sha256), 0),
                gained,
                lost,
            )


def replay_releases(
    before: Matrix, after: Matrix, released: Iterable[Released], registered: Iterable[ClientDocument]
) -> Iterator[ReplayedRelease]:
    """The answers to other documents that held what `before` shares and `after` would not share at all.

    What was released under an earlier policy, and neither of the two shares, is no difference between them.
    """
    known = {(document.client_id, document.sha256) for document in registered}
    for entry in released:
        if (entry.client_id, entry.operation_hash) in known:
            continue
        old, new = (
            closed(m.share_mask(entry.basis, entry.purpose, protected=False)) for m in (before, after)
        )
        lost = tuple(c for c in sorted(entry.categories) if mask_of({c}) & old & ~new)
        if lost:
            named = entry.operation_name or f"document {entry.operation_hash[:12]}"
            yield ReplayedRelease(entry.partner, entry.client_id, named, entry.responses, lost)


def _open(matrix: Matrix, document: ClientDocument) -> int:
    shared = matrix.share_mask(document.basis, document.purpose, protected=False)
    return closed(shared & mask_of(expand(document.categories)))


def _asked(schema: GraphQLSchema, catalogue: Catalogue, text: str) -> Sequence[tuple[str, int]]:
    """The fields and filters that a document names, once and in order, with the bit of the category or 0.

    They are looked up in the full schema, because a contract may not show them (any more).
    """
    found: dict[str, int] = {}
    info = TypeInfo(schema)

    def note(type_name: str, field_name: str, source: Source | Filter) -> None:
        category = category_of(source)
        found[f"{type_name}.{field_name}"] = 0 if category is None else mask_of({category})

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            if parent is None or (parent.name, node.name.value) not in catalogue.fields:
                return
            note(parent.name, node.name.value, catalogue.source(parent.name, node.name.value))

        def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
            # Whoever filters by what is not shared is refused, asked for or not.
            within = get_named_type(info.get_parent_input_type())
            narrowing = None if within is None else catalogue.filters.get((within.name, node.name.value))
            if within is not None and narrowing is not None:
                note(within.name, node.name.value, narrowing)

    try:
        visit(parse(text), TypeInfoVisitor(info, Fields()))
    except GraphQLError:
        return []  # it parsed when it was registered; what parses no more is answered no more
    return list(found.items())
