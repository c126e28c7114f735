"""The outside of a signed token (RFC 7515, compact form), read strictly before any key is looked for.

In: the text of a token of a stranger. Out: its header and its claims as objects, not yet verified. PyJWT
checks signatures; what it lets pass besides (a name twice, a header that changes what is verified, a
type that was not asked for) stops here.

The caller still has to verify the signature with a key that it trusts, or of which it expects nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Collection
from typing import Any, Final

import orjson

MAX_TOKEN_BYTES: Final = 4_096
"""Ours have under 1,000. A header of this size is also what proxies let pass."""

REFUSED_HEADERS: Final = frozenset({"b64", "crit", "cty", "enc", "jku", "jwk", "x5c", "x5u", "zip"})
"""Each changes what is verified or with which key (RFC 7515, 4.1), or says the token is something else."""

_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenRefusedError(Exception):
    """Why, in words for the log. Never says anything that the token contains."""


def read_header(
    token: str,
    types: Collection[str],
    refused: Collection[str] = REFUSED_HEADERS,
    longest: int = MAX_TOKEN_BYTES,
) -> dict[str, Any]:
    """The header of a token of one of these types (in lower case; the empty one is for none).

    1. size and shape: three parts of unpadded base64url, nothing else;
    2. one object without repeated names, of such a type, with an `alg`, without any of the `refused` names.

    Raises:
        TokenRefusedError: it is not so.
    """
    if len(token) > longest or not _SHAPE.fullmatch(token):  # 1
        raise TokenRefusedError("size or shape")
    header = _decode(token.partition(".")[0])  # 2
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower() not in types:
        raise TokenRefusedError("type is another")
    if any(name in header for name in refused):
        raise TokenRefusedError("header that changes what is verified")
    if not isinstance(header.get("alg"), str):
        raise TokenRefusedError("no algorithm named")
    return header


def read_claims(token: str) -> dict[str, Any]:
    """The claims of a token whose header was read: not verified, so believe none of them.

    Raises:
        TokenRefusedError: they are no JSON object, or one with a name twice.
    """
    return _decode(token.split(".")[1])


def _decode(part: str) -> dict[str, Any]:
    """The object in one part; a name that stands in it twice could be read two ways, so it may not.

    Nor may what is no JSON though Python reads it: NaN, half a surrogate pair, which nothing can store or
    digest afterwards, text that is not UTF-8.
    """
    data: Any = None
    # The decoder's error may quote what it could not read: it is not kept, not even as a cause.
    with contextlib.suppress(ValueError, RecursionError):
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        orjson.loads(text)
        data = json.loads(text, object_pairs_hook=_unique)
    if not isinstance(data, dict):
        raise TokenRefusedError("a part is not a JSON object")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found
