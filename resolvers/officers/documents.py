"""Which documents a client may send by name. Whether one is valid is decided by the caller."""

from __future__ import annotations

from collections.abc import Sequence

from policies.officers import Act
from resolvers import persisted_documents
from resolvers.desk import Desk
from resolvers.persisted_documents import RegisteredDocument
from schema.errors import NotFoundError


async def begin_registration(desk: Desk, client_id: str) -> None:
    """Documents are about to be registered for a client, in this transaction."""
    await desk.act(Act.DOCUMENT_CHANGE, f"client {client_id}")


async def list_documents(desk: Desk, client_id: str) -> Sequence[RegisteredDocument]:
    """What is registered for a client, by id."""
    await desk.act(Act.CLIENT_READ, f"client {client_id}")
    return await persisted_documents.list_documents(desk.connection, client_id)


async def remove_document(desk: Desk, client_id: str, document_id: str) -> None:
    """Remove a document; requests that name it are refused within seconds."""
    await desk.act(Act.DOCUMENT_CHANGE, f"client {client_id}")
    if not await persisted_documents.remove_document(desk.connection, client_id, document_id):
        raise NotFoundError("no such document: see `gateway documents list`")
