"""Twin worlds: two databases equal but for what the vault holds, each behind a gateway of its own.

One is seeded and cloned; then the vaults of both are emptied and filled anew in the same way, each from a
secret value of its own: other telephone numbers, other password hashes, other billing tokens. Keys, clock
and settings are the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.app import Product, compose
from gateway.database import Database, open_pools
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.operations import digest_of
from gateway.seeding import seed
from gateway.seeding.run import _draw
from gateway.serving import listen, served
from gateway.settings import Settings
from resolvers.commands.clients import create_client, revoke_client
from resolvers.commands.member_secrets import MemberSecrets, write_secrets
from resolvers.commands.partners import create_agreement, create_partner, set_agreement_status
from resolvers.demonstration import ask_partner_to_share
from resolvers.persisted_documents import save_document
from resolvers.sealing import PhoneSealer
from schema.categories import SHAREABLE, Basis, Purpose
from schema.vocabulary import AgreementStatus
from tests.canaries import WATCH
from tests.conftest import MakeDatabase
from tests.databases import TestServer

NOW: Final = datetime(2025, 6, 1, 12, tzinfo=UTC)
"""The clock of both gateways. Tokens are checked against the real one."""

DAY: Final = 86_400
MEMBERS: Final = 150
SEED_VALUE: Final = 77
SECRET_VALUES: Final = (1_001, 2_002)

WIDE: Final = tuple(sorted(category.value for category in SHAREABLE))
PROFILE: Final = (
    "user.location.imprecise",
    "user.demographic.age_range",
    "user.demographic.profile",
    "user.contact.email",
)
TERMS: Final[Mapping[str, tuple[Basis, Purpose, tuple[str, ...]]]] = {
    "alder": (Basis.STRATEGIC, Purpose.JOINT_SERVICE, WIDE),
    "birch": (Basis.MARKETING, Purpose.PARTNER_OFFERS, PROFILE),
    "cedar": (Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED, ("user.name", "user.contact")),
    "daphne": (Basis.INSOLVENCY, Purpose.BUSINESS_TRANSFER, WIDE),
    "elder": (Basis.STRATEGIC, Purpose.JOINT_SERVICE, WIDE),
}
"""Partner: basis, purpose and categories of its one agreement. The last one's is suspended."""

SUSPENDED: Final = "elder"

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "all": WIDE,
    "contact": ("user.contact", "user.contact.phone_number", "user.authorization.password"),
    "profile": PROFILE,
    "none": (),
}
DOCUMENTS: Final[Mapping[str, str]] = {
    "mine": "{ me { number phones { totalCount edges { node { id label addedAt } } } } }",
    "page": "query($n: Int) { members(first: $n) { totalCount edges { cursor node { id } } } }",
    "who": "{ viewer { audience scopes } }",
}


@dataclass(frozen=True, slots=True)
class World:
    """One of the twins: its database and where its gateway listens."""

    database: Database
    base_url: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Both, and who may call them. The same tokens work on both."""

    left: World
    right: World
    tokens: Mapping[str, str | None]
    agreements: Sequence[UUID]
    members: Sequence[UUID]
    settings: Settings = field(repr=False)


@asynccontextmanager
async def twin_worlds(
    test_server: TestServer,
    template: str,
    make_database: MakeDatabase,
    settings: Settings,
    keys: Keyring,
    product: Product,
) -> AsyncIterator[Twins]:
    """Two worlds, as long as the context is open."""
    settings = settings.model_copy(
        update={"request_timeout": 60.0, "statement_timeout": 60.0, "disclosure_timeout": 50.0}
    )
    sealer = PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(test_server.database_url(template))
        async with open_pools(url, settings, keys) as database:
            partners = await _populate(database, product, sealer)
            agreements = [
                row["id"] for row in await database.app.fetch("SELECT id FROM agreement ORDER BY id")
            ]
            members = [row["id"] for row in await database.app.fetch("SELECT id FROM member ORDER BY id")]
        worlds = []
        for secret_value in SECRET_VALUES:
            twin = await stack.enter_async_context(
                make_database(template=url.partition("?")[0].rpartition("/")[2], settings=settings)
            )
            await _refill_vault(twin, sealer, secret_value, partners)
            gateway = await stack.enter_async_context(compose(settings, keys, twin, product, lambda: NOW))
            base_url = await stack.enter_async_context(served(gateway.app, listen("127.0.0.1", 0)))
            worlds.append(World(twin, base_url))
        tokens = await _tokens(worlds[0].database, settings, keys)
        yield Twins(worlds[0], worlds[1], tokens, agreements, members, settings)


async def _populate(database: Database, product: Product, sealer: PhoneSealer) -> list[UUID]:
    """The partners with their agreements and clients, and the members. Gives the partners' ids."""
    partners = {}
    for name, (basis, purpose, categories) in TERMS.items():
        async with database.transaction() as link:
            partners[name] = await create_partner(link, name=name, display_name=name.title(), now=NOW)
            agreement_id, _ = await create_agreement(
                link,
                product.matrix,
                partner=name,
                basis=Basis.STRATEGIC,
                purpose=Purpose.JOINT_SERVICE,
                categories=categories,
                valid_from=NOW - timedelta(days=400),
                valid_until=None,
                status=AgreementStatus.ACTIVE,
                now=NOW,
                reasons=dict.fromkeys(categories, "the widest rights there can be"),
                officer="Olga",
            )
            # Insolvency is opened for a case, not by a command: here it stands for the widest rights.
            terms = "UPDATE agreement SET basis = $2, purpose = $3 WHERE id = $1"
            await link.execute(terms, agreement_id, basis.value, purpose.value)
            for client in (name, f"{name}-old"):
                await create_client(link, client_id=client, agreement_id=agreement_id, now=NOW)
            await revoke_client(link, client_id=f"{name}-old", now=NOW)
    ids = list(partners.values())
    async with database.app.acquire() as connection:
        await seed(
            connection,
            MEMBERS,
            SEED_VALUE,
            now=NOW,
            sealer=sealer,
            secret_value=SECRET_VALUES[0],
            matrix=product.matrix,
            partners=ids,
        )
    async with database.transaction() as link:
        await ask_partner_to_share(link, product.matrix, partners["cedar"], now=NOW)
        for client_id in (*TERMS, "web", "visitor"):
            for document_id, body in DOCUMENTS.items():
                await save_document(
                    link,
                    client_id=client_id,
                    document_id=document_id,
                    sha256=digest_of(body),
                    body=body,
                    now=NOW,
                )
        await set_agreement_status(
            link, product.matrix, agreement_id=agreement_id, status=AgreementStatus.SUSPENDED, now=NOW
        )
    return ids


