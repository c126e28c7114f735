"""Cursors: opaque, authenticated, and bound to who was given them, for which list and which filter.

AES-SIV (RFC 5297): deterministic, so the same page gives the same bytes, and authenticated, so a
cursor that was altered, or belongs to another caller, list or filter, does not open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from resolvers.tokens import SealedTexts
from schema.errors import CursorError

MAX_CURSOR: Final = 512
"""Characters. Ours have about a hundred; a longer one is not ours."""

_DIGITS: Final = 19
"""Of the largest number that a column holds."""

_REFUSED: Final = "`after` is not a cursor of this list: pass an `endCursor` you were given for it"


class SealedCursors:
    """The codec. `key` has 64 bytes."""

    def __init__(self, key: bytes) -> None:
        self._texts = SealedTexts(key)

    def encode(self, scope: bytes, position: Sequence[Any]) -> str:
        """The cursor of a position: UUIDs, aware datetimes and numbers, as the ordering columns hold them."""
        return self._texts.seal(scope, orjson.dumps([_text(value) for value in position]))

    def decode(self, scope: bytes, cursor: str) -> list[Any]:
        """The position in a cursor of this scope.

        Raises:
            CursorError: it is not one. The message is the same for every cause.
        """
        opened = None if len(cursor) > MAX_CURSOR else self._texts.open(scope, cursor)
        if opened is None:
            raise CursorError(_REFUSED)
        position: list[Any] = orjson.loads(opened)
        return position


def _text(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:0{_DIGITS}d}"  # of one length, so that a cursor's length tells nothing of the number
    return value.isoformat() if isinstance(value, datetime) else str(value)
