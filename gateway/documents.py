"""Registered documents: read from files, checked against the client's contract, found at request time.

Comes in: files of one document each, or the manifests that Relay's and Apollo's compilers write.
Goes out: rows of `persisted_document`, all of them or none; and, for requests, a finder with a memory.

INVARIANT (registered-valid): a document is registered only if it is valid for the contract that its
client has now. A later contract may be narrower: each request validates again (and remembers).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from graphql import GraphQLSchema

from gateway.cache import BoundedCache
from gateway.limits import Limits
from gateway.operations import digest_of, prepare
from gateway.refusals import DocumentRefused
from resolvers.persisted_documents import Connection, find_document, save_document
from schema.errors import InputError

MEMORY_SECONDS: Final = 5.0
"""For how long a finding is believed: a removed document is admitted no longer than that."""

MEMORY_ENTRIES: Final = 2_000

_DOCUMENT_ID: Final = re.compile(r"[-._~0-9A-Za-z]{1,128}")


class DocumentFile(NamedTuple):
    """One document as it is to be registered."""

    document_id: str
    body: str


class RememberingFinder:
    """Finds documents in the table and remembers for a few seconds what it found, or that there was none."""

    def __init__(
        self,
        connection: Connection,
        translate: Callable[[], AbstractContextManager[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._translate = translate
        self._clock = clock
        self._known: BoundedCache[tuple[str, str], tuple[float, str | None]] = BoundedCache(MEMORY_ENTRIES)

    async def find(self, client_id: str, identifier: str) -> str | None:
        """The text of the document, or None.

        Raises:
            UnavailableError: the database does not answer.
        """
        key = (client_id, identifier)
        known = self._known.get(key)
        now = self._clock()
        if known is not None and known[0] > now:
            return known[1]
        with self._translate():
            body = await find_document(self._connection, client_id, identifier)
        self._known.put(key, (now + MEMORY_SECONDS, body))
        return body


def read_files(paths: Iterable[Path]) -> list[DocumentFile]:
    """The documents of these files: `.json` is a manifest, anything else one document named by the file.

    Raises:
        InputError: a file cannot be read, is no manifest, or names a document by no valid id.
    """
    documents: list[DocumentFile] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
            found = _manifest(json.loads(text)) if path.suffix == ".json" else [DocumentFile(path.stem, text)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"`{path.name}` is neither a document nor a manifest in UTF-8: check the file"
            ) from error
        for document in found:
            if _DOCUMENT_ID.fullmatch(document.document_id) is None:
                message = (
                    f"an id in `{path.name}` is not made of up to 128 letters, digits, `-`, `.`, `_`, `~`: "
                    "rename it"
                )
                raise InputError(message)
        documents += found
    return documents


async def register(
    connection: Connection,
    *,
    client_id: str,
    documents: Sequence[DocumentFile],
    contract_schema: GraphQLSchema,
    limits: Limits,
    now: datetime,
) -> None:
    """Register the documents, in the transaction of `connection`: all or none.

    Raises:
        InputError: a document is refused under the client's contract; says which and why.
    """
    for document in documents:
        try:
            prepare(contract_schema, document.body, limits)
        except DocumentRefused as refusal:
            raise InputError(f"`{document.document_id}` is refused: {refusal}") from refusal
    for document in documents:
        await save_document(
            connection,
            client_id=client_id,
            document_id=document.document_id,
            sha256=digest_of(document.body),
            body=document.body,
            now=now,
        )


def _manifest(content: Any) -> list[DocumentFile]:
    """The documents of a manifest: Relay's `{id: text}` or Apollo's `{"operations": [{"id", "body"}]}`.

    Raises:
        KeyError, TypeError, AttributeError, ValueError: it is neither.
    """
    if "operations" in content and isinstance(content["operations"], list):
        pairs = [(entry["id"], entry["body"]) for entry in content["operations"]]
    else:
        pairs = list(content.items())
    if not all(isinstance(name, str) and isinstance(body, str) for name, body in pairs):
        raise TypeError
    return [DocumentFile(name, body) for name, body in pairs]
