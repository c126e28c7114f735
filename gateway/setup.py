"""First start: the keys that everything else needs, made once and found again."""

from __future__ import annotations

from pathlib import Path

from gateway.keys import MASTER_FILE, PHONE_FILE, Keyring, create_keys, keys_dir
from gateway.officer_key import create_officer_key, default_officer_key
from gateway.settings import Settings
from schema.errors import SettingsError


def ensure_keys(settings: Settings, officer_key: Path | None = None) -> Keyring:
    """The keys in the data directory, made where there are none yet.

    The private half of the key for telephone numbers goes to `officer_key` (by default beside the data
    directory) and is not read again: take it to where the officer keeps it.

    Raises:
        SettingsError: keys are there and cannot be used.
    """
    known = keys_dir(settings) / PHONE_FILE
    if known.exists():
        return create_keys(settings, known.read_bytes())
    if (keys_dir(settings) / MASTER_FILE).exists():
        raise SettingsError(f"`{known.name}` is gone: restore it, or numbers would be sealed to another key")
    return create_keys(settings, create_officer_key(settings, officer_key or default_officer_key(settings)))
