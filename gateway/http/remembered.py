"""Bodies that have been read before: clients send the same few again and again.

Comes in: the bytes of a body, and who sends them. Goes out: what they say, and a memory that goes with them.

INVARIANT (bytes-alone): what is remembered depends on the bytes alone, and what is kept by a memory on the
contract that keeps it; never on the data. Nothing is remembered of a mutation, whose variables may be
passwords or telephone numbers, nor of a document that is sent by name. Variables and extensions are a
caller's own, and so is a document with a text or a long number in it: they are remembered for that caller
only, and of visitors, who cannot be told apart, not at all, so that nobody can find out by the clock what
somebody else asked.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from gateway.cache import BoundedCache
from gateway.http.messages import Memory
from gateway.http.reading import Parameters, parse_body
from gateway.operations import digest_of

MOST_BODIES: Final = 2_000
MOST_BYTES: Final = 4 << 20
"""Of all remembered bodies together. What is made of one takes a few times as much."""

MAY_HOLD_SECRETS: Final = re.compile(r'"|[0-9]{6}')
"""A text or a long number written into a document may be a telephone number or a password. A digest of the
whole would let somebody who reads the log try them all (R1), and so would an answer that comes sooner the
second time."""

LONGEST: Final = 16 << 10
"""Bytes of a body that is worth remembering."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a body says. `digest` is that of the document that it holds; None if it names one.

    `kept_as` is the name under which what is made of that document is kept. `memory` is None for what is not
    remembered.
    """

    parameters: Parameters
    digest: str | None
    kept_as: str | None = None
    memory: Memory | None = None


class Bodies:
    """What bodies said. One for an endpoint; bounded in number and in bytes."""

    def __init__(self) -> None:
        self._known: BoundedCache[bytes | tuple[Hashable, bytes], Said] = BoundedCache(
            MOST_BODIES, MOST_BYTES
        )

    def read(self, body: bytes, caller: Hashable | None) -> Said:
        """What `body` says, sent by `caller`; None stands for everybody who has no name.

        Raises:
            RequestRefused: bad JSON, wrong types.
        """
        known = self._known.get(body) or self._known.get((caller, body))
        if known is not None:
            return known
        parameters = parse_body(body)
        query = parameters.query
        if query is None:
            return Said(parameters, None)
        digest = digest_of(query)
        name = kept_as(query, digest, caller)
        own = bool(parameters.variables or parameters.extensions or name != digest)
        if len(body) > LONGEST or "mutation" in query or (own and caller is None):
            return Said(parameters, digest, name)
        said = Said(parameters, digest, name, Memory())
        self._known.put((caller, body) if own else body, said, len(body))
        return said


def kept_as(document: str, digest: str, caller: Hashable | None) -> str:
    """The name under which what is made of a document is kept: its digest, or one of the caller's own.

    What a visitor writes into a document is kept under a name that nobody asks for again.
    """
    if MAY_HOLD_SECRETS.search(document) is None:
        return digest
    return f"{digest} {secrets.token_hex(16) if caller is None else caller}"
