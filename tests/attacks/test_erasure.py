"""After an erasure, every column of every table of the whole database is searched for what it held of her.

The tables are not listed here: whatever hangs on `member` by foreign keys, and whatever in the vault names a
member, gets a row of hers whose every free value occurs nowhere else. So a new table is searched from its
first day on, and one that an erasure forgets is found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from gateway.app import Product
from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.upkeep import Upkeep
from policies.principal import MemberPrincipal
from resolvers.commands.erasure import close_account
from resolvers.commands.member_secrets import read_password_hash
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from schema.ids import new_id
from schema.tables import Table
from tests import world
from tests.asking import Asking

ADA: Final = world.person("ada").id
EMAIL: Final = "Canary.Address@example.org"
BORN: Final = date(1971, 3, 17)
SOON: Final = world.NOW + timedelta(days=400)

WORDS: Final[Mapping[tuple[str, str], Any]] = {
    ("member", "status"): "ACTIVE",
    ("member", "email"): EMAIL,
    ("member", "region"): "US-CA",
    ("member", "birth_date"): BORN,
    ("postal_address", "kind"): "SHIPPING",
    ("postal_address", "is_primary"): False,
    ("postal_address", "country"): "US",
    ("billing_method", "last_four"): "0000",
    ("billing_method", "expiry_month"): 12,
    ("cart", "status"): "OPEN",
    ("customer_order", "status"): "PAID",
    ("interaction", "kind"): "SURVEY",
    ("communication", "direction"): "FROM_MEMBER",
    ("choice", "topic"): "SHARING",
    ("choice", "direction"): "IN",
    ("choice", "source"): "PROFILE_PAGE",
    ("choice", "purpose"): None,
    ("choice", "basis"): None,
    ("choice", "categories"): ["user.name"],
    ("one_time_link", "kind"): "CONFIRM_EMAIL",
    ("outgoing_mail", "kind"): "CONFIRM_EMAIL",
    ("member_request", "kind"): "CONTACT",
    ("member_request", "status"): "OPEN",
    ("done_command", "caller"): str(ADA),
    ("session", "ended_at"): None,
    ("choice", "ends_at"): None,
}
"""What may not be any text: words of vocabularies, and what the rest of the program reads."""

DECIDED: Final = frozenset({"share", "pairwise_subject"})
"""Rows that the program has made of her; the pairwise ids in them are searched for as well."""

APART: Final[Mapping[str, str]] = {
    "attempt": "keyed digests and when they are empty; gone when they are",
    "disclosure": "a record outlives its member: it names her by a random id that stands nowhere else then",
    "disclosure_of": "where the records are that name her by that random id",
    "disclosure_part": "how far records have been gone through",
    "disclosure_writer": "processes",
    "disclosure_checkpoint": "digests",
    "revocation": "lines of hers are removed",
    "aggregate_agreement": "companies",
    "aggregate_answer": "who was given which counts",
    "aggregate_ledger": "what may still be told",
    "aggregate_release": "counts with noise on, which hide whether any one member is in them",
    "officer": "staff",
    "officer_session": "staff",
    "officer_action": "what officers did; a line names her by a random id that stands nowhere else then",
    "share_change": "pairwise ids, by which partners are told whom to delete",
    "persisted_document": "documents of clients",
    "import_job": "counts",
    "applied_policy": "a digest",
    "policy_version": "texts of the company",
    "notice_mailing": "counts, and how far the members' ids were gone through",
    "agreement_version": "companies",
    "newsletter": "what is sent to everybody",
    "notice": "what is announced to everybody",
    "partner": "companies",
    "agreement": "companies",
    "agreement_category": "reasons of companies",
    "legal_case": "authorities, and grounds of the law; whom it names goes with her",
    "legal_deferral": "orders of authorities",
    "business_transfer": "companies",
    "statement_key": "public keys of companies",
    "deletion_statement": "the partner's word, as it signed it, on pairwise ids that only it knew",
    "partner_client": "companies",
    "webhook_endpoint": "addresses of companies",
    "webhook_message": "pairwise ids, by which partners are told whom to delete; gone after a month",
    "refused_address": "addresses, of members or not; hers goes with her",
    "suppression_key": "that a company has a key",
    "suppression_watch": "what companies brought, under keys of theirs",
    "suppression_use": "counts",
    "quota": "counts of companies",
    "client_key": "companies",
    "used_jti": "digests of what companies' programs sent; gone in minutes",
}
"""Tables that do not hang on a member, and what they keep. A new one is added after thought."""

VAULT_APART: Final = frozenset({"vault.client_secret", "vault.officer_credential", "vault.officer_recovery"})
"""Of the vault, what is companies' or the staff's and no member's."""

