"""`GET /partner/members.jsonl`: every member that a partner may see, as JSON Lines, chunk by chunk.

A chunk is a page of `members(first, after)`: the same contract, plan, statement, encoder, quotas and record,
from a document that is made for the contract. Nothing is read ahead: the next chunk is fetched when the
caller has taken the one before, and between them no connection, transaction or cursor is held.

Lines, each an object with one of these members:

    {"node": ...}                     a member, the bytes as in a page
    {"cursor": "..."}                 after each chunk that others follow: `after` resumes here
    {"end": true, "count": n}         the last line of a whole download, n being the members in it
    {"error": {...}}                  it ends here, and is not whole; the connection is cut as well

INVARIANT (chunk-by-chunk): the lines of a chunk are sent only after `Egress.release` of that chunk: spent,
recorded, and the credential confirmed at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from gateway.answers import encode_lines
from gateway.bulk_document import OPERATION, bulk_document, leaves
from gateway.contracts import Contract, Contracts
from gateway.execution import Engine
from gateway.http.errors import refuse
from gateway.http.messages import DocumentFinder
from gateway.http.partner_edge import PartnerExchange
from gateway.http.seats import Seats
from gateway.operations import PreparedDocument, Preparer, digest_of
from gateway.planner import Operation
from gateway.refusals import Code, refused
from gateway.settings import DocumentPolicy
from gateway.variables import coerce_variables
from schema.errors import GatewayError, QuotaExceededError

PATH: Final = "/partner/members.jsonl"
MEDIA_TYPE: Final = "application/jsonl; charset=utf-8"

CHUNK: Final = 500
"""Members in a chunk, at most: one record of the disclosure log, about 150 kB. Larger ones are no faster."""

PATIENCE: Final = 60.0
"""Seconds that a caller has to take a chunk."""

MOST_EACH: Final = 4
MOST_TOGETHER: Final = 64
"""Downloads under way in one process, of a partner and of all. Each has one of the database's readers half of
the time: more of one partner's would leave too few to members."""

MAX_QUERY: Final = 4_096
"""Bytes of the query string: a cursor and the name of every field are far shorter."""

_PARAMETERS: Final = frozenset({"fields", "after"})


@dataclass(frozen=True, slots=True)
class _Download:
    """One request: its document under the caller's contract, and how large a chunk may be."""

    exchange: PartnerExchange
    contract: Contract
    document: PreparedDocument
    size: int


