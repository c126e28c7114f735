from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.database import Database
from gateway.documents import MEMORY_SECONDS, DocumentFile, RememberingFinder, read_files, register
from gateway.driver_errors import translate_driver_errors
from gateway.operations import digest_of
from resolvers.persisted_documents import list_documents, remove_document
from schema.errors import InputError
from tests.gateway.cli.test_main import Terminal, office, terminal, url
from tests.gateway.http.reference import LIMITS, SCHEMA

__all__ = ["office", "terminal", "url"]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BODY = "query Greeting { hello }"
BODY_OF_VISITORS = "query Greeting { viewer { audience } }"


async def add(database: Database, *documents: DocumentFile, client: str = "shop") -> None:
    async with database.transaction() as connection:
        await register(
            connection, client_id=client, documents=documents, contract_schema=SCHEMA, limits=LIMITS, now=NOW
        )


async def test_a_document_is_found_by_its_id_and_by_its_digest_for_its_client_only(
    database: Database,
) -> None:
    await add(database, DocumentFile("greeting", BODY))
    finder = RememberingFinder(database.app, translate_driver_errors)
    assert await finder.find("shop", "greeting") == BODY
    assert await finder.find("shop", f"sha256:{digest_of(BODY)}") == BODY
    assert await finder.find("other", "greeting") is None
    assert await finder.find("shop", "other") is None


async def test_registering_again_replaces(database: Database) -> None:
    await add(database, DocumentFile("a", BODY))
    await add(database, DocumentFile("a", "{ me { id } }"), DocumentFile("b", BODY))
    await add(database, DocumentFile("c", BODY))
    assert [d.document_id for d in await list_documents(database.app, "shop")] == ["a", "c"]


async def test_one_bad_document_registers_none(database: Database) -> None:
    with pytest.raises(InputError, match="`bad` is refused: cannot query field `nothing`"):
        await add(database, DocumentFile("good", BODY), DocumentFile("bad", "{ nothing }"))
    assert await list_documents(database.app, "shop") == []


async def test_a_removed_document_is_forgotten_within_seconds(database: Database) -> None:
    now = [0.0]
    await add(database, DocumentFile("a", BODY))
    finder = RememberingFinder(database.app, translate_driver_errors, lambda: now[0])
    assert await finder.find("shop", "a") == BODY
    assert await remove_document(database.app, "shop", "a")
    assert not await remove_document(database.app, "shop", "a")
    assert await finder.find("shop", "a") == BODY
    now[0] = MEMORY_SECONDS + 1
    assert await finder.find("shop", "a") is None


def test_documents_are_read_from_files_and_manifests(tmp_path: Path) -> None:
    (tmp_path / "one.graphql").write_text(BODY)
    (tmp_path / "relay.json").write_text(json.dumps({"r1": BODY}))
    apollo = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "a1", "body": BODY}],
    }
    (tmp_path / "apollo.json").write_text(json.dumps(apollo))
    found = read_files([tmp_path / "one.graphql", tmp_path / "relay.json", tmp_path / "apollo.json"])
    assert found == [DocumentFile("one", BODY), DocumentFile("r1", BODY), DocumentFile("a1", BODY)]


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"a": 1}', '{"operations": [{}]}', '{"a b": "{ hello }"}', "1"]
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(InputError, match=r"`bad\.json`"):
        read_files([tmp_path / "bad.json"])


def test_the_commands(office: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "greeting.graphql"
    file.write_text(BODY_OF_VISITORS)

    assert office.done("documents", "register", "--client", "visitor", str(file)) == "registered: 1\n"
    listed = office.done("documents", "list", "--client", "visitor")
    assert listed.split("\t")[:2] == ["greeting", f"sha256:{digest_of(BODY_OF_VISITORS)}"]
    assert office.run("documents", "register", "--client", "nobody", str(file)) == 1
    assert office.err == "error: there is no such client: see `gateway client list`\n"
    assert office.done("documents", "remove", "--client", "visitor", "greeting") == "removed\n"
    assert office.run("documents", "remove", "--client", "visitor", "greeting") == 1
