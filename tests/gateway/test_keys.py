from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.keys import (
    CURSOR_KEY_BYTES,
    Keyring,
    create_keys,
    keys_dir,
    load_keyring,
    rotate_signing_key,
)
from gateway.officer_key import create_officer_key, default_officer_key
from gateway.settings import Settings
from gateway.signing_keys import RETIRED_FOR, SigningStatus
from schema.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def initialise(settings: Settings) -> Keyring:
    return create_keys(settings, create_officer_key(settings, default_officer_key(settings)))


def test_keys_are_made_once_and_loaded_after(own_settings: Settings) -> None:
    made, again, loaded = initialise(own_settings), initialise(own_settings), load_keyring(own_settings)
    assert made.secret == again.secret == loaded.secret
    assert made.signing_key.kid == again.signing_key.kid == loaded.signing_key.kid
    assert made.phone_public_key.key_id == loaded.phone_public_key.key_id


def test_every_file_is_for_this_user_only(own_settings: Settings) -> None:
    initialise(own_settings)
    files = [keys_dir(own_settings), default_officer_key(own_settings), *keys_dir(own_settings).iterdir()]
    assert len(files) == 5
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.parametrize("pattern", ["master-secret", "signing-*.json"])
def test_a_key_that_others_can_read_is_refused(own_settings: Settings, pattern: str) -> None:
    initialise(own_settings)
    for path in keys_dir(own_settings).glob(pattern):
        path.chmod(0o640)
    with pytest.raises(SettingsError, match="readable by other users"):
        load_keyring(own_settings)


@pytest.mark.parametrize("pattern", ["master-secret", "signing-*.json", "phone-public-key.pem"])
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_missing_or_damaged_key_is_a_settings_error(
    own_settings: Settings, pattern: str, damage: str
) -> None:
    initialise(own_settings)
    for path in keys_dir(own_settings).glob(pattern):
        path.unlink() if damage == "missing" else path.write_bytes(b'{"d": 1}')
    with pytest.raises(SettingsError):
        load_keyring(own_settings)


def test_what_is_derived_differs_by_purpose_and_by_secret(own_settings: Settings, keys: Keyring) -> None:
    mine = initialise(own_settings)
    assert len(mine.cursor_key) == CURSOR_KEY_BYTES
    assert mine.cursor_key != keys.cursor_key
    assert len({mine.owner_password, *mine.role_passwords.values(), *keys.role_passwords.values()}) == 5


def test_a_rotated_key_is_published_then_signs_and_the_one_before_verifies_until_its_tokens_ended(
    own_settings: Settings,
) -> None:
    before = initialise(own_settings).signing_key
    rotation = rotate_signing_key(own_settings, timedelta(seconds=900))
    keys = load_keyring(own_settings).signing_keys
    signs = rotation.new.signs_from

    def at(moment: float) -> dict[str, SigningStatus]:
        return {key.kid: status for key, status in keys.by_status(moment)}

    old, new = before.kid, rotation.new.kid
    assert at(signs - 1) == {old: SigningStatus.ACTIVE, new: SigningStatus.NEXT}
    assert at(signs) == {old: SigningStatus.RETIRING, new: SigningStatus.ACTIVE}
    over = signs + RETIRED_FOR.total_seconds()
    assert at(over - 1) == {old: SigningStatus.RETIRING, new: SigningStatus.ACTIVE}
    assert at(over) == {old: SigningStatus.EXPIRED, new: SigningStatus.ACTIVE}
    assert keys.signing_key.kid == old
    assert set(keys.verification_keys) == {old, new}
    with pytest.raises(SettingsError, match="gateway keys list"):
        rotate_signing_key(own_settings, timedelta(seconds=900))
    later = rotate_signing_key(own_settings, timedelta(0), now=over)
    assert later.removed == (old,)
    assert not (keys_dir(own_settings) / f"signing-{old}.json").exists()


def test_a_process_that_runs_follows_the_folder_and_keeps_its_keys_when_it_cannot_read_them(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.signing_keys.LOOK_EVERY", 0.0)
    running = initialise(own_settings)
    first, version = running.signing_key.kid, running.signing_keys.version
    second = rotate_signing_key(own_settings, timedelta(0)).new.kid
    assert running.signing_key.kid == second
    assert running.signing_keys.version == version + 1
    (keys_dir(own_settings) / f"signing-{second}.json").write_text("{}")
    assert running.signing_key.kid == second
    (keys_dir(own_settings) / f"signing-{second}.json").unlink()
    assert running.signing_key.kid == first
    assert second not in running.verification_keys, "a key that was taken away verifies nothing"


def test_the_secret_may_come_from_a_mounted_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(32)))
    secret.chmod(0o600)
    settings = Settings(data_dir=tmp_path / "data", secret_file=secret)
    assert initialise(settings).secret == bytes(range(32))
    assert not (keys_dir(settings) / "master-secret").exists()


@pytest.mark.clause("C10")
def test_the_private_phone_key_goes_to_the_officer_and_not_into_the_data_directory(
    own_settings: Settings,
) -> None:
    mine = initialise(own_settings)
    private = load_pem_private_key(default_officer_key(own_settings).read_bytes(), None)
    assert isinstance(private, X25519PrivateKey)
    assert private.public_key() == mine.phone_public_key.public_key
    files = [path for path in own_settings.data_dir.rglob("*") if path.is_file()]
    secret = private.private_bytes_raw()
    assert not any(secret in path.read_bytes() or b"PRIVATE KEY" in path.read_bytes() for path in files)


@pytest.mark.clause("C10")
def test_the_private_phone_key_is_refused_inside_the_data_directory(own_settings: Settings) -> None:
    with pytest.raises(SettingsError, match="officer-key"):
        create_officer_key(own_settings, own_settings.data_dir / "elsewhere" / "key.pem")


@pytest.mark.clause("C10")
def test_an_officer_key_without_its_public_half_is_not_opened(own_settings: Settings) -> None:
    path = default_officer_key(own_settings)
    create_officer_key(own_settings, path)
    path.with_suffix(".public.pem").unlink()
    with pytest.raises(SettingsError, match="name another file"):
        create_officer_key(own_settings, path)


@pytest.mark.clause("C10")
def test_no_module_but_its_maker_handles_a_key_that_opens_numbers() -> None:
    """Whoever imported the class, or a loader of private keys, could hold one."""
    opening = {"X25519PrivateKey", "load_pem_private_key", "load_der_private_key"}
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("gateway", "resolvers", "policies", "schema")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and opening & {alias.name for alias in node.names})
        or (isinstance(node, ast.Attribute) and node.attr in opening)
        or (isinstance(node, ast.Name) and node.id in opening)
    }
    # The second opens numbers in an officer's own process; an import contract keeps it from what serves.
    assert found == {"gateway/officer_key.py", "gateway/officer_opening.py"}
