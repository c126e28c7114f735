"""`gateway agreement ...`: what a partner receives, on which basis, for what, and until when (C8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from gateway.cli.office import Office, in_office, parse_id, parse_moment
from resolvers.commands.partners import (
    AgreementView,
    create_agreement,
    list_agreements,
    set_agreement_status,
)
from resolvers.shares import ShareChanges
from schema.categories import Basis, Purpose
from schema.errors import InputError
from schema.vocabulary import AgreementStatus

app = typer.Typer(help="What a partner receives, and until when.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway agreement list` prints it.")]


@app.command("create")
def create_command(
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    basis: Annotated[Basis, typer.Option("--basis", case_sensitive=False)],
    purpose: Annotated[
        str, typer.Option("--purpose", help="Such as PARTNER_OFFERS, or its data-use key.", metavar="PURPOSE")
    ],
    categories: Annotated[
        list[str], typer.Option("--category", help="Such as user.contact.email; repeatable.")
    ],
    valid_from: Annotated[str | None, typer.Option("--from", help="Default: now.", metavar="DATE")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", help="The first moment it does not count.", metavar="DATE")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Store it without effect.")] = False,
) -> None:
    """Make an agreement; unless it is a draft, members are shared under it from its first day on."""

    async def work(office: Office) -> tuple[UUID, ShareChanges]:
        return await create_agreement(
            office.connection,
            office.matrix,
            partner=partner,
            basis=basis,
            purpose=_purpose(purpose),
            categories=categories,
            valid_from=parse_moment(valid_from, "--from") or office.now,
            valid_until=parse_moment(valid_until, "--until"),
            status=AgreementStatus.DRAFT if draft else AgreementStatus.ACTIVE,
            now=office.now,
        )

    agreement_id, changes = in_office(work)
    typer.echo(agreement_id)
    typer.echo(_summary(changes), err=True)


@app.command("show")
def show_command(agreement: Id) -> None:
    """Show one agreement."""
    wanted = parse_id(agreement)

    async def work(office: Office) -> Sequence[AgreementView]:
        return await list_agreements(office.connection, agreement_id=wanted)

    for found in in_office(work):
        typer.echo(describe(found))


@app.command("list")
def list_command(
    partner: Annotated[str | None, typer.Option("--partner", help="Only of this partner.")] = None,
) -> None:
    """List agreements, one a line."""

    async def work(office: Office) -> Sequence[AgreementView]:
        return await list_agreements(office.connection, partner=partner)

    for found in in_office(work):
        terms = found.terms
        line = (str(terms.id), found.partner, terms.basis, terms.purpose.name, terms.status)
        typer.echo("\t".join((*line, f"{found.members} members")))


@app.command("activate")
def activate_command(agreement: Id) -> None:
    """Let a draft or suspended agreement count."""
    _set_status(agreement, AgreementStatus.ACTIVE)


@app.command("suspend")
def suspend_command(agreement: Id) -> None:
    """Stop an agreement at once; it can be activated again."""
    _set_status(agreement, AgreementStatus.SUSPENDED)


@app.command("end")
def end_command(agreement: Id) -> None:
    """Stop an agreement at once and for good."""
    _set_status(agreement, AgreementStatus.ENDED)


def describe(view: AgreementView) -> str:
    """An agreement in a few lines, for people."""
    terms = view.terms
    until = "without end" if terms.valid_until is None else f"until {terms.valid_until:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"agreement {terms.id} with {view.partner}: {terms.status}, version {terms.version}",
        f"  basis       {terms.basis}",
        f"  purpose     {terms.purpose.name} ({terms.purpose})",
        f"  categories  {', '.join(sorted(terms.categories))}",
        f"  counts      from {terms.valid_from:%Y-%m-%d %H:%M} UTC {until}",
        f"  clients     {', '.join(view.active_clients) or 'none'}",
        f"  members     {view.members} shared",
    ]
    if view.revoked_clients:
        lines.insert(-1, f"  revoked     {', '.join(view.revoked_clients)}")
    return "\n".join(lines)


def _set_status(agreement: str, status: AgreementStatus) -> None:
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> ShareChanges:
        return await set_agreement_status(
            office.connection, office.matrix, agreement_id=agreement_id, status=status, now=office.now
        )

    changes = in_office(work)
    typer.echo(f"agreement {agreement_id}: {status}; {_summary(changes)}")


def _purpose(text: str) -> Purpose:
    """A purpose by its name or its key.

    Raises:
        InputError: there is no such purpose; lists them.
    """
    for purpose in Purpose:
        if text.upper().replace("-", "_") == purpose.name or text == purpose.value:
            return purpose
    raise InputError(f"`--purpose`: one of {', '.join(purpose.name for purpose in Purpose)}")


def _summary(changes: ShareChanges) -> str:
    return f"members: {changes.opened} opened, {changes.changed} changed, {changes.withdrawn} withdrawn"
