from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from gateway.identity.jws import TokenRefusedError
from gateway.identity.tokens import TrustedKey
from gateway.oauth.assertions import Decoys, read_assertion, verify_assertion
from tests.gateway.oauth.signing import KEYS, assertion

ISSUER = "https://gateway.example"


@pytest.mark.parametrize("algorithm", KEYS)
def test_for_an_unknown_client_a_signature_of_the_same_algorithm_is_verified(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That costs what a known client's costs; a clock over HTTP is too coarse to show it."""
    verified: list[tuple[str, type]] = []
    kind = jwt.algorithms.get_default_algorithms()[algorithm]
    original = type(kind).verify

    def spy(self: Any, message: bytes, key: Any, signature: bytes) -> bool:
        verified.append((algorithm, type(key)))
        return original(self, message, key, signature)

    monkeypatch.setattr(type(kind), "verify", spy)
    claimed = read_assertion(assertion("acme", ISSUER, algorithm=algorithm)["client_assertion"])
    own = TrustedKey("k", algorithm, KEYS[algorithm].public_key())
    verify_assertion(claimed, own, Decoys(), issuer=ISSUER, now=time.time(), leeway=30)
    with pytest.raises(TokenRefusedError, match="no such key"):
        verify_assertion(claimed, None, Decoys(), issuer=ISSUER, now=time.time(), leeway=30)
    assert len(verified) == 2
    assert verified[0] == verified[1]
