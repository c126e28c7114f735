"""Where a webhook may go: which URLs, and which network addresses behind their names.

Pure: the name is resolved by the caller, who asks `admit` about every address that it led to, at registration
and again before each attempt, and then connects to one of those very addresses. So neither a name that
points inside nor one that changes its mind between the look and the connection leads into our network.

INVARIANT (public-or-named): nothing is admitted but a public unicast address, or one within a network that
the operator has named. A form that hides an IPv4 address in an IPv6 one is read as what it hides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from schema.errors import InputError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MAX_URL: Final = 2_000
"""Characters: what every server and proxy takes."""

HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
"""The last label of what resolvers may read as an IPv4 address in decimal, octal or hexadecimal notation."""

_UNICAST: Final = IPv6Network("2000::/3")
"""All IPv6 addresses that are routed in public (RFC 4291, 2.4) are in it."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is reached."""
_NOT_PUBLIC: Final = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "2001::/23",  # IETF protocol assignments, Teredo among them, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: hides an IPv4 address
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
    )
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator's settings say."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({HTTPS_PORT})

    @classmethod
    def of(cls, networks: Iterable[str], ports: Collection[int]) -> Rules:
        """The rules of settings that were validated."""
        return cls(tuple(ip_network(text) for text in networks), frozenset(ports))


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be sent to, in its parts; made by `read_destination` only.

    `host` is a name in lower case, or an address without brackets. `target` is path and query as they were
    written: a secret of the receiver may stand in them, so they are in no repr and in no log.
    """

    secure: bool
    host: str
    port: int
    target: str

    def __repr__(self) -> str:
        return f"Destination({self.origin})"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be shown."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS_PORT if self.secure else HTTP_PORT) else f"{host}:{self.port}"

    @property
    def is_literal(self) -> bool:
        """Whether the host is an address and no name."""
        return _literal(self.host) is not None


def read_destination(url: str, rules: Rules) -> Destination:
    """Read a URL strictly.

    1. printable ASCII of a bounded length, with neither credentials nor a fragment;
    2. https; plain http to this machine only, where the operator has named its network;
    3. a port that the settings list;
    4. a name of letters, digits and hyphens, or an address in its canonical notation: what a resolver might
       read as an address in another notation is refused, because two readers would disagree about it;
    5. an address has to be one that `admit` admits; a name has to be resolved by the caller.

    Raises:
        InputError: it may not be sent to; says which part is wrong and never repeats it.
    """
    if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:  # 1
        raise InputError(f"`url`: at most {MAX_URL} printable characters of ASCII, without spaces")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise InputError("`url`: an address such as https://hooks.example.com/members") from error
    if parts.scheme not in {"https", "http"} or not host:
        raise InputError("`url`: an address such as https://hooks.example.com/members")
    if "@" in parts.netloc or "#" in url:
        raise InputError("`url`: no user name, no password and no fragment may stand in it")
    address = _literal(host)
    secure = parts.scheme == "https"
    if not secure and not (  # 2
        host == "localhost" or (address is not None and address.is_loopback)
    ):
        raise InputError("`url`: has to begin with https://")
    port = port if port is not None else (HTTPS_PORT if secure else HTTP_PORT)
    if port not in rules.ports:  # 3
        raise InputError("`url`: this port is not admitted: use 443, or see `GATEWAY_WEBHOOK_PORTS`")
    if address is None and (not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2])):  # 4
        raise InputError("`url`: the host has to be a name, or an address in its usual notation")
    if address is not None:  # 5
        admit([address], rules)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(secure, host, port, target)


def admit(addresses: Collection[Address], rules: Rules) -> None:
    """Return if every one of the addresses may be connected to, and there is one.

    Raises:
        InputError: one may not be, so none is; does not say which.
    """
    if not addresses or not all(_admitted(address, rules) for address in addresses):
        raise InputError(
            "`url`: its host has no address, or one that is not public: see `GATEWAY_WEBHOOK_NETWORKS`"
        )


def _admitted(address: Address, rules: Rules) -> bool:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    named = any(address.version == network.version and address in network for network in rules.networks)
    return named or is_public(address)


def is_public(address: Address) -> bool:
    """Whether the address is one that anybody may be reached at, and nobody of ours."""
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        # Mapped and compatible forms of IPv4 (::/96, ::ffff:0:0/96), local and multicast are all outside.
        return address in _UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> Address | None:
    """The address that the host is, in canonical notation only for IPv4; None for a name."""
    try:
        return ip_address(host)
    except (AddressValueError, ValueError):
        return None
