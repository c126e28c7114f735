"""Which document a request means: the one it sends, or one registered for its client.

Comes in: the parameters, the principal. Goes out: the document's text, or `RequestRefused`. Documents
belong to a client: one registered for another client does not exist for this one.

A document is named by `documentId` (GraphQL over HTTP, persisted documents) or by Apollo's
`extensions.persistedQuery.sha256Hash`. Nothing that a request sends is ever registered.
"""

from __future__ import annotations

import hmac
import re
from typing import Final

from gateway.http.messages import DocumentFinder
from gateway.http.reading import Parameters
from gateway.operations import digest_of
from gateway.refusals import Code, refused
from gateway.settings import DocumentPolicy
from policies.principal import Principal, Visitor

VISITOR_CLIENT: Final = "visitor"
"""The client that documents for callers without a credential are registered for."""

_IDENTIFIER: Final = re.compile(r"(?:sha256:[0-9a-f]{64}|[-._~0-9A-Za-z]{1,128})")


async def resolve_document(
    parameters: Parameters, principal: Principal, documents: DocumentFinder, policy: DocumentPolicy
) -> str:
    """The text of the document.

    Raises:
        RequestRefused: it is not registered for this client, or text and hash differ.
    """
    client_id = VISITOR_CLIENT if isinstance(principal, Visitor) else principal.client_id
    if parameters.query is not None:
        if parameters.apollo_hash is None and policy is not DocumentPolicy.REGISTERED:
            return parameters.query
        digest = digest_of(parameters.query)
        if parameters.apollo_hash is not None and not hmac.compare_digest(
            parameters.apollo_hash.encode(), digest.encode()
        ):
            message = "`sha256Hash` is not the SHA-256 of `query`: correct one of them"
            raise refused(Code.PERSISTED_DOCUMENT_MISMATCH, message)
        if (
            policy is DocumentPolicy.REGISTERED
            and await documents.find(client_id, f"sha256:{digest}") is None
        ):
            message = "only registered documents are admitted here: have this one registered for your client"
            raise refused(Code.DOCUMENT_NOT_REGISTERED, message)
        return parameters.query
    if parameters.document_id is not None:
        found = await _find(documents, client_id, parameters.document_id)
        if found is None:
            message = "no document of this `documentId` is registered for your client: have it registered"
            raise refused(Code.PERSISTED_DOCUMENT_NOT_FOUND, message)
        return found
    found = await _find(documents, client_id, f"sha256:{parameters.apollo_hash}")
    if found is None:
        # This code makes Apollo's clients send the document itself.
        raise refused(
            Code.PERSISTED_QUERY_NOT_FOUND,
            "no document of this `sha256Hash` is registered: send it in `query`",
        )
    return found


async def _find(documents: DocumentFinder, client_id: str, identifier: str) -> str | None:
    """The registered document; an identifier that could never be one is not looked up."""
    if _IDENTIFIER.fullmatch(identifier) is None:
        return None
    return await documents.find(client_id, identifier)
