from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import pytest
from graphql import OperationDefinitionNode, parse, validate
from typer.main import get_command

from gateway.app import Product, load_product
from gateway.cli.main import app
from gateway.contracts import Contract
from gateway.demo import PARTNERS, DemoPartner
from gateway.disclosure_lines import read_record
from gateway.officers_contract import officers_contracts
from gateway.planner import shape_of
from gateway.settings import Settings
from gateway.variables import coerce_variables
from policies.agreement import parse_categories
from policies.disclosure_chain import beginning, digest
from policies.officers import Channel, Officer, Role
from policies.principal import (
    Entrance,
    MemberPrincipal,
    OfficerPrincipal,
    PartnerPrincipal,
    Principal,
    RecipientPrincipal,
    Visitor,
)
from resolvers.binding import SlotValues
from resolvers.projection import project
from resolvers.selection import select
from resolvers.statement import Plan, build
from schema.categories import DataCategory, categories_of, expand, mask_of
from schema.tables import Disclosure
from schema.vocabulary import DIMENSION_CATEGORIES

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
PAGES: Final = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
NOBODY: Final = UUID(int=0)

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`(?P<code>[^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE_LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(?P<command>(?:gateway|make)(?: .*)?)$")


class Block(NamedTuple):
    page: str
    info: str
    body: str


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(name_of(page), m["info"].strip(), m["body"]) for m in _FENCE.finditer(text)]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command line in the code of a page."""
    spans = (" ".join(m["code"].split()) for m in _SPAN.finditer(prose(page)))
    lines = (line.strip() for block in blocks(page) for line in block.body.splitlines())
    for code in (*spans, *lines):
        found = _CODE_LINE.match(code)
        if found:
            yield found["command"].split()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names that lead to each command that does something."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, child in command.commands.items():
        yield from leaves(child, (*path, name))


PROGRAM: Final = frozenset(leaves(get_command(app)))


def unknown_command(words: list[str]) -> bool:
    """Whether `gateway ...` names something that is not in the program. A group alone is named rightly."""
    for alternative in words[1].split("|") if len(words) > 1 else ():
        if not re.fullmatch(r"[a-z][a-z-]*", alternative):
            continue
        below = {path[1:] for path in PROGRAM if path[0] == alternative}
        below |= {path[:1] for path in below if path}
        if not below:
            return True
        named = re.fullmatch(r"[a-z][a-z-]*", words[2]) if len(words) > 2 else None
        if () not in below and named and (words[2],) not in below:
            return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for match in _LINK.finditer(prose(page)):
        path, _, anchor = match["target"].partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(match["target"])
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for words in commands(page):
        if words[0] == "gateway" and unknown_command(words):
            wrong.append(" ".join(words))
        if words[0] == "make" and any(word not in targets for word in words[1:] if "=" not in word):
            wrong.append(" ".join(words))
    assert not wrong


def test_an_invented_command_would_be_found() -> None:
    assert unknown_command(["gateway", "invent"])
    assert unknown_command(["gateway", "policy", "invent"])
    assert not unknown_command(["gateway", "policy"])
    assert not unknown_command(["gateway", "partner", "create", "acme"])


def test_every_command_is_described() -> None:
    page = ROOT / "docs" / "cli.md"
    described = {tuple(words[1:end]) for words in commands(page) for end in (2, 3, 4)}
    assert not [" ".join(path) for path in PROGRAM if path not in described]


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [README]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = (match["target"].partition("#")[0] for match in _LINK.finditer(prose(page)))
        waiting += [(page.parent / target).resolve() for target in targets if target and "://" not in target]
    assert not [name_of(page) for page in PAGES if page not in seen]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"`((?:gateway|resolvers|policies|schema|tests|docs)/[\w./-]*)`", prose(page))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_invariant_is_listed_where_it_stands() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z][a-z, -]+) \| (`[^|]+) \|$", page, re.MULTILINE))
    listed = {
        (name, place)
        for names, places in rows.items()
        for name in names.split(", ")
        for place in places.split(", ")
    }
    wanted = {
        (name, f"`{name_of(module)}`")
        for package in ("schema", "policies", "resolvers", "gateway")
        for module in (ROOT / package).rglob("*.py")
        for name in re.findall(r"INVARIANT \(([a-z-]+)\):", module.read_text(encoding="utf-8"))
    }
    assert sorted(wanted - listed) == []
    assert not {name for name, _ in listed} - {name for name, _ in wanted}


@cache
def product() -> Product:
    return load_product(Settings())


