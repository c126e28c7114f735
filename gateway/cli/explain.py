"""`gateway policy explain`: which rule, agreement, scope and choice decided, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.app import load_product
from gateway.cli.office import Office, in_office
from gateway.settings import load_settings
from resolvers.explanations import ExplainedAgreement, category_named
from resolvers.officers.members import explain_field


def explain_command(
    partner: Annotated[str, typer.Option("--partner", help="Short name of the partner.")],
    member: Annotated[str, typer.Option("--member", help="Member number.")],
    field: Annotated[str, typer.Option("--field", help="A field of SharedMember, or a category key.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A scope of the token; repeatable. Without: all.")
    ] = None,
) -> None:
    """Say why a partner sees or does not see a field of a member, condition by condition."""
    category = category_named(load_product(load_settings()).catalogue, field)

    async def work(office: Office) -> Sequence[ExplainedAgreement]:
        return await explain_field(
            office.desk, partner=partner, member=member, category=category, scopes=scope
        )

    for agreement, explanation in ((e.agreement, e.explanation) for e in in_office(work)):
        terms = agreement.terms
        typer.echo(f"agreement {terms.id} ({terms.basis}, {terms.purpose.name}), category `{category}`")
        for line in explanation.lines():
            typer.echo(f"  {line}")