async def _refill_vault(
    database: Database, sealer: PhoneSealer, secret_value: int, partners: Sequence[UUID]
) -> None:
    """Empty the vault and fill it with the secrets of `secret_value`, for the same phones and members."""
    owner = await asyncpg.connect(database.url)
    try:
        await owner.execute("TRUNCATE vault.sealed_phone, vault.credential, vault.billing_token")
    finally:
        await owner.close()
    _, drawn = _draw(range(MEMBERS), SEED_VALUE, secret_value, NOW, sealer, partners)
    tokens = [
        (method, member, f"tok_{secret_value:08d}{token[12:]}") for method, member, token in drawn.tokens
    ]
    async with database.transaction() as link:
        secrets = MemberSecrets(phones=drawn.phones, passwords=drawn.passwords, tokens=tokens)
        await write_secrets(link, secrets, key_id=sealer.key_id, now=NOW)
    for _, _, token in tokens:
        WATCH.detector.add_secret(token)


async def _tokens(database: Database, settings: Settings, keys: Keyring) -> dict[str, str | None]:
    """A token for every kind of caller, good and bad, by a name that says which."""

    def made(kind: SubjectKind, subject: str, client: str, **options: Any) -> str:
        return mint(
            settings, keys, kind=kind, subject=subject, client_id=client, lifetime=DAY, **options
        ).token

    tokens: dict[str, str | None] = {"visitor": None}
    for label, member_id in (await _some_members(database)).items():
        tokens[f"member {label}"] = made(SubjectKind.MEMBER, str(member_id), "web")
    for name in TERMS:
        for scope, keys_of_scope in SCOPES.items():
            tokens[f"partner {name} {scope}"] = made(SubjectKind.PARTNER, name, name, scopes=keys_of_scope)
    tokens["revoked client"] = made(SubjectKind.PARTNER, "alder-old", "alder-old", scopes=WIDE)
    tokens["unknown client"] = made(SubjectKind.PARTNER, "nobody", "nobody", scopes=WIDE)
    tokens["unknown member"] = made(SubjectKind.MEMBER, str(UUID(int=7)), "web")
    tokens["expired"] = made(SubjectKind.PARTNER, "alder", "alder", scopes=WIDE, now=NOW.timestamp() - 9e6)
    good = made(SubjectKind.PARTNER, "alder", "alder", scopes=WIDE)
    tokens["cut"] = good[:-4]
    tokens["no token"] = "+14155550132"
    return tokens


async def _some_members(database: Database) -> dict[str, UUID]:
    """Members who differ in what is stored of them and shared."""
    queries = {
        "shared most": "SELECT member_id FROM share GROUP BY 1 ORDER BY sum(mask) DESC, 1 LIMIT 1",
        "with phones": "SELECT member_id FROM phone GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        "without share": (
            "SELECT id FROM member WHERE status = 'ACTIVE'"
            " AND NOT EXISTS (SELECT FROM share WHERE member_id = member.id) ORDER BY id LIMIT 1"
        ),
        "invited": "SELECT id FROM member WHERE status = 'INVITED' ORDER BY id LIMIT 1",
        "busy": "SELECT member_id FROM customer_order GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
        "first": "SELECT id FROM member ORDER BY id LIMIT 1",
    }
    found = {label: await database.app.fetchval(query) for label, query in queries.items()}
    return {label: member_id for label, member_id in found.items() if member_id is not None}
