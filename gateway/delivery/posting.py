"""Posts a body to an address of a stranger's choosing, without being led anywhere else.

1. the URL is read anew under today's rules (`policies.destinations`);
2. its host is resolved by us, and every address that comes out has to be admitted;
3. the connection goes to one of those very addresses: nobody resolves the name a second time. TLS is verified
   against the name, and the Host header says it;
4. of the answer the status and `Retry-After` are read; a bounded part of its body is taken and dropped.

No redirect is followed, no cookie is kept, no proxy of the environment is used, no connection serves twice:
the next name may have the same address and another certificate. Nothing here writes a URL into a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import ip_address
from typing import Final, TypeAlias

import httpx

from policies.destinations import Address, Destination, Rules, admit, read_destination
from schema.errors import InputError

RESOLVE_TIMEOUT: Final = 5.0
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 10.0
"""Seconds between two bytes of the answer."""
TOTAL_TIMEOUT: Final = 15.0
"""Seconds for one attempt, whatever the receiver does meanwhile. Standard Webhooks recommends 15 to 30."""
BODY_TIMEOUT: Final = 2.0
MOST_BODY: Final = 16_384
MOST_ADDRESSES: Final = 3
"""Of one name, that are tried one after the other while nothing was sent."""

_RESOLVERS: Final = ThreadPoolExecutor(16, thread_name_prefix="resolve")
"""Threads of their own: names that take long to resolve hold up nothing else that runs in a thread."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. `status` is None where no answer came; `cause` then names the trouble."""

    status: int | None
    cause: str | None = None
    retry_after: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and httpx.codes.is_success(self.status)


async def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host, by the system's resolver, in the order in which to try them."""
    loop = asyncio.get_running_loop()
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_RESOLVERS, look)
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))


class Poster:
    """One for a process. `trust` is what certificates are verified with; unset: the system's authorities."""

    def __init__(
        self, rules: Rules, *, resolve: Resolve = resolve, trust: ssl.SSLContext | None = None
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._trust = trust or ssl.create_default_context()

    async def check(self, url: str) -> Destination:
        """Read and resolve a URL, as each attempt does.

        Raises:
            InputError: nothing may be sent there.
        """
        destination, _ = await self._find(url)
        return destination

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer:
        """Make one attempt. Whatever the receiver does, it ends in time and with an answer."""
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                destination, addresses = await self._find(url)  # 1, 2
                return await self._attempt(destination, addresses, body, headers, now)
        except InputError:
            return Answer(None, "not admitted")
        except TimeoutError:
            return Answer(None, "timeout")
        except (httpx.HTTPError, OSError, ValueError) as error:
            # Names of types only: messages quote addresses and URLs.
            return Answer(None, type(error).__name__)

    async def _find(self, url: str) -> tuple[Destination, Sequence[Address]]:
        destination = read_destination(url, self._rules)
        if destination.is_literal:
            addresses: Sequence[Address] = [ip_address(destination.host)]
        else:
            try:
                async with asyncio.timeout(RESOLVE_TIMEOUT):
                    addresses = await self._resolve(destination.host, destination.port)
            except (OSError, ValueError) as error:
                # A timeout is an OSError as well; a name that IDNA refuses is a ValueError.
                raise InputError("`url`: its host cannot be resolved: try again later") from error
        admit(addresses, self._rules)
        if not destination.secure and not all(address.is_loopback for address in addresses):
            raise InputError("`url`: has to begin with https://")
        return destination, addresses

    async def _attempt(
        self,
        destination: Destination,
        addresses: Sequence[Address],
        body: bytes,
        headers: Mapping[str, str],
        now: datetime,
    ) -> Answer:
        *others, last = addresses[:MOST_ADDRESSES]
        for address in others:
            # Without a connection nothing has been sent, so the next address is no second attempt.
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._send(destination, address, body, headers, now)
        return await self._send(destination, last, body, headers, now)

    async def _send(
        self,
        destination: Destination,
        address: Address,
        body: bytes,
        headers: Mapping[str, str],
        now: datetime,
    ) -> Answer:
        host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - of IP
        scheme = "https" if destination.secure else "http"
        transport = httpx.AsyncHTTPTransport(
            verify=self._trust, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        timeout = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
        # The name that TLS asks for and verifies; an address is verified as an address.
        extensions = {} if destination.is_literal else {"sni_hostname": destination.host}
        async with (
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout) as client,
            client.stream(  # 3
                "POST",
                f"{scheme}://{host}:{destination.port}{destination.target}",
                content=body,
                headers={
                    "host": destination.authority,
                    "content-type": "application/json",
                    "user-agent": "member-gateway",
                    "accept-encoding": "identity",
                    **headers,
                },
                extensions=extensions,
                follow_redirects=False,
            ) as response,
        ):
            answer = Answer(response.status_code, None, _retry_after(response, now))  # 4
            await _drop_body(response)
            return answer


async def _drop_body(response: httpx.Response) -> None:
    """Let the receiver finish a small answer; one that is long or slow is cut off. It changes nothing."""
    taken = 0
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(BODY_TIMEOUT):
            async for chunk in response.aiter_raw():
                taken += len(chunk)
                if taken > MOST_BODY:
                    return


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date. What is neither counts for nothing; the caller bounds it."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now
