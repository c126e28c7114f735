from __future__ import annotations

import re

from gateway.keys import load_keyring
from gateway.settings import load_settings
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]


def test_a_rotation_says_what_it_does_and_the_list_says_what_each_key_does(office: Terminal) -> None:
    settings = load_settings()
    before = load_keyring(settings).signing_key.kid
    rotated = office.done("keys", "rotate", "--wait", "60")
    listed = office.done("keys", "list")
    assert load_keyring(settings).signing_key.kid == before
    (new,) = re.findall(r"new key: (\S+)", rotated)
    assert re.findall(r"^(\S+)\t(\S+)\t", listed, re.MULTILINE) == [(before, "ACTIVE"), (new, "NEXT")]
    office.done("keys", "rotate", "--wait", "0")
    assert load_keyring(settings).signing_key.kid not in {before, new}
