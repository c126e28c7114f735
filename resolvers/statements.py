"""A partner's signed word on what it has deleted, as commands see it: verified by the gateway before.

The statement is a JWS (`gateway.identity.statements` reads it). Its claims name the client, this gateway, its
date, an id of its own, and under `deleted`, for each pairwise id, the categories that are deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from schema.categories import DataCategory
from schema.errors import FieldErrors, FieldProblem

MOST_IDS: Final = 1_000
"""Members in one statement: two pages of the largest size."""


@dataclass(frozen=True, slots=True)
class StatementKeyFacts:
    """A registered key, and when a statement may be dated that it signed."""

    kid: str
    jwk: Mapping[str, Any]
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose signature, claims and date have been verified."""

    text: str
    sha256: str
    kid: str
    jti: str
    stated_at: datetime
    deleted: Mapping[UUID, frozenset[DataCategory]]


class ReadStatement(Protocol):
    """Verifies the text of a statement."""

    def __call__(
        self, text: str, keys: Sequence[StatementKeyFacts], *, client_id: str, now: datetime
    ) -> Statement:
        """The statement of that client, signed with one of these keys.

        Raises:
            FieldErrors: STATEMENT_REFUSED.
        """


def refused_statement(reason: str) -> FieldErrors:
    """Why a statement does not count, in fixed words."""
    message = f"`statement` does not count: {reason}"
    return FieldErrors([FieldProblem(("statement",), "STATEMENT_REFUSED", message)])
