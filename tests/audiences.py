"""Audiences to count: members made in one statement, and recipients who ask about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from gateway.database import Database
from policies.audience import AudienceRules, Question, ask
from policies.principal import RecipientPrincipal
from policies.privacy_budget import Thousandths, period_of
from resolvers.commands.audience import Answered, ask_audience, recipient
from resolvers.connection import Link
from schema.categories import mask_of
from schema.ids import new_id
from schema.vocabulary import DIMENSION_CATEGORIES, AudienceDimension

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEXT_MONTH: Final = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)

RULES: Final = AudienceRules(
    regions=("US", "US-CA", "US-NY", "DE"),
    interests=("chess", "go", "opera", "yoga"),
    interests_counted=2,
    everyone_budget=Thousandths(3_000),
    internal_budget=Thousandths(500),
)

VOCABULARY: Final = RULES.vocabulary(period_of(NOW))

CROWD: Final = (
    "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, region, interests,"
    " purchase_categories, joined_at, updated_at, version)"
    " SELECT gen_random_uuid(), 'C-' || n, 'ACTIVE', 'A', 'B', 'c' || n || '@example.com',"
    " date '2008-01-01' - (n % 60) * 365, (ARRAY['US-CA', 'US-NY', 'US-TX', 'DE-BY', 'FR', NULL])[n % 6 + 1],"
    " (ARRAY['chess', 'go', 'opera', 'yoga', 'sailing'])[1 : n % 6], '{}',"
    " timestamptz '2024-06-15' + (n % 29) * interval '30 days', now(), 1 FROM generate_series(1, $1) AS n"
)
"""Ages 18 to 78, six regions, none to five interests, 29 months: all combinations about alike."""


async def insert_member(connection: Link, **columns: object) -> UUID:
    """One member who counts, but for what `columns` say."""
    member_id = new_id()
    row: dict[str, object] = {
        "id": member_id,
        "number": f"M-{member_id}",
        "status": "ACTIVE",
        "given_name": "A",
        "family_name": "B",
        "email": f"{member_id}@example.com",
        "birth_date": datetime(1980, 5, 1, tzinfo=UTC).date(),
        "region": "US-CA",
        "interests": [],
        "purchase_categories": [],
        "joined_at": datetime(2026, 3, 5, tzinfo=UTC),
        "updated_at": NOW,
        "version": 1,
        **columns,
    }
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO member ({', '.join(row)}) VALUES ({places})", *row.values())
    return member_id


async def insert_agreement(
    connection: Link,
    name: str,
    *,
    budget: int = 1_000,
    dimensions: Sequence[AudienceDimension] = tuple(AudienceDimension),
) -> RecipientPrincipal:
    """A company with an agreement and a client, both called `name`."""
    partner_id, agreement_id = new_id(), new_id()
    await connection.execute(
        "INSERT INTO partner (id, name, display_name, created_at) VALUES ($1, $2, $2, $3)",
        partner_id,
        name,
        NOW,
    )
    await connection.execute(
        "INSERT INTO aggregate_agreement (id, partner_id, purpose, dimensions, budget, valid_from, status,"
        " version, created_at) VALUES ($1, $2, 'analytics.reporting', $3, $4, '2026-01-01', 'ACTIVE', 1, $5)",
        agreement_id,
        partner_id,
        list(dimensions),
        budget,
        NOW,
    )
    await connection.execute(
        "INSERT INTO partner_client (client_id, aggregate_agreement_id, status, created_at)"
        " VALUES ($1, $2, 'ACTIVE', $3)",
        name,
        agreement_id,
        NOW,
    )
    mask = mask_of(DIMENSION_CATEGORIES[dimension] for dimension in dimensions)
    return RecipientPrincipal(partner_id, agreement_id, 1, name, f"token-{name}", mask)


def question(
    *by: AudienceDimension,
    epsilon: int = 100,
    rules: AudienceRules = RULES,
    where: Mapping[AudienceDimension, Sequence[str]] | None = None,
) -> Question:
    return ask(rules.vocabulary(period_of(NOW)), by, where or {}, Thousandths(epsilon))


@dataclass(frozen=True)
class Asking:
    """Asks as the contract does: a transaction for each question, committed before its answer is seen."""

    database: Database
    rules: AudienceRules = RULES
    now: datetime = NOW

    async def ask(self, who: RecipientPrincipal, asked: Question) -> Answered:
        async with self.database.transaction() as connection:
            asker = await recipient(connection, who, now=self.now)
            return await ask_audience(connection, asked, asker, self.rules, now=self.now)

    def later(self, now: datetime) -> Asking:
        return replace(self, now=now)
