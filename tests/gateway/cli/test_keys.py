from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.keys import SigningStatus, load_keyring
from gateway.settings import Settings
from gateway.setup import ensure_keys


def test_a_rotated_key_signs_and_the_one_before_still_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    settings = Settings()
    before = ensure_keys(settings).signing_key.kid
    result = CliRunner().invoke(app, ["keys", "rotate"])
    after = load_keyring(settings)
    assert result.exit_code == 0
    assert f"signing key: {after.signing_key.kid}" in result.output
    assert after.signing_key.kid != before
    assert {key.kid: key.status for key in after.signing_keys}[before] is SigningStatus.RETIRING
