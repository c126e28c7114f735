from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.keys import load_keyring
from gateway.settings import Settings
from gateway.setup import ensure_keys


def test_a_rotation_says_what_it_does_and_the_list_says_what_each_key_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    settings = Settings()
    before = ensure_keys(settings).signing_key.kid
    rotated = CliRunner().invoke(app, ["keys", "rotate", "--wait", "60"])
    listed = CliRunner().invoke(app, ["keys", "list"])
    assert (rotated.exit_code, listed.exit_code) == (0, 0)
    assert load_keyring(settings).signing_key.kid == before
    (new,) = re.findall(r"new key: (\S+)", rotated.output)
    assert re.findall(r"^(\S+)\t(\S+)\t", listed.output, re.MULTILINE) == [(before, "ACTIVE"), (new, "NEXT")]
    CliRunner().invoke(app, ["keys", "rotate", "--wait", "0"])
    assert load_keyring(settings).signing_key.kid not in {before, new}
