"""Cursors: opaque, authenticated, and bound to who was given them, for which list and which filter.

AES-SIV (RFC 5297): deterministic, so the same page gives the same bytes, and authenticated, so a
cursor that was altered, or belongs to another caller, list or filter, does not open.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schema.errors import CursorError

MAX_CURSOR: Final = 512
"""Characters. Ours have about a hundred; a longer one is not ours."""

_REFUSED: Final = "`after` is not a cursor of this list: pass an `endCursor` you were given for it"


class SealedCursors:
    """The codec. `key` has 64 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def encode(self, scope: bytes, position: Sequence[Any]) -> str:
        """The cursor of a position: UUIDs and aware datetimes, as the ordering columns hold them."""
        values = [v.isoformat() if isinstance(v, datetime) else str(v) for v in position]
        sealed = self._cipher.encrypt(orjson.dumps(values), [scope])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def decode(self, scope: bytes, cursor: str) -> list[Any]:
        """The position in a cursor of this scope.

        Raises:
            CursorError: it is not one. The message is the same for every cause.
        """
        if len(cursor) > MAX_CURSOR:
            raise CursorError(_REFUSED)
        try:
            text = cursor.encode("ascii")
            sealed = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            # One spelling for one cursor: unused trailing bits and padding are refused.
            if base64.urlsafe_b64encode(sealed).rstrip(b"=") != text:
                raise CursorError(_REFUSED)
            position = orjson.loads(self._cipher.decrypt(sealed, [scope]))
        except (UnicodeEncodeError, binascii.Error, InvalidTag, ValueError) as error:
            raise CursorError(_REFUSED) from error
        if not isinstance(position, list):
            raise CursorError(_REFUSED)
        return position
