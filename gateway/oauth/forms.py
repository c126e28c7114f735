"""From the bytes of an OAuth request to its parameters, and to the one credential that it presents.

Comes in: an ASGI scope and body. Goes out: `OAuthRequest`, or `OAuthError`. Nothing is believed yet.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote_plus

from gateway.http.messages import Credentials
from gateway.http.reading import ClientGoneError, Receive, Scope, credentials, header
from gateway.oauth.errors import OAuthCode, OAuthError, invalid_client, invalid_request

MAX_FORM: Final = 16_384
"""Bytes. An assertion and a token of ours have together a tenth of it."""

MAX_PARAMETERS: Final = 20

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class PresentedSecret:
    """An id and a secret, by HTTP Basic."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedAssertion:
    """A signed assertion; whose it is, it says itself."""

    assertion: str = field(repr=False)


Presented: TypeAlias = PresentedSecret | PresentedAssertion


@dataclass(frozen=True, slots=True)
class OAuthRequest:
    """A well-formed request. `parameters` are each there once; empty ones count as absent (RFC 6749, 3.2)."""

    parameters: Mapping[str, str] = field(repr=False)
    credentials: Credentials
    address: str | None
    request_id: str

    def wanted(self, name: str) -> str:
        """A parameter that has to be there.

        Raises:
            OAuthError: it is not.
        """
        value = self.parameters.get(name)
        if value is None:
            raise invalid_request(f"`{name}` is missing")
        return value


async def read_request(scope: Scope, receive: Receive, request_id: str) -> OAuthRequest:
    """The request.

    1. POST, and nothing in the query: what stands there ends up in logs;
    2. a form, as it is, and no longer than `MAX_FORM`;
    3. each parameter at most once.

    Raises:
        OAuthError: it is not so.
        RequestRefused: a header is there twice.
        ClientGoneError: the caller left.
    """
    if scope["method"] != "POST":  # 1
        raise invalid_request("send this by POST", status=405)
    if scope["query_string"]:
        raise invalid_request("parameters go into the body, not into the query")
    media_type = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()  # 2
    encoding = (header(scope, b"content-encoding") or "identity").lower()
    if media_type != "application/x-www-form-urlencoded" or encoding != "identity":
        raise invalid_request("the body has to be `application/x-www-form-urlencoded`, and not compressed")
    pairs = _pairs(await _read(receive))  # 3
    parameters = {name: value for name, value in pairs if value}
    if len({name for name, _ in pairs}) != len(pairs):
        raise invalid_request("a parameter is there more than once")
    client = scope.get("client")
    return OAuthRequest(parameters, credentials(scope), client[0] if client else None, request_id)


def presented(request: OAuthRequest) -> Presented:
    """The one credential of the request.

    Raises:
        OAuthError: there is none, more than one, or one of a method that is not spoken here.
    """
    parameters = request.parameters
    by_header = request.credentials.authorization is not None
    by_assertion = "client_assertion" in parameters or "client_assertion_type" in parameters
    by_body = "client_secret" in parameters
    if by_header + by_assertion + by_body > 1:
        raise invalid_request("authenticate in one way only")
    if by_assertion:
        if parameters.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in parameters:
            raise invalid_client()
        return PresentedAssertion(parameters["client_assertion"])
    found = _basic(request.credentials.authorization or "")
    if found is None:
        raise invalid_client()
    return found


def _basic(authorization: str) -> PresentedSecret | None:
    """What stands in an `Authorization: Basic` header, both parts form-urlencoded (RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = b64decode(encoded.strip(" "), validate=True).decode().partition(":")
        if not colon or _BROKEN_ESCAPE.search(client_id + secret):
            return None
        return PresentedSecret(
            unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
        )
    except (binascii.Error, ValueError):
        return None


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        pairs = [("\0", "")]
    if any("\0" in name + value for name, value in pairs):
        raise invalid_request("the form is not well-formed, or has too many parameters")
    return pairs


async def _read(receive: Receive) -> bytes:
    """The whole body, read no further than the limit."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > MAX_FORM:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "the form is too long", status=413)
        if not message.get("more_body", False):
            return body
