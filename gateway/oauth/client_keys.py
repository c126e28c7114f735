"""A client's JWKS (RFC 7517, 5) as an officer registers it: read strictly, from a file, never fetched.

In: the text of a document, or of a single JWK. Out: the keys to store, each with a name of its own and
fit for verifying assertions. Whatever else stands in it (private halves, weak keys,
other uses) refuses the whole.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from gateway.identity.public_keys import ALGORITHMS, strong_key
from resolvers.commands.client_credentials import MOST_KEYS, PublicKey
from schema.errors import InputError

MAX_BYTES: Final = 100_000


def read_jwks(text: str) -> list[PublicKey]:
    """The keys in the document.

    Raises:
        InputError: it is none, or a key in it is not one to verify with; names the key by its place.
    """
    data: Any = None
    try:
        data = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        data = None
    listed = data.get("keys", [data]) if isinstance(data, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_KEYS:
        raise InputError(f"`--jwks`: a JWKS or JWK document (RFC 7517) with 1 to {MOST_KEYS} public keys")
    if any(isinstance(jwk, dict) and {"d", "k"} & jwk.keys() for jwk in listed):
        raise InputError(
            "`--jwks` holds a private or shared key: it stays with the partner; ask for a new one"
        )
    found = [(jwk, strong_key(jwk)) for jwk in listed]
    weak = [str(place) for place, (_, key) in enumerate(found, start=1) if key is None]
    if weak:
        raise InputError(
            f"`--jwks`, key {', '.join(weak)}: a public signing key for {', '.join(ALGORITHMS)} is wanted"
            " (Ed25519, P-256, RSA of 2,048 bits or more)"
        )
    names = Counter(key.kid for _, key in found if key is not None)
    if max(names.values()) > 1:
        raise InputError("`--jwks`: two keys have the same `kid`: give each its own")
    return [PublicKey(key.kid, json.dumps(jwk | {"kid": key.kid})) for jwk, key in found if key is not None]
