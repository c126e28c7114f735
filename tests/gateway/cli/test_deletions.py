from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.identity.tokens import own_issuer
from gateway.settings import load_settings
from tests.gateway.cli.test_main import Terminal, agreement_of, office, terminal, url

__all__ = ["office", "terminal", "url"]


async def on(url: str, *statements: str) -> None:
    owner = await asyncpg.connect(url)
    for statement in statements:
        await owner.execute(statement)
    await owner.close()


A_MEMBER = (
    "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region, interests,"
    " purchase_categories, joined_at, updated_at, version) VALUES (gen_random_uuid(), 'M-1', 'ACTIVE', 'A',"
    " 'B', 'a@b.example', '1980-01-01', 'US-CA', '{}', '{}', now(), now(), 1)"
)


def key_file(path: Path, kid: str) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    path.write_text(json.dumps({"keys": [{**jwk, "kid": kid, "alg": "EdDSA"}]}))
    return key


def sign(key: Ed25519PrivateKey, deleted: Any, kid: str = "k1", issuer: str = "acme-api") -> str:
    claims = {
        "iss": issuer,
        "aud": own_issuer(load_settings()),
        "iat": time.time(),
        "jti": uuid4().hex,
        "deleted": deleted,
    }
    header = {"typ": "deletion-confirmation+jwt", "kid": kid}
    return jwt.encode(claims, key, algorithm="EdDSA", headers=header)


async def test_what_is_owed_is_listed_confirmed_by_a_statement_and_shown_word_for_word(
    office: Terminal, url: str, tmp_path: Path
) -> None:
    await on(url, A_MEMBER)
    await asyncio.to_thread(_from_an_end_to_a_confirmation, office, url, tmp_path)


def _from_an_end_to_a_confirmation(office: Terminal, url: str, tmp_path: Path) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "acme-api", "--agreement", agreement)
    assert office.done("deletions", "list", "acme") == ""
    assert "1 withdrawn" in office.done("agreement", "end", agreement)
    row, subject, basis, categories, told, due = office.done("deletions", "list", "acme").strip().split("\t")
    assert (basis, told, due[:4]) == ("STRATEGIC", "not told", "due ")
    assert "user.name" in categories.split(",")
    assert office.done("deletions", "overdue") == ""
    asyncio.run(on(url, "UPDATE deletion SET due_at = now() - interval '8 days'"))
    assert office.done("deletions", "overdue").split("\t")[:2] == ["acme", "1 overdue"]
    assert office.done("deletions", "list", "acme").strip().endswith("late")

    keys, file = tmp_path / "keys.json", tmp_path / "statement.jws"
    key = key_file(keys, "k1")
    file.write_text(sign(key, {subject: ["user.name"]}))
    assert office.run("deletions", "confirm", "--statement", str(file)) == 1
    assert "no registered key" in office.err
    assert subject not in office.err
    office.done("partner", "add-key", "acme", "--jwks", str(keys), "--from", "2020-01-01")
    said = office.done("deletions", "confirm", "--statement", str(file))
    assert said.endswith(": 1 confirmed, 0 still owed, 0 not owed\n")
    assert office.done("deletions", "confirm", "--statement", str(file)) == said
    assert office.done("deletions", "list", "acme") == office.done("deletions", "overdue") == ""
    assert "confirmed 20" in office.done("deletions", "list", "acme", "--confirmed")
    statement = said.split()[1].rstrip(":")
    for wanted in (statement, row):
        assert office.done("deletions", "show-statement", wanted).strip() == file.read_text()
    assert office.run("deletions", "show-statement", str(uuid4())) == 1
    assert office.run("deletions", "show-statement", "no-id") == 1
    assert office.run("deletions", "list", "nobody") == 1


@pytest.mark.parametrize("content", [b"", b"x.y.z", b"\xff", None])
def test_what_is_no_statement_is_refused_in_one_line(
    office: Terminal, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "statement"
    if content is not None:
        file.write_bytes(content)
    assert office.run("deletions", "confirm", "--statement", str(file)) == 1
    assert office.err.startswith("error: ")
    assert office.err.count("\n") == 1


def test_statement_keys_are_added_listed_and_removed(office: Terminal, tmp_path: Path) -> None:
    agreement_of(office)
    keys = tmp_path / "keys.json"
    key_file(keys, "k1")
    added = office.done(
        "partner", "add-key", "acme", "--jwks", str(keys), "--from", "2026-01-01", "--until", "2028-01-01"
    )
    assert added == "partner acme: 1 keys added: k1\n"
    listed = office.done("partner", "keys", "acme")
    assert listed == "k1\tfrom 2026-01-01 00:00\tuntil 2028-01-01 00:00\n"
    # Nobody takes the name of a key again, not even one that was removed.
    for _ in range(2):
        assert office.run("partner", "add-key", "acme", "--jwks", str(keys)) == 1
        assert "`kid`" in office.err
        office.done("partner", "remove-key", "acme", "k1")
    assert "removed 20" in office.done("partner", "keys", "acme")
    assert office.run("partner", "remove-key", "acme", "k2") == 1
    assert office.run("partner", "keys", "nobody") == 1


@pytest.mark.parametrize(
    "content", ["", "[]", '{"keys": []}', '{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}', "private"]
)
def test_a_file_without_a_public_key_is_refused_and_not_shown(
    office: Terminal, tmp_path: Path, content: str
) -> None:
    agreement_of(office)
    file = tmp_path / "keys.json"
    if content == "private":
        key = Ed25519PrivateKey.generate()
        jwk = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
        content = json.dumps({**jwk, "kid": "k", "alg": "EdDSA"})
    file.write_text(content)
    assert office.run("partner", "add-key", "acme", "--jwks", str(file)) == 1
    assert "`--jwks`" in office.err
    assert "c2VjcmV0" not in office.err
    assert office.done("partner", "keys", "acme") == ""
