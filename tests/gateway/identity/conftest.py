from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.database import Database
from gateway.identity.principals import Authenticator, open_authenticator
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.policy_source import load_shipped_directory
from gateway.settings import Settings
from policies.matrix import Matrix, compile_matrix
from resolvers.commands.clients import create_client
from resolvers.commands.partners import create_agreement, create_partner
from schema.categories import Basis, Purpose
from schema.ids import new_id
from schema.vocabulary import AgreementStatus

CLIENT = "acme-api"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Polls every 2.5 seconds only, so that what is quicker was announced."""
    return Settings(data_dir=tmp_path_factory.mktemp("data"), revocation_staleness=5)


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    return compile_matrix(load_shipped_directory().source)


@dataclass(frozen=True)
class World:
    """One member, and one partner with an agreement on names and a client."""

    database: Database
    settings: Settings
    keys: Keyring
    matrix: Matrix
    member_id: UUID
    agreement_id: UUID

    def bearer(self, kind: SubjectKind = SubjectKind.MEMBER, **changes: object) -> str:
        subject = str(self.member_id) if kind is SubjectKind.MEMBER else CLIENT
        client = "web" if kind is SubjectKind.MEMBER else CLIENT
        arguments = {"subject": subject, "client_id": client, "scopes": ["user.name"], **changes}
        return f"Bearer {mint(self.settings, self.keys, kind=kind, **arguments).token}"  # type: ignore[arg-type]

    async def until(self, moment: datetime) -> None:
        """Let the agreement end at `moment`, behind the back of every cache."""
        async with self.database.transaction() as connection:
            await connection.execute(
                "UPDATE agreement SET valid_until = $2 WHERE id = $1", self.agreement_id, moment
            )


@pytest.fixture
async def world(database: Database, settings: Settings, keys: Keyring, matrix: Matrix) -> World:
    now = datetime.now(UTC)
    member_id = new_id()
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO member (id, number, status, given_name, family_name, email, interests,"
            " purchase_categories, joined_at, updated_at, version)"
            " VALUES ($1, 'M-1', 'ACTIVE', 'Ada', 'Example', 'ada@example.org', '{}', '{}', $2, $2, 1)",
            member_id,
            now,
        )
        await create_partner(connection, name="acme", display_name="Acme", now=now)
        agreement_id, _ = await create_agreement(
            connection,
            matrix,
            partner="acme",
            basis=Basis.STRATEGIC,
            purpose=Purpose.PARTNER_OFFERS,
            categories=["user.name", "user.contact.email"],
            valid_from=now - timedelta(days=1),
            valid_until=None,
            status=AgreementStatus.ACTIVE,
            now=now,
            reasons={"user.name": "to address", "user.contact.email": "to write"},
            officer="Olga",
        )
        await create_client(connection, client_id=CLIENT, agreement_id=agreement_id, now=now)
    return World(database, settings, keys, matrix, member_id, agreement_id)


@pytest.fixture
async def authenticator(world: World) -> AsyncIterator[Authenticator]:
    async with open_authenticator(world.settings, world.keys, world.database) as opened:
        yield opened
