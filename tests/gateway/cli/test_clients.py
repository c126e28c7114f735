from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gateway.cli.test_main import Terminal, agreement_of, office, terminal, url
from tests.gateway.oauth.signing import jwks

__all__ = ["office", "terminal", "url"]

SECRET = r"[A-Za-z0-9_-]{43}\n"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(jwks("EdDSA"))
    return path


def test_a_secret_is_printed_alone_and_once(office: Terminal) -> None:
    agreement = agreement_of(office)
    first = office.done("client", "create", "acme-api", "--agreement", agreement)
    assert re.fullmatch(SECRET, first)
    assert "created" in office.err
    assert first.strip() not in office.err
    second = office.done("client", "rotate", "acme-api", "--overlap", "48")
    assert re.fullmatch(SECRET, second)
    assert second != first
    assert "counts for 48 more hours" in office.err
    shown = office.done("client", "show", "acme-api")
    assert shown.startswith("client acme-api: ACTIVE, client_secret_basic\n")
    assert [line.rpartition("\t")[2][:7] for line in shown.splitlines()[1:]] == ["until 2", "without"]
    assert first.strip() not in shown
    office.done("client", "rotate", "acme-api", "--overlap", "0")
    assert len(office.done("client", "show", "acme-api").splitlines()) == 2


def test_a_client_signs_with_keys_that_come_and_go(office: Terminal, keys_file: Path, tmp_path: Path) -> None:
    agreement = agreement_of(office)
    made = ("client", "create", "acme-api", "--agreement", agreement, "--auth", "key", "--dpop")
    assert office.done(*made, "--jwks", str(keys_file)) == "", "there is no secret to print"
    more = tmp_path / "more.json"
    more.write_text(jwks("ES256"))
    assert "key es256 counts" in office.done("client", "add-key", "acme-api", "--jwks", str(more))
    shown = office.done("client", "show", "acme-api")
    assert "private_key_jwt, tokens bound by DPoP" in shown
    assert ("key eddsa" in shown, "key es256" in shown) == (True, True)
    assert "more hours" in office.done("client", "remove-key", "acme-api", "eddsa")
    assert "until" in office.done("client", "show", "acme-api")
    office.done("client", "remove-key", "acme-api", "eddsa", "--overlap", "0")
    assert "key eddsa" not in office.done("client", "show", "acme-api")
    assert office.run("token", "partner", "acme") == 1, "its tokens are bound to a key that only it has"


def test_what_does_not_fit_a_client_is_refused_and_changes_nothing(
    office: Terminal, keys_file: Path, tmp_path: Path
) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "by-secret", "--agreement", agreement)
    make = ("client", "create", "by-key", "--agreement", agreement)
    office.done(*make, "--auth", "key", "--jwks", str(keys_file))
    office.done("client", "create", "gone", "--agreement", agreement)
    office.done("client", "revoke", "gone")
    private = tmp_path / "private.json"
    private.write_text('{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}')
    shown = [office.done("client", "show", name) for name in ("by-secret", "by-key", "gone")]
    for arguments in (
        ("client", "create", "other", "--agreement", agreement, "--auth", "key"),
        ("client", "create", "other", "--agreement", agreement, "--jwks", str(keys_file)),
        ("client", "create", "other", "--agreement", agreement, "--auth", "key", "--jwks", str(private)),
        ("client", "rotate", "by-key"),
        ("client", "rotate", "gone"),
        ("client", "rotate", "nobody"),
        ("client", "add-key", "by-secret", "--jwks", str(keys_file)),
        ("client", "add-key", "by-key", "--jwks", str(keys_file)),
        ("client", "remove-key", "by-key", "nothing"),
        ("client", "show", "nobody"),
        ("client", "show", "other"),
    ):
        assert office.run(*arguments) == 1, arguments
        assert office.err.startswith("error: ")
    assert [office.done("client", "show", name) for name in ("by-secret", "by-key", "gone")] == shown


def test_clients_are_listed_with_what_they_act_under(office: Terminal) -> None:
    assert office.done("client", "list") == ""
    assert office.err == "there is no client: `gateway client create` makes one\n"
    agreement = agreement_of(office)
    for name in ("second", "first"):
        office.done("client", "create", name, "--agreement", agreement)
    office.done("client", "revoke", "second")
    assert [line.split("\t") for line in office.done("client", "list").splitlines()] == [
        ["first", "acme", agreement, "ACTIVE"],
        ["second", "acme", agreement, "REVOKED"],
    ]
    assert office.run("client", "quota", "nobody") == 1
    assert office.err == "error: there is no such client: see `gateway client list`\n"
