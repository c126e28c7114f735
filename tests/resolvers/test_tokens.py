from __future__ import annotations

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.tokens import MAX_TOKEN, SealedTokens, TokenUse

TOKENS = SealedTokens(bytes(range(64)))
NAME = bytes(range(20))


@given(st.binary(max_size=64), st.sampled_from(TokenUse))
def test_a_token_opens_to_the_name_that_it_stands_for(name: bytes, use: TokenUse) -> None:
    token = TOKENS.seal(use, name)
    assert TOKENS.open(use, token) == name
    assert TOKENS.seal(use, name) == token
    assert len(token) <= MAX_TOKEN
    assert "=" not in token


def test_a_token_is_for_one_thing() -> None:
    for use in TokenUse:
        for other in TokenUse:
            assert (TOKENS.open(other, TOKENS.seal(use, NAME)) is None) == (use is not other)


def test_a_token_of_another_installation_opens_nothing() -> None:
    other = SealedTokens(bytes(range(1, 65)))
    assert TOKENS.open(TokenUse.LINK, other.seal(TokenUse.LINK, NAME)) is None


@pytest.mark.parametrize(
    "text",
    ["", "=", "a", "\u00e9" * 40, "\x00", "A" * MAX_TOKEN, "A" * 100_000, "!" * 48, " ", "\u0660" * 48],
)
def test_any_other_text_opens_nothing(text: str) -> None:
    assert TOKENS.open(TokenUse.REFRESH, text) is None


def test_one_spelling_of_a_token_counts() -> None:
    token = TOKENS.seal(TokenUse.REFRESH, NAME[:19])
    padded = token + "=" * (-len(token) % 4)
    standard = base64.b64encode(base64.urlsafe_b64decode(padded)).decode()
    for spelling in (
        padded,
        f"{token}\n",
        f" {token}",
        f"{token}=",
        f"{token}A",
        token[:-1],
        token.swapcase(),
    ):
        if spelling != token:
            assert TOKENS.open(TokenUse.REFRESH, spelling) is None
    assert TOKENS.open(TokenUse.REFRESH, standard.rstrip("=") + "+") is None


def test_a_changed_bit_opens_nothing() -> None:
    sealed = base64.urlsafe_b64decode(TOKENS.seal(TokenUse.REFRESH, NAME) + "==")
    for _ in range(64):
        place = secrets.randbelow(len(sealed) * 8)
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert TOKENS.open(TokenUse.REFRESH, text) is None