class BulkMembers:
    """The route. One for a process."""

    def __init__(
        self,
        *,
        contracts: Contracts,
        preparer: Preparer,
        engine: Engine,
        documents: DocumentFinder,
        policy: DocumentPolicy,
        largest_page: int,
        patience: float = PATIENCE,
    ) -> None:
        self._contracts = contracts
        self._preparer = preparer
        self._engine = engine
        self._documents = documents
        self._policy = policy
        self._largest_page = largest_page
        self._patience = patience
        self._seats = Seats("downloads", each=MOST_EACH, together=MOST_TOGETHER)

    async def __call__(self, exchange: PartnerExchange) -> None:
        """Answer one request.

        Raises:
            GatewayError: refused before the first byte, or cut off after it.
            ClientGoneError: the caller left.
        """
        parameters = read_parameters(exchange.scope["query_string"])
        download = await self._download(exchange, parameters.get("fields"))
        with self._seats.taken(exchange.principal.partner_id):
            await exchange.unless_gone(self._send(download, parameters.get("after")))

    async def _download(self, exchange: PartnerExchange, fields: str | None) -> _Download:
        """What is asked for.

        Raises:
            InputError: a field that the contract does not have.
            RequestRefused: the document is beyond a limit, or has to be registered and is not.
        """
        contract = self._contracts.of(exchange.principal)
        names = None if fields is None else [name for name in fields.split(",") if name]
        text = bulk_document(contract.schema, names)
        digest = digest_of(text)
        if self._policy is DocumentPolicy.REGISTERED:
            client_id = exchange.principal.client_id
            if await self._documents.find(client_id, f"sha256:{digest}") is None:
                message = (
                    "only registered documents are admitted here: have the one for these fields registered"
                )
                raise refused(Code.DOCUMENT_NOT_REGISTERED, message)
        document = self._preparer.prepare(contract.key, contract.schema, text, digest)
        affordable = (self._preparer.limits.max_cost - 2) // leaves(contract.schema, names)
        return _Download(exchange, contract, document, max(1, min(CHUNK, self._largest_page, affordable)))

    async def _send(self, download: _Download, after: str | None) -> None:
        """Send chunk after chunk. What fails before the first is answered as any request is."""
        exchange, count = download.exchange, 0
        page = await self._chunk(download, after)
        await exchange.start(MEDIA_TYPE)
        while True:
            edges = page["edges"]
            count += len(edges)
            lines = [encode_lines(edges)]  # an edge has its node and nothing else
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
            lines.append(b'{"cursor":' + orjson.dumps(after) + b"}\n")
            await self._part(exchange, b"".join(lines))
            try:
                page = await self._chunk(download, after)
            except GatewayError as error:
                # Who reads lines learns why; the cut that follows keeps anybody from taking it for whole.
                problem = {"error": refuse(error, exchange.request_id).errors[0]}
                await self._part(exchange, orjson.dumps(problem, option=orjson.OPT_APPEND_NEWLINE))
                raise
        lines.append(b'{"end":true,"count":%d}\n' % count)
        await self._part(exchange, b"".join(lines))
        await exchange.end()

    async def _chunk(self, download: _Download, after: str | None) -> Mapping[str, Any]:
        """The next page, which may leave. If fewer members are left of a quota, it has as many as are left.

        Raises:
            QuotaExceededError: none are left.
            GatewayError: it may not leave, or could not be read.
        """
        size = download.size
        while True:
            try:
                return await self._page(download, size, after)
            except QuotaExceededError as error:
                if not 0 < error.remaining < size:
                    raise
                size = error.remaining

    async def _page(self, download: _Download, first: int, after: str | None) -> Mapping[str, Any]:
        contract = download.contract
        prepared = download.document.operation(OPERATION)
        given = {"first": first, "after": after}
        variables = coerce_variables(contract.schema, prepared.definition, given)
        prepared.check_cost(variables.coerced, self._preparer.limits)
        operation = Operation(download.document.document, prepared.definition, download.document.digest)
        planned = self._engine.plan(contract, operation, variables)
        page: Mapping[str, Any] = await self._engine.read(planned, download.exchange.principal)
        return page

    async def _part(self, exchange: PartnerExchange, data: bytes) -> None:
        """Send, and wait until the caller can take more.

        Raises:
            RequestRefused: TIMEOUT; the caller takes nothing.
        """
        try:
            async with asyncio.timeout(self._patience):
                await exchange.part(data)
        except TimeoutError:
            raise refused(Code.TIMEOUT, "the caller did not take what was sent") from None


def read_parameters(query: bytes) -> Mapping[str, str]:
    """The parameters of the request; a misspelt one must not be taken for an absent one.

    Raises:
        RequestRefused: one is unknown, twice there, or not text.
    """
    if len(query) > MAX_QUERY:
        raise refused(Code.URI_TOO_LONG, f"the query string is longer than {MAX_QUERY} bytes")
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=len(_PARAMETERS)
        )
    except ValueError:
        raise refused(Code.BAD_REQUEST, "send `fields` and `after`, each once, and nothing else") from None
    given = dict(pairs)
    if len(given) != len(pairs) or not _PARAMETERS.issuperset(given) or "\0" in "".join(given.values()):
        raise refused(Code.BAD_REQUEST, "send `fields` and `after`, each once, and nothing else")
    return given
