"""Makes the key pair that telephone numbers are sealed to. Only `gateway init` runs this code.

The private half goes to the officer's file, written once, and is never read again by any command of the
service: whoever steals the running service and its data directory opens no number (R1, C10).
The caller still has to move that file off the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.keys import create_once, make_private_dir
from gateway.settings import Settings
from schema.errors import SettingsError

PRIVATE_FILE: Final = "phone-private-key.pem"


def default_officer_key(settings: Settings) -> Path:
    """Beside the data directory, never inside it."""
    return settings.data_dir.resolve().parent / "officer" / PRIVATE_FILE


def create_officer_key(settings: Settings, path: Path) -> bytes:
    """Write the private key to `path` and its public half beside it, and return the public half as PEM.

    Where both exist already, nothing is made: a new data directory may go on with the officer's old key.

    Raises:
        SettingsError: `path` is inside the data directory, or holds a key without its public half.
    """
    path = path.resolve()
    if path.is_relative_to(settings.data_dir.resolve()):
        raise SettingsError(
            "`--officer-key` is inside `GATEWAY_DATA_DIR`: choose a path that the service has not"
        )
    public_path = path.with_suffix(".public.pem")
    if path.exists() and not public_path.exists():
        raise SettingsError(
            f"`{path}` exists, but its public half `{public_path.name}` does not: name another file"
        )
    if not path.exists():
        if not path.parent.exists():
            make_private_dir(path.parent)
        key = X25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public_path.unlink(missing_ok=True)
        create_once(path, private)
        create_once(public_path, public)
    return public_path.read_bytes()
