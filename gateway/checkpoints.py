"""Checkpoints of the disclosure log: the heads of all chains, signed by the gateway (RFC 7515, RFC 8037).

In: heads and a signing key, or a statement and the public keys that may have signed it. Out: a compact JWS,
or what it says. Its type is `disclosure-checkpoint+jws`: an access token has another, so that neither passes
for the other, though one key signs both. No key is taken from a statement: whoever checks one kept elsewhere
keeps the public keys there as well (`gateway disclosures key`).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.keys import Keyring
from policies.disclosure_chain import DIGEST_BYTES
from policies.disclosure_proof import Head
from schema.errors import InputError

TYPE: Final = "disclosure-checkpoint+jws"
VERSION: Final = 1

Keys = Mapping[str, Ed25519PublicKey]
"""Public keys by `kid`."""

_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement whose signature has been checked. `previous` is the digest of the statement before."""

    made_at: datetime
    records: int
    previous: str | None
    heads: Sequence[Head]


def sign_checkpoint(keys: Keyring, now: datetime, heads: Sequence[Head], previous: str | None) -> str:
    """The statement of these heads."""
    key = keys.signing_key
    payload = {
        "version": VERSION,
        "made_at": now.isoformat(),
        "records": sum(head.position for head in heads),
        "previous": previous,
        "heads": [[str(head.writer), head.position, head.digest.hex()] for head in heads],
    }
    signed = f"{_encode({'alg': 'EdDSA', 'typ': TYPE, 'kid': key.kid})}.{_encode(payload)}"
    return f"{signed}.{_base64(key.private_key.sign(signed.encode()))}"


def read_checkpoint(statement: str, keys: Keys) -> Checkpoint:
    """What a statement says.

    1. three parts of unpadded base64url, nothing else;
    2. the header has exactly `alg`, `typ` and `kid`: ours, and of a key at hand;
    3. that key signed it;
    4. it is of a version that we know.

    Raises:
        InputError: one of these does not hold; says which, and quotes nothing.
    """
    if not _SHAPE.fullmatch(statement):  # 1
        raise InputError("it is no signed statement")
    signed, _, signature = statement.rpartition(".")
    head, _, body = signed.partition(".")
    header = _decode(head)  # 2
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"}:
        raise InputError("its header is not that of a checkpoint")
    if header["alg"] != "EdDSA" or header["typ"] != TYPE:
        raise InputError("it is a statement of something else")
    key = keys.get(header["kid"]) if isinstance(header["kid"], str) else None
    if key is None:
        raise InputError("its key is not at hand: pass the public keys of that time with `--key`")
    try:
        key.verify(_bytes(signature), signed.encode())  # 3
    except InvalidSignature as error:
        raise InputError("its signature does not hold") from error
    return _parsed(_decode(body))  # 4


def read_keys(text: str) -> Keys:
    """The Ed25519 public keys of a JWK or a JWK set (RFC 7517), by `kid`.

    Raises:
        InputError: there is none in it.
    """
    try:
        data = json.loads(text)
        listed = data.get("keys", [data])
        found = {
            str(jwk["kid"]): Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
            for jwk in listed
            if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("`--key`: a file of public keys as `gateway disclosures key` prints it") from error
    if not found:
        raise InputError("`--key`: there is no Ed25519 key in it")
    return found


def public_keys(keys: Keyring) -> str:
    """The public keys that checkpoints may be checked with, as a JWK set."""
    listed = [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": _base64(_raw(key))}
        for kid, key in keys.verification_keys.items()
    ]
    return json.dumps({"keys": listed}, indent=1)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _parsed(payload: Any) -> Checkpoint:
    try:
        if payload["version"] != VERSION:
            raise InputError("it is of a version that this program does not know")
        heads = [Head(UUID(w), int(p), bytes.fromhex(d)) for w, p, d in payload["heads"]]
        previous = payload["previous"]
        made_at = datetime.fromisoformat(payload["made_at"])
        checkpoint = Checkpoint(made_at, int(payload["records"]), previous, heads)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("it does not say what a checkpoint says") from error
    if any(len(head.digest) != DIGEST_BYTES for head in heads):
        raise InputError("it does not say what a checkpoint says")
    return checkpoint


def _encode(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decode(part: str) -> Any:
    try:
        return json.loads(_bytes(part))
    except ValueError as error:
        raise InputError("it is no signed statement") from error


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InputError("it is no signed statement") from error
