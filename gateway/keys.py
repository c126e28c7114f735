"""The keys of this installation: files in `data_dir/keys` that only the service's user may read.

    master-secret             32 random bytes; everything symmetric is derived from it by HKDF (RFC 5869)
    signing-<kid>.json        what tokens are signed with (`gateway.signing_keys`)
    phone-public-key.pem      what telephone numbers are sealed to

INVARIANT (cannot-open): nothing here can hold the key that opens a telephone number; that one is made
by `gateway.officer_key`, goes to the officer and is never loaded by the service (R1, C10).
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gateway.settings import Settings
from gateway.signing_keys import PATTERN, SigningKey, SigningKeys, SigningStatus
from schema.errors import SettingsError

SECRET_BYTES: Final = 32
CURSOR_KEY_BYTES: Final = 64
FACTOR_BYTES: Final = 20
"""What `policies.second_factor` takes."""
"""AES-SIV with a 256-bit key takes two of them (RFC 5297)."""

MASTER_FILE: Final = "master-secret"
PHONE_FILE: Final = "phone-public-key.pem"


@dataclass(frozen=True, slots=True)
class PhonePublicKey:
    """The HPKE (RFC 9180) public key that numbers are sealed to, and the name stored beside each."""

    key_id: str
    public_key: X25519PublicKey


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of a running gateway. Its repr shows none of them."""

    secret: bytes = field(repr=False)
    signing_keys: SigningKeys
    phone_public_key: PhonePublicKey

    @property
    def signing_key(self) -> SigningKey:
        """The one that signs now."""
        return self.signing_keys.signing_key

    @property
    def verification_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """What our own tokens may be verified with now, by `kid`."""
        return self.signing_keys.verification_keys

    @property
    def cursor_key(self) -> bytes:
        """64 bytes for AES-SIV over cursors."""
        return derive(self.secret, "cursor", CURSOR_KEY_BYTES)

    @property
    def token_key(self) -> bytes:
        """64 bytes for AES-SIV over the tokens of links, sessions and unsubscribe addresses."""
        return derive(self.secret, "opaque tokens", CURSOR_KEY_BYTES)

    @property
    def attempt_key(self) -> bytes:
        """For the names under which sign-in attempts are counted."""
        return derive(self.secret, "counted attempts", SECRET_BYTES)

    def webhook_key(self, endpoint_id: UUID, generation: int) -> bytes:
        """What messages to one endpoint are signed with, in one generation."""
        return derive(self.secret, f"webhook {endpoint_id} {generation}", SECRET_BYTES)

    def suppression_key(self, partner_id: UUID, generation: int) -> bytes:
        """With which a partner and we make digests of addresses; each partner has its own."""
        return derive(self.secret, f"suppressions of {partner_id} {generation}", SECRET_BYTES)

    def factor_secret(self, officer_id: UUID, factor: UUID) -> bytes:
        """Of an officer's second factor: it stands nowhere, and another `factor` is another secret."""
        return derive(self.secret, f"second factor {officer_id} {factor}", FACTOR_BYTES)

    @property
    def owner_password(self) -> str:
        """Of the private server's owner; a server of yours has its own in `GATEWAY_DATABASE_URL`."""
        return derive(self.secret, "role gateway_owner", SECRET_BYTES).hex()

    @property
    def role_passwords(self) -> Mapping[str, str]:
        """Of the two roles that the service signs in with."""
        names = ("gateway_app", "gateway_reader")
        return {name: derive(self.secret, f"role {name}", SECRET_BYTES).hex() for name in names}


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the key that signs next, and the `kid`s of those that are gone."""

    new: SigningKey
    removed: tuple[str, ...]


def derive(secret: bytes, purpose: str, length: int) -> bytes:
    """`length` bytes for one purpose; they tell nothing of the secret or of another purpose's bytes."""
    return HKDF(SHA256(), length, salt=None, info=f"member-gateway {purpose}".encode()).derive(secret)


def keys_dir(settings: Settings) -> Path:
    """Where the key files are."""
    return settings.data_dir / "keys"


