"""Each command that an officer runs leaves a line in the log of actions, or is listed with the reason."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import asyncpg
import click
import typer

from gateway.cli.main import app
from policies.officers import Act
from schema.ids import new_id
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

WITHOUT_A_LINE = {
    "demo": "an invented world",
    "init": "no database is there yet",
    "migrate": "makes the log",
    "serve": "no action of an officer: what is asked there is written down there",
    "doctor": "looks at the installation, and at nobody's data",
    "seed": "invented members",
    "keys list": "reads a folder",
    "disclosures key": "prints public keys from a folder",
    "policy check": "reads files",
    "policy matrix": "reads files",
    "policy test": "reads files",
    "policy clauses": "reads the code",
    "policy text": "reads files",
    "schema data-map": "reads the code",
}


def commands(group: Any = None, path: str = "") -> Iterator[str]:
    """Every command of the program."""
    found = typer.main.get_command(app) if group is None else group
    if isinstance(found, click.Group) or hasattr(found, "commands"):
        for name, below in found.commands.items():
            yield from commands(below, f"{path} {name}".strip())
    else:
        yield path


async def _lines(url: str) -> list[tuple[str, str, str]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT officer, channel, act FROM officer_action ORDER BY seq")
    await connection.close()
    return [tuple(row) for row in rows]


async def _member_and_request(url: str) -> str:
    connection = await asyncpg.connect(url)
    member, request = new_id(), new_id()
    await connection.execute(
        "INSERT INTO member (id, number, status, email, interests, purchase_categories, joined_at,"
        " updated_at, version) VALUES ($1, 'M-7', 'INVITED', 'ada@example.org', '{}', '{}', now(), now(), 1)",
        member,
    )
    await connection.execute(
        "INSERT INTO member_request (id, member_id, kind, status, subject, body, opened_at, due_at)"
        " VALUES ($1, $2, 'CONTACT', 'OPEN', 'Hello', 'Do you ship?', now(), now())",
        request,
        member,
    )
    await connection.close()
    return str(request)


AGREE = ("agreement create", "acme", "--basis", "strategic", "--purpose", "partner-offers",
         "--category", "user.name=to write", "--category", "user.contact.email=to write")  # fmt: skip
EXPLAIN = ("policy explain", "--partner", "acme", "--member", "M-7", "--field", "name")

SHIFT: tuple[tuple[tuple[str, ...], tuple[Act, ...]], ...] = (
    (("partner create", "acme", "--display-name", "Acme"), (Act.PARTNER_CREATE,)),
    (("partner list",), (Act.PARTNER_READ,)),
    (("partner show", "acme"), (Act.PARTNER_READ, Act.AGREEMENT_READ)),
    (("partner add-key", "acme", "--jwks", "{one}"), (Act.PARTNER_KEYS,)),
    (("partner keys", "acme"), (Act.PARTNER_READ,)),
    (("partner remove-key", "acme", "one"), (Act.PARTNER_KEYS,)),
    (AGREE, (Act.AGREEMENT_CREATE, Act.AGREEMENT_APPROVE, Act.AGREEMENT_STATUS)),
    (("agreement list",), (Act.AGREEMENT_READ,)),
    (("agreement show", "{agreement}"), (Act.AGREEMENT_READ,)),
    (("agreement state", "{agreement}", "--category", "user.name=to greet"), (Act.AGREEMENT_CHANGE,)),
    (("agreement approve", "{agreement}"), (Act.AGREEMENT_APPROVE,)),
    (("agreement report", "{agreement}"), (Act.AGREEMENT_READ,)),
    (("agreement change", "{agreement}", "--until", "2099-01-01"), (Act.AGREEMENT_CHANGE,)),
    (("agreement narrow", "{agreement}", "--category", "user.contact.email"), (Act.AGREEMENT_CHANGE,)),
    (("agreement quota", "{agreement}"), (Act.AGREEMENT_READ,)),
    (("agreement quota", "{agreement}", "--members-per-day", "5"), (Act.AGREEMENT_QUOTA,)),
    (("client create", "acme-api", "--agreement", "{agreement}"), (Act.CLIENT_CREATE,)),
    (("client quota", "acme-api", "--members-per-day", "5"), (Act.AGREEMENT_QUOTA,)),
    (("client show", "acme-api"), (Act.CLIENT_READ,)),
    (("client rotate", "acme-api"), (Act.CLIENT_CREDENTIALS,)),
    (("client create", "acme-key", "--agreement", "{agreement}", "--auth", "key", "--jwks", "{one}"),
     (Act.CLIENT_CREATE,)),
    (("client add-key", "acme-key", "--jwks", "{two}"), (Act.CLIENT_CREDENTIALS,)),
    (("client remove-key", "acme-key", "two"), (Act.CLIENT_CREDENTIALS,)),
    (("client revoke", "acme-key"), (Act.CLIENT_REVOKE,)),
    (("token partner", "acme"), (Act.TOKEN_ISSUE,)),
    (("token member", "M-7"), (Act.TOKEN_ISSUE,)),
    (("token revoke", "an-id"), (Act.TOKEN_REVOKE,)),
    (("schema print", "--as", "partner:acme"), (Act.CLIENT_READ,)),
    (("schema bulk", "--as", "partner:acme"), (Act.CLIENT_READ,)),
    (("documents register", "--client", "visitor", "{document}"), (Act.DOCUMENT_CHANGE,)),
    (("documents list", "--client", "visitor"), (Act.CLIENT_READ,)),
    (("documents remove", "--client", "visitor", "document"), (Act.DOCUMENT_CHANGE,)),
    (("webhook create", "https://9.9.9.9/hook", "--agreement", "{agreement}"), (Act.WEBHOOK_CHANGE,)),
    (("webhook list",), (Act.WEBHOOK_READ,)),
    (("webhook show", "{webhook}"), (Act.WEBHOOK_READ,)),
    (("webhook rotate", "{webhook}"), (Act.WEBHOOK_CHANGE,)),
    (("webhook test", "{webhook}"), (Act.WEBHOOK_CHANGE,)),
    (("webhook dead-letters list",), (Act.WEBHOOK_READ,)),
    (("webhook dead-letters retry", "{webhook}"), (Act.WEBHOOK_CHANGE,)),
    (("webhook disable", "{webhook}"), (Act.WEBHOOK_CHANGE,)),
    (("webhook enable", "{webhook}"), (Act.WEBHOOK_CHANGE,)),
    (("deletions list", "acme"), (Act.DELETION_READ,)),
    (("deletions overdue",), (Act.DELETION_READ,)),
    (("requests list",), (Act.REQUEST_LIST,)),
    (("requests show", "{request}"), (Act.REQUEST_READ,)),
    (("requests take", "{request}"), (Act.REQUEST_ANSWER,)),
    (("requests answer", "{request}", "--outcome", "Yes."), (Act.REQUEST_ANSWER,)),
    (EXPLAIN, (Act.DECISION_EXPLAIN,)),
    ((*EXPLAIN, "--at", "2026-01-01"), (Act.DECISION_EXPLAIN,)),
    (("policy publish", "{policy}", "--yes", "--no-mail"), (Act.POLICY_PUBLISH,)),
    (("policy history",), (Act.POLICY_READ,)),
    (("policy show", "2"), (Act.POLICY_READ,)),
    (("policy rollback", "1", "--yes"), (Act.POLICY_READ, Act.POLICY_PUBLISH)),
    (("policy notices",), (Act.NOTICE_READ,)),
    (("policy compare", "current", "current", "--members", "--replay"), (Act.POLICY_READ,)),
    (("policy compare", "1", "2"), (Act.POLICY_READ, Act.POLICY_READ)),
    (("disclosures list",), (Act.DISCLOSURE_READ,)),
    (("disclosures export", "--file", "{log}"), (Act.DISCLOSURE_READ,)),
    (("disclosures verify",), (Act.DISCLOSURE_VERIFY,)),
    (("disclosures checkpoint",), (Act.DISCLOSURE_VERIFY,)),
    (("suppressions key", "acme"), (Act.SUPPRESSION_CHANGE,)),
    (("suppressions add", "{addresses}"), (Act.SUPPRESSION_CHANGE,)),
    (("suppressions remove", "{addresses}"), (Act.SUPPRESSION_CHANGE,)),
    (("suppressions links", "{addresses}"), (Act.SUPPRESSION_CHANGE,)),
    (("newsletter send", "{text}", "--subject", "News"), (Act.NEWSLETTER_SEND,)),
    (("newsletter list",), (Act.NEWSLETTER_SEND,)),
    (("keys rotate",), (Act.KEY_ROTATE,)),
    (("officer create", "sam", "--role", "support"), (Act.OFFICER_CHANGE,)),
    (("officer list",), (Act.OFFICER_READ,)),
    (("officer roles", "sam", "--role", "auditor", "--role", "Privacy-Officer"), (Act.OFFICER_CHANGE,)),
    (("officer reset-factor", "sam"), (Act.OFFICER_CHANGE,)),
    (("officer disable", "sam"), (Act.OFFICER_CHANGE,)),
    (("officer actions", "--json"), (Act.ACTION_READ,)),
    (("aggregates agreement create", "acme", "--purpose", "reporting", "--dimension", "AGE_BAND"),
     (Act.AGREEMENT_CREATE,)),
    (("aggregates agreement list",), (Act.AGREEMENT_READ,)),
    (("aggregates agreement show", "{aggregate}"), (Act.AGREEMENT_READ,)),
    (("aggregates ask", "--by", "AGE_BAND"), (Act.AUDIENCE_READ,)),
    (("aggregates list",), (Act.DISCLOSURE_READ,)),
    (("aggregates budgets",), (Act.AUDIENCE_READ,)),
    (("aggregates agreement end", "{aggregate}"), (Act.AGREEMENT_STATUS,)),
    (("client list",), (Act.CLIENT_READ,)),
    (("agreement suspend", "{agreement}"), (Act.AGREEMENT_STATUS,)),
    (("agreement activate", "{agreement}"), (Act.AGREEMENT_STATUS,)),
    (("agreement end", "{agreement}"), (Act.AGREEMENT_STATUS,)),
)  # fmt: skip
"""Commands in an order in which they work, with the lines that each leaves."""

KEPT = {
    "agreement create": "agreement",
    "webhook create": "webhook",
    "aggregates agreement create": "aggregate",
}
"""Commands that print an id, and what later ones call it."""

ELSEWHERE = {
    **{
        f"transfer {name}": "tests/resolvers/officers/test_transfers.py: two officers have to run them"
        for name in ("open", "approve", "cancel", "show", "list")
    },
    **{
        f"case {name}": "tests/gateway/cli/test_cases.py: two officers have to run them"
        for name in ("open", "approve", "defer", "show", "list", "close", "disclose")
    },
    "requests fulfil": "tests/gateway/cli/test_archives.py",
    "contact-number": "tests/gateway/cli/test_archives.py",
    "import": "exits with 3 where a row was rejected: below",
    "deletions confirm": "tests/gateway/cli/test_deletions.py",
    "deletions show-statement": "tests/gateway/cli/test_deletions.py",
}


def _things(folder: Path) -> dict[str, str]:
    """Files that commands read."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig"}
    written = {
        "one": json.dumps({**jwk, "kid": "one", "alg": "EdDSA"}),
        "two": json.dumps({**jwk, "kid": "two", "alg": "EdDSA"}),
        "text": "A text.",
        "addresses": "ada@example.org\n",
        "members": "{}\n",
        "document": "{ viewer { audience } }",
    }
    for name, text in written.items():
        (folder / name).write_text(text)
    (folder / "members").rename(folder / "members.jsonl")
    # A policy with another digest, which decides alike.
    with as_file(files("policies").joinpath("shipped")) as shipped:
        shutil.copytree(shipped, folder / "policy")
    with (folder / "policy" / "sharing.cedar").open("a") as rules:
        rules.write("// another\n")
    return {name: str(folder / name) for name in (*written, "log", "members.jsonl", "policy")}


def test_every_command_leaves_its_line(office: Terminal, url: str, tmp_path: Path) -> None:
    names = {"request": asyncio.run(_member_and_request(url)), **_things(tmp_path)}
    expected: list[tuple[str, str, str]] = []
    for (command, *arguments), acts in SHIFT:
        out = office.done(*command.split(), *(argument.format(**names) for argument in arguments))
        if command in KEPT:
            names[KEPT[command]] = out.split()[0]
        expected += [("olga", "COMMAND_LINE", act.value) for act in acts]
    assert office.run("import", names["members.jsonl"]) == 3
    expected.append(("olga", "COMMAND_LINE", Act.MEMBER_IMPORT.value))
    assert asyncio.run(_lines(url)) == expected
    ran = {command for (command, *_), _ in SHIFT}
    assert set(commands()) == ran | WITHOUT_A_LINE.keys() | ELSEWHERE.keys()
