"""The officer's contract: a schema of its own, proved and cut as that of members and partners is."""

from __future__ import annotations

from collections.abc import Callable

from gateway.contracts import Contracts
from policies.matrix import Matrix
from resolvers.staff import officers_schema
from schema.catalogue import Catalogue
from schema.proof import prove


def officers_contracts(policy: Callable[[], Matrix]) -> tuple[Catalogue, Contracts]:
    """The catalogue of the officer's contract, and what each officer sees of it.

    Raises:
        CatalogueError: it may not be served.
    """
    schema = officers_schema()
    catalogue = prove(schema)
    return catalogue, Contracts(schema, catalogue, policy)
