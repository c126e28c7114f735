"""`gateway policy explain`: which rule, agreement, scope and choice decided, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

import typer

from gateway.app import load_product
from gateway.cli.office import Office, in_office, parse_moment
from gateway.settings import load_settings
from policies.agreement import AgreementTerms
from resolvers.explanations import ExplainedAgreement, category_named
from resolvers.explanations_at import ExplainedAt
from resolvers.officers.members import explain_at, explain_field
from resolvers.policy_versions import Compiler
from schema.categories import DataCategory


def explain_command(
    partner: Annotated[str, typer.Option("--partner", help="Short name of the partner.")],
    member: Annotated[str, typer.Option("--member", help="Member number.")],
    field: Annotated[str, typer.Option("--field", help="A field of SharedMember, or a category key.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A scope of the token; repeatable. Without: all.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A date or moment of the past (ISO 8601). Without: now.")
    ] = None,
) -> None:
    """Say why a partner sees a field of a member or not, now or at a date, condition by condition."""
    category = category_named(load_product(load_settings()).catalogue, field)
    moment = parse_moment(at, "--at")

    async def then(office: Office, wanted: datetime) -> Sequence[ExplainedAt]:
        return await explain_at(
            office.desk, Compiler(), partner=partner, member=member, category=category, scopes=scope,
            at=wanted,
        )  # fmt: skip

    if moment is not None:
        for answer in in_office(lambda office: then(office, moment)):
            _show(answer.terms, category, answer.lines())
        return

    async def work(office: Office) -> Sequence[ExplainedAgreement]:
        return await explain_field(
            office.desk, partner=partner, member=member, category=category, scopes=scope
        )

    for explained in in_office(work):
        _show(explained.agreement.terms, category, explained.lines())


def _show(terms: AgreementTerms, category: DataCategory, lines: Iterable[str]) -> None:
    typer.echo(f"agreement {terms.id} ({terms.basis}, {terms.purpose.name}), category `{category}`")
    for line in lines:
        typer.echo(f"  {line}")
