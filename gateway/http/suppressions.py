"""`POST /partner/suppressions/check` and `/partner/suppressions/scrub`: which addresses must not be mailed.

Comes in: digests of addresses, made by the partner with its key (docs/suppressions.md). Goes out: which of
them are suppressed, and nothing about any other. Check takes and gives JSON. Scrub takes one digest a line,
as many as there are, and answers while they arrive: a line for each that is suppressed, and a last one that
says that it was all.

Each batch is looked up while the one before is recorded and sent. What a caller does not take yet, because
it sends first and reads then, waits for it, up to `MAX_WAITING` bytes; beyond that we stop reading.

INVARIANT (batch-recorded-first): no line of a batch is sent before `Egress.release` returned for that batch.
"""

from __future__ import annotations

import asyncio
import binascii
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, Final

import orjson

from gateway.contracts import Contracts
from gateway.egress import Egress
from gateway.http.negotiation import is_json
from gateway.http.partner_edge import PartnerExchange
from gateway.http.seats import Seats
from gateway.refusals import Code, refused
from gateway.suppressions import Suppressions
from resolvers.disclosure_log import DisclosureEntry
from resolvers.suppression_reads import DIGESTS, Allowance
from schema.errors import ForbiddenError, InputError

MAX_CHECKED: Final = 1_000
"""Digests in one check; a longer list is scrubbed."""

BATCH: Final = 5_000
"""Digests of a scrub that are looked up at once."""

DIGEST_CHARACTERS: Final = 64
"""SHA-256 in hexadecimal."""

MAX_LINE: Final = 80
"""Bytes of a line, with what may stand around a digest."""

MAX_LINES: Final = 5_000_000
"""Lines of one scrub."""

MAX_WAITING: Final = 8_000_000
"""Bytes of answers that wait for a caller who still sends: 120,000 suppressed addresses."""

MAX_SCRUBS: Final = 4
SCRUBS_EACH: Final = 2
"""At the same time, in one process, of all partners and of one: bounds memory and the load on the database,
and a partner that sends on for ever leaves room for the others."""

STALL: Final = 60.0
"""Seconds for which a caller may neither send nor take anything, and in which a check has to arrive."""

PLAIN: Final = "text/plain"


class SuppressionRoutes:
    """What both routes do. One for a process."""

    def __init__(self, suppressions: Suppressions, egress: Egress, contracts: Contracts) -> None:
        self._suppressions = suppressions
        self._egress = egress
        self._contracts = contracts
        self._seats = Seats("scrubs", each=SCRUBS_EACH, together=MAX_SCRUBS)

    async def check(self, exchange: PartnerExchange) -> None:
        """Answer for up to `MAX_CHECKED` digests at once.

        Raises:
            GatewayError: nothing was told.
        """
        self._admit(exchange)
        given = await _unstalled(_read_digests(exchange))
        found, allowance = await self._suppressions.answer(exchange.principal, list(dict.fromkeys(given)))
        _tell(exchange, allowance)
        body = orjson.dumps(
            {"results": [{"digest": d.hex(), "suppressed": d in found.suppressed} for d in given]}
        )
        entry = self._suppressions.entry(exchange.principal, CHECK, found)
        await self._egress.release(entry, counted=0)  # it delivers nobody
        await exchange.answer("application/json", body)

    async def scrub(self, exchange: PartnerExchange) -> None:
        """Answer for a whole list as it streams through.

        Raises:
            GatewayError: nothing was told, if nothing was sent yet; otherwise the answer is cut off.
        """
        self._admit(exchange)
        kind = (exchange.header(b"content-type") or PLAIN).partition(";")[0].strip().lower()
        if kind != PLAIN:
            raise refused(Code.UNSUPPORTED_MEDIA_TYPE, "send one digest a line, as `text/plain`")
        _refuse_encoded(exchange)
        with self._seats.taken(exchange.principal.partner_id):
            await _Scrub(exchange, self._suppressions, self._egress).run()

    def _admit(self, exchange: PartnerExchange) -> None:
        """Only partners who may mail people ask.

        Raises:
            ForbiddenError: the agreement or the token's scopes are not about mailing.
        """
        if not self._contracts.key_for(exchange.principal).mails:
            raise ForbiddenError(
                "suppressions are for agreements on the basis STRATEGIC or MARKETING whose token has the"
                " scope `user.contact.email`"
            )


CHECK: Final = "POST /partner/suppressions/check"
SCRUB: Final = "POST /partner/suppressions/scrub"
"""What the disclosure log calls them."""


