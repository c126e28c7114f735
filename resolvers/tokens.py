"""Opaque texts that we hand out and recognise: tokens in links, refresh tokens, unsubscribe tokens.

A token is a sealed name (AES-SIV, RFC 5297): nobody can make one or read what it names, and the same name
gives the same token. What it is for is bound into it, so that a token for one thing opens nothing else.
Whether it still counts is for the caller to find out from the row that it names.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

MAX_TOKEN: Final = 200
"""Characters. Ours have under 100."""


class TokenUse(StrEnum):
    """What a token is for."""

    LINK = "link"
    REFRESH = "refresh"
    UNSUBSCRIBE = "unsubscribe"


class SealedTokens:
    """Seals and opens tokens with one key of 64 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, use: TokenUse, name: bytes) -> str:
        """The token that stands for `name`."""
        sealed = self._cipher.encrypt(name, [use.value.encode()])
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, use: TokenUse, token: str) -> bytes | None:
        """The name that a token of ours for this use stands for; None for every other text."""
        if not token.isascii() or len(token) > MAX_TOKEN:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            name = self._cipher.decrypt(sealed, [use.value.encode()])
        except (binascii.Error, ValueError, InvalidTag):
            return None
        # One text for each name: what base64 lets pass besides is refused.
        return name if self.seal(use, name) == token else None