def load_keyring(settings: Settings) -> Keyring:
    """The keys as they are on disk.

    Raises:
        SettingsError: one is missing, damaged, or readable by other users; names the file.
    """
    folder = keys_dir(settings)
    secret = read_secret(settings.secret_file or folder / MASTER_FILE)
    if len(secret) != SECRET_BYTES:
        raise SettingsError(f"the master secret has to have {SECRET_BYTES} bytes: restore it from its backup")
    signing_keys = SigningKeys(_read_signing_keys(folder), folder=folder, read=_read_signing_keys)
    return Keyring(secret, signing_keys, read_phone_public_key(folder / PHONE_FILE))


def create_keys(settings: Settings, phone_public_key: bytes) -> Keyring:
    """Make what is missing of the key files and load all; what exists is never replaced.

    `phone_public_key` is a PEM, used only where none is on file yet.
    """
    folder = keys_dir(settings)
    make_private_dir(folder)
    # The public key comes first: where the master secret is there without it, it was lost, not interrupted.
    create_once(folder / PHONE_FILE, phone_public_key)
    if settings.secret_file is None:
        create_once(folder / MASTER_FILE, secrets.token_bytes(SECRET_BYTES))
    if not any(folder.glob(PATTERN)):
        _write_signing_key(folder, Ed25519PrivateKey.generate(), time.time())
    return load_keyring(settings)


def rotate_signing_key(settings: Settings, wait: timedelta, now: float | None = None) -> Rotation:
    """Publish a new key that signs after `wait`; the one before goes on verifying (`gateway.signing_keys`).

    What has expired is removed. Running gateways that look at the same folder follow by themselves.

    Raises:
        SettingsError: a next key waits already, or the keys cannot be used.
    """
    folder = keys_dir(settings)
    moment = time.time() if now is None else now
    known = load_keyring(settings).signing_keys.by_status(moment)
    if wait and any(status is SigningStatus.NEXT for _, status in known):
        raise SettingsError("a next key is published already and has yet to sign: see `gateway keys list`")
    expired = [key.kid for key, status in known if status is SigningStatus.EXPIRED]
    for kid in expired:
        (folder / f"signing-{kid}.json").unlink(missing_ok=True)
    new = _write_signing_key(folder, Ed25519PrivateKey.generate(), moment + wait.total_seconds())
    return Rotation(new, tuple(expired))


def read_phone_public_key(path: Path) -> PhonePublicKey:
    """The public key in the PEM file at `path`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"`{path}` is missing or no public key: run `gateway init`") from error
    if not isinstance(key, X25519PublicKey):
        raise SettingsError(f"`{path}` has to hold an X25519 public key")
    digest = sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest()
    return PhonePublicKey(_base64(digest[:12]), key)


def read_secret(path: Path) -> bytes:
    """The bytes of a file that nobody else may read."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"`{path}` is readable by other users: chmod 600 it, and consider it known")
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be read: run `gateway init`") from error


def make_private_dir(folder: Path) -> None:
    """A folder that only this user may enter."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def create_once(path: Path, data: bytes) -> None:
    """Write a private file whole, unless there is one: of two at the same time, one wins."""
    draft = _draft(path, data)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _draft(path: Path, data: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return draft


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """A public key of ours as a JWK (RFC 8037). `kid` is its thumbprint (RFC 7638)."""
    public = _base64(key.public_bytes_raw())
    thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": public}, separators=(",", ":"))
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": _base64(sha256(thumbprint.encode()).digest()),
        "x": public,
    }


def _write_signing_key(folder: Path, key: Ed25519PrivateKey, signs_from: float) -> SigningKey:
    jwk = public_jwk(key.public_key()) | {"d": _base64(key.private_bytes_raw()), "signs_from": signs_from}
    path = folder / f"signing-{jwk['kid']}.json"
    _draft(path, json.dumps(jwk, indent=1).encode()).replace(path)
    return SigningKey(str(jwk["kid"]), signs_from, key)


def _read_signing_keys(folder: Path) -> list[SigningKey]:
    return [_read_signing_key(path) for path in sorted(folder.glob(PATTERN))]


def _read_signing_key(path: Path) -> SigningKey:
    data = read_secret(path)
    try:
        jwk = json.loads(data)
        encoded = f"{jwk['d']}="
        key = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(encoded))
        # Keys of before 0005 say what they did when they were written: those that retired have expired.
        signs_from = jwk.get("signs_from", 0.0 if jwk.get("status") == "ACTIVE" else -1.0)
        return SigningKey(str(jwk["kid"]), float(signs_from), key)
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"`{path}` is no signing key: restore it from its backup") from error


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
