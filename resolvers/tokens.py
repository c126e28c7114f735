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

MAX_TOKEN: Final = 1_500
"""Characters. Ours have under 100, but for those that name an address."""


class TokenUse(StrEnum):
    """What a token is for."""

    LINK = "link"
    REFRESH = "refresh"
    UNSUBSCRIBE = "unsubscribe"
    REFUSE = "refuse"
    PRACTICE = "practice"
    OFFICER_ENROLMENT = "officer enrolment"
    OFFICER_REFRESH = "officer refresh"
    SUPPRESSIONS = "suppressions"


class SealedTexts:
    """Seals bytes into texts for URLs, and opens them, with one key of 64 bytes.

    Deterministic: the same bytes for the same use give the same text. Authenticated: a text that was altered,
    or is for another use, does not open.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, use: bytes, data: bytes) -> str:
        """The text that stands for `data`, in base64url without padding."""
        return urlsafe_b64encode(self._cipher.encrypt(data, [use])).rstrip(b"=").decode()

    def open(self, use: bytes, text: str) -> bytes | None:
        """What a text of ours for this use stands for; None for every other text."""
        if not text.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            # One text for each: what base64 lets pass besides is refused.
            if urlsafe_b64encode(sealed).rstrip(b"=").decode() != text:
                return None
            return self._cipher.decrypt(sealed, [use])
        except (binascii.Error, ValueError, InvalidTag):
            return None


class SealedTokens:
    """Seals and opens tokens with one key of 64 bytes."""

    def __init__(self, key: bytes) -> None:
        self._texts = SealedTexts(key)

    def seal(self, use: TokenUse, name: bytes) -> str:
        """The token that stands for `name`."""
        return self._texts.seal(use.value.encode(), name)

    def open(self, use: TokenUse, token: str) -> bytes | None:
        """The name that a token of ours for this use stands for; None for every other text."""
        return None if len(token) > MAX_TOKEN else self._texts.open(use.value.encode(), token)