REMAINS: Final[Mapping[tuple[str, str], str]] = {
    ("public.share_change", "subject"): "the feed names the withdrawn by the id that the partner knows",
    ("public.deletion", "id"): "the row stays until the partner has deleted; its id is of no member",
    ("public.deletion", "subject"): "what partners have to delete is named in the same way",
    ("public.suppression", "digest"): "what she refused stays refused; only the partner can compare it",
}
"""Where something of hers may be found afterwards: a name that means something to one partner only."""


@dataclass
class Planted:
    """What is searched for: a value, and the column that it was planted in."""

    places: dict[str, str] = field(default_factory=dict)

    def text(self, place: str) -> str:
        """A text that occurs nowhere else."""
        canary = f"zq{len(self.places)}x{new_id().hex[-10:]}canary"
        self.places[canary] = place
        return canary

    def add(self, value: object, place: str) -> None:
        self.places[str(value).lower()] = place


@pytest.fixture
async def owner(own_world: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(own_world.url)
    yield connection
    await connection.close()


async def columns(owner: Any) -> dict[str, list[tuple[str, str]]]:
    """Every column of every table, with its type."""
    rows = await owner.fetch(
        "SELECT c.table_schema || '.' || c.table_name AS name, c.column_name, c.udt_name, c.is_identity"
        " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE t.table_type = 'BASE TABLE'"
        " AND c.table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY c.ordinal_position"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        listed = found.setdefault(row["name"], [])
        if row["is_identity"] == "NO":  # the others are numbers that the database gives
            listed.append((row["column_name"], row["udt_name"]))
    return found


async def references(owner: Any) -> dict[str, dict[str, str]]:
    """Of each table, the columns that refer to another table, and which."""
    rows = await owner.fetch(
        "SELECT c.conrelid::regclass::text AS name, a.attname, c.confrelid::regclass::text AS target"
        " FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f'"
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["name"], {})[row["attname"]] = row["target"]
    return found


def hanging(refers: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The tables whose rows belong to a member, each after those that it refers to."""
    order = ["member"]
    waiting = set(refers)
    while ready := sorted(
        name
        for name in waiting
        if set(refers[name].values()) & set(order)
        and not any(
            target in waiting - {name} and reaches(refers, target) for target in refers[name].values()
        )
    ):
        order += ready
        waiting -= set(ready)
    return order[1:]


def reaches(refers: Mapping[str, Mapping[str, str]], table: str) -> bool:
    """Whether rows of the table hang on a member, at whatever distance."""
    targets = set(refers.get(table, {}).values()) - {table}
    return table == "member" or any(reaches(refers, target) for target in targets)


async def plant(owner: Any) -> tuple[Planted, dict[str, UUID]]:
    """A row of hers in every table, and what stands apart. Returns what to search for."""
    planted, all_columns, refers = Planted(), await columns(owner), await references(owner)
    made: dict[str, UUID] = {"member": ADA}
    own = [name for name in hanging(refers) if name not in DECIDED]
    texts = {name: kind for name, kind in all_columns["public.member"] if kind in {"text", "_text", "date"}}
    values = {name: value_of(planted, "member", name, kind) for name, kind in texts.items()}
    places = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=2))
    await owner.execute(f"UPDATE member SET {places} WHERE id = $1", ADA, *values.values())
    planted.add(EMAIL, "member.email")
    planted.add(BORN, "member.birth_date")
    planted.add(ADA, "member.id")
    vault = [name for name in all_columns if name.startswith("vault.") and name not in VAULT_APART]
    await owner.execute(
        "INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at, expires_at)"
        " SELECT id, id, 'R', 'G', 'olga', now(), now() + interval '9 days' FROM agreement LIMIT 1"
    )
    for name in (*own, *vault):
        full = name if "." in name else f"public.{name}"
        row: dict[str, Any] = {}
        for column, kind in all_columns[full]:
            target = refers.get(name, {}).get(column)
            if target is not None:
                # The first column of each table is its key.
                row[column] = made.get(target) or await owner.fetchval(f"SELECT * FROM {target} LIMIT 1")
            else:
                row[column] = value_of(planted, name, column, kind)
        if isinstance(row.get("id"), UUID):
            made[name] = row["id"]
        await insert(owner, full, row)
    for row in await owner.fetch("SELECT subject FROM pairwise_subject WHERE member_id = $1", ADA):
        planted.add(row["subject"], "pairwise_subject.subject")
    await plant_apart(owner, planted)
    return planted, made


async def plant_apart(owner: Any, planted: Planted) -> None:
    """What nobody finds by her id: what came from her address, what went there, who claims it."""
    visitor = {"subject": planted.text("visitor's subject"), "body": planted.text("visitor's body")}
    times = {"opened_at": world.NOW, "due_at": SOON}
    asked = {"kind": "CONTACT", "status": "OPEN", "reply_to": EMAIL.upper(), "id": new_id()}
    await insert(owner, "member_request", {**asked, **visitor, **times})
    mail = {"kind": "ALREADY_REGISTERED", "recipient": EMAIL.lower(), "attempts": 0, "id": new_id()}
    await insert(owner, "outgoing_mail", {**mail, "created_at": world.NOW, "due_at": SOON})
    asked = {"id": new_id(), "address": EMAIL.lower(), "refused_at": SOON, "received_at": SOON}
    await insert(owner, "refused_address", {**asked, "source": "OFFICER"})
    planted.add(asked["id"], "refused_address.id")
    claim = {
        "id": new_id(), "number": planted.text("claim's number"), "status": "PENDING", "email": EMAIL.lower(),
        "given_name": planted.text("claim's name"), "family_name": "x", "interests": [],
        "purchase_categories": [], "joined_at": world.NOW, "updated_at": world.NOW, "version": 1,
    }  # fmt: skip
    await insert(owner, "member", claim)
    planted.add(claim["id"], "claim's id")
    link = {"id": new_id(), "member_id": claim["id"], "kind": "CONFIRM_REGISTRATION"}
    await insert(owner, "one_time_link", {**link, "created_at": world.NOW, "expires_at": SOON})
    secret = {"member_id": claim["id"], "password_hash": planted.text("claim's hash")}
    await insert(owner, "vault.credential", {**secret, "changed_at": world.NOW})


async def insert(owner: Any, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await owner.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


def value_of(planted: Planted, table: str, column: str, kind: str) -> Any:  # noqa: C901, PLR0911 - a table
    """A value for this column: a canary wherever the type and the vocabulary let one be."""
    if (table, column) in WORDS:
        return WORDS[table, column]
    place = f"{table}.{column}"
    match kind:
        case "text" | "varchar":
            return planted.text(place)
        case "_text":
            return [planted.text(place)]
        case "bytea":
            return planted.text(place).encode()
        case "json" | "jsonb":
            return f'{{"value": "{planted.text(place)}"}}'
        case "uuid":
            if column == "member_id":
                return ADA
            new = new_id()
            planted.add(new, place)
            return new
        case "timestamptz":
            return SOON
        case "date":
            return BORN
        case "bool":
            return True
        case "int2" | "int4" | "int8" | "numeric":
            return 1
        case _:
            pytest.fail(f"{place} is of type {kind}: say what to plant there")


async def search(owner: Any, planted: Planted) -> dict[str, set[tuple[str, str]]]:
    """Where in the whole database each value is found: as it stands, as hex, as bytes."""
    found: dict[str, set[tuple[str, str]]] = {}
    for table, listed in (await columns(owner)).items():
        for column, kind in listed:
            shown = f'"{column}"' if kind == "bytea" else f'"{column}"::text'
            values = await owner.fetch(f'SELECT {shown} FROM {table} WHERE "{column}" IS NOT NULL')
            text = "\n".join(as_text(row[0]) for row in values).lower()
            for value in planted.places:
                if any(spelling in text for spelling in spellings(value)):
                    found.setdefault(value, set()).add((table, column))
    return found


def as_text(value: Any) -> str:
    return f"{value.hex()} {value.decode('latin-1')}" if isinstance(value, bytes) else str(value)


def spellings(value: str) -> Iterator[str]:
    yield value
    yield value.encode().hex()
    if value.count("-") == 4:
        yield value.replace("-", "")


async def held(connection: Any) -> str | None:
    return await read_password_hash(connection, ADA)


async def leave(database: Database, product: Product, means: Means) -> None:
    """She closes the account, and time passes until upkeep erases her."""
    async with database.transaction() as connection:
        asks = MemberPrincipal(ADA, "web", "t")
        due_at = await close_account(
            Work(connection, product.matrix, asks, world.NOW, means, Exchange()), await held(connection)
        )
    await Upkeep(database, PolicyInForce(product.matrix), lambda: due_at).round()


async def rows_of_hers(owner: Any) -> dict[str, int]:
    """Of each table that hangs on a member, how many rows are hers."""
    refers = await references(owner)
    hers: dict[str, str] = {"member": f"SELECT id FROM member WHERE id = '{ADA}'"}
    counts = {}
    for name in hanging(refers):
        parent = next((column for column, target in refers[name].items() if target == "member"), None)
        parent = parent or next(column for column, target in refers[name].items() if target in hers)
        where = f"{parent} IN ({hers[refers[name][parent]]})"
        hers[name] = f"SELECT id FROM {name} WHERE {where}"
        counts[name] = await owner.fetchval(f"SELECT count(*) FROM {name} WHERE {where}")
    for name in (name for name in await columns(owner) if name.startswith("vault.")):
        if name in VAULT_APART:
            continue
        counts[name] = await owner.fetchval(f"SELECT count(*) FROM {name} WHERE member_id = $1", ADA)
    return counts


@pytest.mark.clause("C12", "C10", "C14")
async def test_nothing_of_an_erased_member_is_found_in_the_whole_database(
    own_world: Database, owner: Any, product: Product, means: Means, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    planted, _ = await plant(owner)
    counts = await rows_of_hers(owner)
    assert all(counts.values()), "she has something in every table"
    before = await search(owner, planted)
    assert set(before) == set(planted.places), "what was planted can be found"
    feed = ("pairwise_subject.subject", "deletion.subject", "deletion.id", "suppression.digest")
    told = {value for value, place in planted.places.items() if place in feed}

    await leave(own_world, product, means)

    last = await owner.fetch("SELECT id, member_id, recipient, kind FROM outgoing_mail")
    assert [tuple(row)[1:] for row in last] == [(None, EMAIL, "ERASURE_DONE")]
    await owner.execute("DELETE FROM outgoing_mail WHERE id = $1", last[0]["id"])  # as when it is sent
    found = await search(owner, planted)
    assert {value: places - set(REMAINS) for value, places in found.items() if places - set(REMAINS)} == {}
    assert set(found) <= told, "of the feeds, pairwise ids and digests, and nothing else"
    assert not any(value in caplog.text.lower() for value in planted.places)


@pytest.mark.clause("C5")
async def test_the_disclosures_stay_as_they_are_and_nothing_tells_any_more_whose_they_were(
    own_world: Database, owner: Any, product: Product, means: Means
) -> None:
    query = "SELECT * FROM disclosure ORDER BY id"
    before = await owner.fetch(query)
    log_id = world.person("ada").log_id
    assert any(log_id in row["members"] for row in before)
    await leave(own_world, product, means)
    assert await owner.fetch(query) == before
    assert log_id.version == 4, "it tells no date"
    assert await owner.fetchval("SELECT count(*) FROM member WHERE log_id = $1", log_id) == 0


async def test_nobody_else_is_touched(
    own_world: Database, owner: Any, product: Product, means: Means
) -> None:
    async def others() -> dict[str, list[str]]:
        refers = await references(owner)
        return {
            name: sorted(
                row[0]
                for row in await owner.fetch(f"SELECT t::text FROM {name} t WHERE member_id <> $1", ADA)
            )
            for name in hanging(refers)
            if "member_id" in refers[name]
        } | {"member": [row[0] for row in await owner.fetch(MEMBERS, ADA)]}

    before = await others()
    await leave(own_world, product, means)
    assert await others() == before


MEMBERS: Final = "SELECT t::text FROM member t WHERE id <> $1 ORDER BY id"


async def test_every_table_hangs_on_a_member_or_says_what_it_keeps(owner: Any) -> None:
    own = {"member", *hanging(await references(owner))}
    assert own | set(APART) == {table.name for table in Table.metadata.tables.values()}
    assert not own & set(APART)
    for name, listed in (await columns(owner)).items():
        if name.startswith("vault.") and name not in VAULT_APART:
            assert "member_id" in {column for column, _ in listed}, "or nobody could remove it"


@pytest.mark.clause("C8")
@pytest.mark.parametrize("client", ["acme", "bolt"])
async def test_for_partners_the_erased_never_were_but_in_the_feed(
    asking_alone: Asking, owner: Any, product: Product, means: Means, client: str
) -> None:
    subject = world.subject(client, "ada")
    last = await owner.fetchval("SELECT max(seq) FROM share_change")
    await leave(asking_alone.database, product, means)
    principal = world.partner(client).principal
    page = await asking_alone.ask(principal, "{ members(first: 100) { totalCount edges { node { id } } } }")
    assert str(subject).encode() not in page.body
    document = "query($id: ID!) { member(id: $id) { id } }"
    gone = await asking_alone.ask(principal, document, {"id": str(subject)})
    assert gone.body == (await asking_alone.ask(principal, document, {"id": str(new_id())})).body
    told: Sequence[Any] = await owner.fetch(
        "SELECT mask FROM share_change WHERE subject = $1 AND agreement_id = $2 AND seq > $3",
        subject,
        world.AGREEMENTS[client].id,
        last,
    )
    assert [row["mask"] > 0 for row in told] == [True, True], "withdrawn when she left, and erased"
