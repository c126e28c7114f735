"""`gateway policy explain`: which rule, agreement, scope and choice decided, in words."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.app import load_product
from gateway.database import open_database
from gateway.keys import load_keyring
from gateway.settings import Settings, load_settings
from policies.matrix import Matrix
from resolvers.explanations import ExplainedAgreement, category_named, explain_field
from schema.categories import DataCategory


def explain_command(
    partner: Annotated[str, typer.Option("--partner", help="Short name of the partner.")],
    member: Annotated[str, typer.Option("--member", help="Member number.")],
    field: Annotated[str, typer.Option("--field", help="A field of SharedMember, or a category key.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A scope of the token; repeatable. Without: all.")
    ] = None,
) -> None:
    """Say why a partner sees or does not see a field of a member, condition by condition."""
    settings = load_settings()
    product = load_product(settings)
    category = category_named(product.catalogue, field)
    explained = asyncio.run(_explain(settings, product.matrix, partner, member, category, scope))
    for agreement, explanation in ((e.agreement, e.explanation) for e in explained):
        terms = agreement.terms
        typer.echo(f"agreement {terms.id} ({terms.basis}, {terms.purpose.name}), category `{category}`")
        for line in explanation.lines():
            typer.echo(f"  {line}")


async def _explain(
    settings: Settings,
    matrix: Matrix,
    partner: str,
    member: str,
    category: DataCategory,
    scopes: list[str] | None,
) -> list[ExplainedAgreement]:
    async with open_database(settings, load_keyring(settings)) as database, database.transaction() as link:
        return list(
            await explain_field(
                link,
                matrix,
                partner=partner,
                member=member,
                category=category,
                scopes=scopes,
                now=datetime.now(UTC),
            )
        )
