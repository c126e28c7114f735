"""The table of registered documents: who may send which document by its name.

A document belongs to one client and is found by its id or by `sha256:` and its digest. Whether it is
valid is decided before it comes here (`gateway.documents.register`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

DIGEST_PREFIX: Final = "sha256:"
"""The prefix of an identifier that is the document's own digest (GraphQL over HTTP, persisted documents)."""

_FIND: Final = "SELECT body FROM persisted_document WHERE client_id = $1 AND document_id = $2"
_FIND_BY_DIGEST: Final = "SELECT body FROM persisted_document WHERE client_id = $1 AND sha256 = $2"
_LIST: Final = """
SELECT document_id, sha256, registered_at FROM persisted_document WHERE client_id = $1 ORDER BY document_id
"""
_SAVE: Final = """
INSERT INTO persisted_document (client_id, document_id, sha256, body, registered_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (client_id, sha256)
    DO UPDATE SET document_id = excluded.document_id, registered_at = excluded.registered_at
"""
_REPLACE: Final = "DELETE FROM persisted_document WHERE client_id = $1 AND document_id = $2 AND sha256 <> $3"
_REMOVE: Final = (
    "DELETE FROM persisted_document WHERE client_id = $1 AND document_id = $2 RETURNING document_id"
)


class Connection(Protocol):
    """As much of an asyncpg connection or pool as is used here."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        ...

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        """All rows."""
        ...

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement that gives no rows."""
        ...


@dataclass(frozen=True, slots=True)
class RegisteredDocument:
    """One line of the list of a client's documents."""

    document_id: str
    sha256: str
    registered_at: datetime


async def find_document(connection: Connection, client_id: str, identifier: str) -> str | None:
    """The text of the client's document that `identifier` names; None if there is none."""
    if identifier.startswith(DIGEST_PREFIX):
        query, argument = _FIND_BY_DIGEST, identifier.removeprefix(DIGEST_PREFIX)
    else:
        query, argument = _FIND, identifier
    body: str | None = await connection.fetchval(query, client_id, argument)
    return body


async def save_document(
    connection: Connection, *, client_id: str, document_id: str, sha256: str, body: str, now: datetime
) -> None:
    """Register a document, in place of one of the same id. A text registered before goes by this id now."""
    await connection.execute(_REPLACE, client_id, document_id, sha256)
    await connection.execute(_SAVE, client_id, document_id, sha256, body, now)


async def list_documents(connection: Connection, client_id: str) -> list[RegisteredDocument]:
    """What is registered for a client, ordered by id."""
    rows = await connection.fetch(_LIST, client_id)
    return [RegisteredDocument(row["document_id"], row["sha256"], row["registered_at"]) for row in rows]


async def remove_document(connection: Connection, client_id: str, document_id: str) -> bool:
    """Whether there was such a document; there is none now."""
    return await connection.fetchval(_REMOVE, client_id, document_id) is not None
