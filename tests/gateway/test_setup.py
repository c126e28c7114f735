from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import open_gateway
from gateway.keys import MASTER_FILE, PHONE_FILE, Keyring, keys_dir
from gateway.settings import Settings
from gateway.setup import ensure_keys
from schema.errors import SettingsError, UnavailableError
from tests.databases import TestServer


def test_the_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert ensure_keys(settings).signing_key.kid == ensure_keys(settings).signing_key.kid


def test_a_lost_public_key_is_not_replaced(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    ensure_keys(settings)
    (keys_dir(settings) / PHONE_FILE).unlink()
    with pytest.raises(SettingsError, match="restore it"):
        ensure_keys(settings)


def test_an_interrupted_first_start_is_completed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    ensure_keys(settings)
    (keys_dir(settings) / MASTER_FILE).unlink()
    ensure_keys(settings)


@pytest.mark.usefixtures("template")
async def test_a_database_of_another_revision_is_not_served(
    test_server: TestServer, keys: Keyring, settings: Settings
) -> None:
    async with test_server.database_url() as url:
        with pytest.raises(UnavailableError, match="not at this program's revision"):
            async with open_gateway(settings.model_copy(update={"database_url": url}), keys):
                pass