def principal_of(partner: DemoPartner) -> PartnerPrincipal:
    return PartnerPrincipal(
        partner_id=NOBODY,
        agreement_id=NOBODY,
        agreement_version=1,
        client_id=partner.client_id,
        token_id="",
        basis=partner.basis,
        purpose=partner.purpose,
        mask=mask_of(expand(parse_categories(partner.categories))),
    )


def contract_named(info: str) -> Contract:
    """The contract of `graphql visitor`, `member`, `partner` or `partner:NAME` (of the demonstration)."""
    caller, _, name = info.removeprefix("graphql ").partition(":")
    partners = {partner.name: partner for partner in PARTNERS}
    principal: Principal
    match caller:
        case "visitor":
            principal = Visitor()
        case "member":
            principal = MemberPrincipal(NOBODY, "", "")
        case "partner":
            principal = principal_of(partners[name] if name else PARTNERS[0])
        case "recipient":
            every = mask_of(DIMENSION_CATEGORIES.values())
            principal = RecipientPrincipal(NOBODY, NOBODY, 1, "", "", every)
        case "entrance" | "officer":
            return contract_of_officers(name)
        case _:
            raise AssertionError(f"the block has to say whose contract it is for: {info}")
    return product().contracts.of(principal)


def contract_of_officers(role: str) -> Contract:
    """The contract of an officer in a role, or of whoever has not signed in."""
    _, contracts = officers_contracts(product().contracts.policy)
    if not role:
        return contracts.of(Entrance())
    officer = Officer("", frozenset({Role(role.upper().replace("-", "_"))}), Channel.CONTRACT)
    return contracts.of(OfficerPrincipal(officer, NOBODY, NOBODY, "", ""))


GRAPHQL: Final = [block for page in PAGES for block in blocks(page) if block.info.startswith("graphql")]


@pytest.mark.parametrize("block", GRAPHQL, ids=lambda b: f"{b.page}:{b.body.split()[1]}")
def test_examples_are_valid_for_their_caller(block: Block) -> None:
    errors = validate(contract_named(block.info).schema, parse(block.body))
    assert not [error.message for error in errors]


def readme_block(info: str, start: str) -> str:
    (found,) = (b.body for b in blocks(README) if b.info == info and b.body.startswith(start))
    return found


@cache
def worked_request() -> Plan:
    source = readme_block("graphql partner", "query MembersInNewJersey")
    contract = contract_named("graphql partner")
    document = parse(source)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    variables = coerce_variables(contract.schema, operation, {})
    selection = select(contract.schema, document, operation, variables)
    shapes = tuple(shape_of(SlotValues(slot.arguments(variables))) for slot in selection.slots)
    return build(product().catalogue, project(product().catalogue, selection.roots[0]), shapes)


def squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")").strip()


@pytest.mark.clause("C8")
def test_the_statement_in_the_readme_is_the_one_that_runs() -> None:
    statement = worked_request().rows
    assert statement is not None
    assert squeezed(readme_block("sql", "SELECT")) == squeezed(statement.sql)


@pytest.mark.clause("R2")
def test_the_record_in_the_readme_is_a_record_of_that_request() -> None:
    record: dict[str, Any] = json.loads(readme_block("json", '{"id"'))
    assert list(record) == list(Disclosure.__table__.columns.keys())  # type: ignore[attr-defined]
    plan = worked_request()
    read = {*categories_of(plan.projection.mask | plan.narrowed), DataCategory.PSEUDONYM}
    assert record["categories"] == sorted(category.value for category in read)
    assert record["basis"] == PARTNERS[0].basis.value
    assert record["purpose"] == PARTNERS[0].purpose.value
    source = readme_block("graphql partner", "query MembersInNewJersey")
    assert record["operation_hash"] == sha256(f"{source.strip()}\n".encode()).hexdigest()
    started = re.search(r"who started at `([^`]+)`", README.read_text())
    assert started
    found = read_record({"record": record})
    before = beginning(found.record.writer, datetime.fromisoformat(started[1]))
    assert digest(found.record, before) == found.digest


def licence_of(package: str) -> str:
    fields = metadata(package).json
    expression = fields.get("license_expression") or fields.get("license") or ""
    return str(expression).removesuffix(" License")


def test_every_dependency_is_justified_with_its_licence() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["project"]["dependencies"]
    page = (ROOT / "docs" / "decisions" / "0013-dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", page, re.MULTILINE))
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in listed}
    assert names == set(rows)
    assert not [name for name in sorted(names) if licence_of(name) not in rows[name]]