class _Waiting:
    """Batches that were looked up and wait to be recorded and sent; no more than `MAX_WAITING` bytes."""

    def __init__(self) -> None:
        self._parts: deque[tuple[DisclosureEntry, bytes] | None] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()

    async def put(self, part: tuple[DisclosureEntry, bytes] | None) -> None:
        """Add a batch as soon as there is room; None: that was all."""
        size = 0 if part is None else len(part[1])
        async with self._changed:
            await self._changed.wait_for(lambda: not self._bytes or self._bytes + size <= MAX_WAITING)
            self._parts.append(part)
            self._bytes += size
            self._changed.notify_all()

    async def take(self) -> tuple[DisclosureEntry, bytes] | None:
        """The next batch; it counts as waiting until `sent`."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._parts))
            return self._parts.popleft()

    async def sent(self, size: int) -> None:
        """A batch is on its way."""
        async with self._changed:
            self._bytes -= size
            self._changed.notify_all()


class _Scrub:
    """One scrub: two tasks, of which one reads and looks up, and the other records and sends."""

    def __init__(self, exchange: PartnerExchange, suppressions: Suppressions, egress: Egress) -> None:
        self._exchange = exchange
        self._suppressions = suppressions
        self._egress = egress
        self._waiting = _Waiting()
        self._brought = 0
        self._suppressed = 0

    async def run(self) -> None:
        """Scrub; whichever task fails first ends both, with what it raised."""
        tasks = [asyncio.ensure_future(self._look_up()), asyncio.ensure_future(self._send())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self) -> None:
        async for batch in _batches(self._exchange.body()):
            self._brought += len(batch)
            principal = self._exchange.principal
            found, allowance = await self._suppressions.answer(principal, list(dict.fromkeys(batch)))
            _tell(self._exchange, allowance)
            lines = [f"{digest.hex()}\n" for digest in batch if digest in found.suppressed]
            self._suppressed += len(lines)
            entry = self._suppressions.entry(principal, SCRUB, found)
            await _unstalled(self._waiting.put((entry, "".join(lines).encode())))
        await _unstalled(self._waiting.put(None))

    async def _send(self) -> None:
        while (part := await self._waiting.take()) is not None:
            entry, lines = part
            await self._egress.release(entry, counted=0)  # INVARIANT (batch-recorded-first)
            await self._begin()
            if lines:
                await _unstalled(self._exchange.part(lines))
            await self._waiting.sent(len(lines))
        await self._begin()
        await self._exchange.part(f"complete {self._brought} {self._suppressed}\n".encode())
        await self._exchange.end()

    async def _begin(self) -> None:
        if self._exchange.status is None:
            await self._exchange.start(PLAIN)


async def _batches(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The digests of a body of lines, `BATCH` at a time. Blank lines and carriage returns do not count.

    Raises:
        InputError: a line is no digest, or there are too many; says which, and nothing of it.
    """
    batch: list[bytes] = []
    number, rest = 0, b""
    while True:
        try:
            chunk = await _unstalled(_next(chunks))
        except StopAsyncIteration:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            raise _no_digest(number + len(lines) + 1)
        for line in lines:
            number += 1
            if text := line.strip():
                batch.append(_read_digest(text, number))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if number > MAX_LINES:
            raise InputError(f"a list may have {MAX_LINES} lines: scrub it in parts")
    if text := rest.strip():
        batch.append(_read_digest(text, number + 1))
    if batch:
        yield batch


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks)


async def _unstalled(step: Coroutine[Any, Any, Any]) -> Any:
    """What `step` gives, unless the caller lets us wait for too long.

    Raises:
        RequestRefused: it did.
    """
    try:
        async with asyncio.timeout(STALL):
            return await step
    except TimeoutError:
        raise refused(Code.REQUEST_TIMEOUT, f"it took more than {STALL:.0f} s: send and read on") from None


def _read_digest(text: bytes, number: int) -> bytes:
    if len(text) != DIGEST_CHARACTERS:
        raise _no_digest(number)
    try:
        return binascii.unhexlify(text)
    except binascii.Error:
        raise _no_digest(number) from None


def _no_digest(number: int) -> InputError:
    return InputError(
        f"digest {number} is none: send HMAC-SHA256 as {DIGEST_CHARACTERS} hexadecimal characters, never an"
        " address"
    )


async def _read_digests(exchange: PartnerExchange) -> Sequence[bytes]:
    """The digests in the body of a check.

    Raises:
        RequestRefused: it is no JSON, or too long.
        InputError: it holds no list of digests.
    """
    if not is_json(exchange.header(b"content-type")):
        raise refused(Code.UNSUPPORTED_MEDIA_TYPE, "send JSON: set `Content-Type: application/json`")
    _refuse_encoded(exchange)
    limit = MAX_CHECKED * MAX_LINE
    body = b""
    async for chunk in exchange.body():
        body += chunk
        if len(body) > limit:
            message = f"a check takes {MAX_CHECKED} digests: scrub a longer list"
            raise refused(Code.BODY_TOO_LARGE, message)
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refused(Code.BAD_JSON, "the JSON is malformed: correct it") from None
    digests = given.get("digests") if isinstance(given, dict) else None
    if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
        raise InputError('send `{"digests": ["..."]}`')
    if not 0 < len(digests) <= MAX_CHECKED:
        raise InputError(f"`digests` holds 1 to {MAX_CHECKED}: scrub a longer list")
    return [_read_digest(digest.encode(), number) for number, digest in enumerate(digests, start=1)]


def _refuse_encoded(exchange: PartnerExchange) -> None:
    if (exchange.header(b"content-encoding") or "identity").lower() != "identity":
        raise refused(Code.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed: send it as it is")


def _tell(exchange: PartnerExchange, allowance: Allowance) -> None:
    """Say what is left of the day's digests, as the other quotas are told (docs/quotas.md)."""
    exchange.headers[:] = [
        (b"ratelimit-policy", f'"{DIGESTS}";q={allowance.limit};w=86400'.encode()),
        (b"ratelimit", f'"{DIGESTS}";r={allowance.left};t={allowance.seconds}'.encode()),
    ]
