"""The errors of OAuth 2, as clients read them (RFC 6749, 5.2; RFC 9449, 5; RFC 8707, 2).

Descriptions are words of ours: they name parameters, and nothing that was sent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

REALM: Final = "oauth"


class OAuthCode(StrEnum):
    """The member `error` of an answer. Grammar: lower-case words joined by `_`, as the RFCs register them."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    SERVER_ERROR = "server_error"


class OAuthError(Exception):
    """A request that is refused. `retry_after` in seconds. The cause, if any, goes to the log only."""

    def __init__(
        self, code: OAuthCode, description: str, *, status: int = 400, retry_after: int | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.retry_after = retry_after


def invalid_request(description: str, status: int = 400) -> OAuthError:
    """The request is not well-formed."""
    return OAuthError(OAuthCode.INVALID_REQUEST, description, status=status)


def invalid_client() -> OAuthError:
    """The one answer to every client that is not who it says, or is unknown, or uses another method."""
    return OAuthError(OAuthCode.INVALID_CLIENT, "the client could not be authenticated", status=401)
