from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from gateway.checkpoints import TYPE, public_keys, read_checkpoint, read_keys, sign_checkpoint
from gateway.identity.tokens import SubjectKind, mint, own_keys, verify_token
from gateway.keys import Keyring
from gateway.settings import Settings
from policies.disclosure_proof import Head
from schema.errors import InputError, UnauthenticatedError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HEADS = [Head(UUID(int=1), 7, bytes(32)), Head(UUID(int=2), 5, bytes(32))]


def signed(keys: Keyring) -> str:
    return sign_checkpoint(keys, NOW, HEADS, "ab")


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_checkpoint_says_what_was_signed_and_is_verified_with_the_printed_keys(keys: Keyring) -> None:
    checkpoint = read_checkpoint(signed(keys), read_keys(public_keys(keys)))
    assert checkpoint.made_at == NOW
    assert checkpoint.records == 12
    assert checkpoint.previous == "ab"
    assert list(checkpoint.heads) == HEADS
    assert '"d"' not in public_keys(keys)


async def test_a_checkpoint_is_no_token_and_a_token_is_no_checkpoint(
    settings: Settings, keys: Keyring
) -> None:
    with pytest.raises(UnauthenticatedError):
        await verify_token(signed(keys), [own_keys(settings, keys)], leeway=30)
    token = mint(settings, keys, kind=SubjectKind.PARTNER, subject="a", client_id="a").token
    with pytest.raises(InputError, match="something else"):
        read_checkpoint(token, keys.verification_keys)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": TYPE, "kid": "test-key"},
        {"alg": "EdDSA", "typ": "JWT", "kid": "test-key"},
        {"alg": "EdDSA", "typ": TYPE, "kid": "another"},
        {"alg": "EdDSA", "typ": TYPE, "kid": "test-key", "jwk": {}},
        {"alg": "EdDSA", "typ": TYPE},
        [],
    ],
)
def test_another_header_is_refused(keys: Keyring, header: Any) -> None:
    _, body, signature = signed(keys).split(".")
    with pytest.raises(InputError):
        read_checkpoint(f"{part(header)}.{body}.{signature}", keys.verification_keys)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "é.b.c", "e30.e30.e30"])
def test_what_is_no_statement_is_refused(keys: Keyring, text: str) -> None:
    with pytest.raises(InputError):
        read_checkpoint(text, keys.verification_keys)


def test_another_body_or_signature_is_refused(keys: Keyring) -> None:
    head, body, signature = signed(keys).split(".")
    for changed in (f"{head}.{part({'version': 1})}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA"):
        with pytest.raises(InputError, match="signature"):
            read_checkpoint(changed, keys.verification_keys)
