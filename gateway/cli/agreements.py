"""`gateway agreement ...`: what a partner receives, on which basis, for what, why, and until when (C8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from gateway.cli.listing import print_list
from gateway.cli.office import LongOffice, Office, in_long_office, in_office, parse_id, parse_moment
from gateway.cli.progress import ProgressBar
from gateway.cli.words import listed, one_of
from resolvers.commands.agreement_changes import Changes
from resolvers.commands.fetched import Use
from resolvers.commands.partners import AgreementView
from resolvers.officers.agreements import (
    activate_agreement,
    approve_grounds,
    change_agreement,
    create_agreement,
    list_agreements,
    narrow_agreement,
    report_use,
    show_agreement,
    state_reasons,
    stop_agreement,
)
from resolvers.shares import ShareChanges
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import InputError
from schema.vocabulary import AgreementStatus, Restriction

app = typer.Typer(help="What a partner receives, why, and until when.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway agreement list` prints it.")]
Reasons = Annotated[
    list[str],
    typer.Option(
        "--category",
        metavar='KEY="REASON"',
        help='Such as user.contact.email="to send the ticket"; repeatable.',
    ),
]
Keys = Annotated[list[str], typer.Option("--category", metavar="KEY", help="Repeatable.")]


@app.command("create")
def create_command(
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    basis: Annotated[Basis, typer.Option("--basis", parser=one_of(Basis), metavar=listed(Basis, "|"))],
    purpose: Annotated[
        Purpose,
        typer.Option(
            "--purpose",
            parser=one_of(Purpose),
            metavar="PURPOSE",
            help="Such as partner-offers, or its data-use key.",
        ),
    ],
    categories: Reasons,
    valid_from: Annotated[str | None, typer.Option("--from", help="Default: now.", metavar="DATE")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", help="The first moment it does not count.", metavar="DATE")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Store it without effect.")] = False,
) -> None:
    """Make an agreement; unless it is a draft, members are shared under it from its first day on.

    Each category needs the partner's reason and an officer's approval, which is that of whoever runs this;
    a draft may lack them.
    """
    reasons = _reasons(categories)

    async def work(office: Office) -> UUID:
        return await create_agreement(
            office.desk,
            partner=partner,
            basis=basis,
            purpose=purpose,
            reasons=reasons,
            valid_from=parse_moment(valid_from, "--from"),
            valid_until=parse_moment(valid_until, "--until"),
            draft=draft,
        )

    agreement_id = in_office(work)
    typer.echo(agreement_id)
    typer.echo(_summary(ShareChanges() if draft else _activate(agreement_id)), err=True)


@app.command("show")
def show_command(agreement: Id) -> None:
    """Show one agreement."""
    wanted = parse_id(agreement)

    async def work(office: Office) -> AgreementView:
        return await show_agreement(office.desk, wanted)

    typer.echo(describe(in_office(work)))


@app.command("list")
def list_command(
    partner: Annotated[str | None, typer.Option("--partner", help="Only of this partner.")] = None,
) -> None:
    """List agreements, one a line."""

    async def work(office: Office) -> Sequence[AgreementView]:
        return await list_agreements(office.desk, partner)

    print_list(map(_listed, in_office(work)), "there is no agreement: `gateway agreement create` makes one")


def _listed(found: AgreementView) -> tuple[str, ...]:
    terms = found.terms
    named = (str(terms.id), found.partner, terms.basis, terms.purpose.name, terms.status)
    return (*named, f"{found.members} members")


@app.command("state")
def state_command(agreement: Id, categories: Reasons) -> None:
    """Write down the partner's reasons. A reason that changes is to be approved anew."""
    agreement_id, reasons = parse_id(agreement), _reasons(categories)

    async def work(office: Office) -> None:
        await state_reasons(office.desk, agreement_id, reasons)

    in_office(work)
    typer.echo(f"agreement {agreement_id}: {len(reasons)} reasons stated")


@app.command("approve")
def approve_command(agreement: Id, categories: Keys | None = None) -> None:
    """Approve categories for their stated reasons; without `--category`, all that wait for it.

    Approved by whoever runs this: `GATEWAY_OFFICER`, or the name of the account.
    """
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> Sequence[DataCategory]:
        return await approve_grounds(office.desk, agreement_id, categories or ())

    approved = in_office(work)
    typer.echo(f"agreement {agreement_id}: approved {', '.join(approved) or 'nothing, all was'}")


@app.command("report")
def report_command(
    agreement: Id,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How far back to look.")] = 90,
) -> None:
    """Show what is granted against what was fetched, and propose what to take back."""
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> Sequence[Use]:
        return await report_use(office.desk, agreement_id, timedelta(days=days))

    uses = in_office(work)
    for use in uses:
        typer.echo("\t".join(_use_line(use)))
    unused = [use.ground.category for use in uses if not use.responses]
    if unused and len(unused) < len(uses):
        keys = " ".join(f"--category {key}" for key in unused)
        typer.echo(
            f"not fetched in {days} days; to take it back: gateway agreement narrow {agreement_id} {keys}"
        )
    elif unused:
        typer.echo(f"nothing fetched in {days} days; to end it: gateway agreement end {agreement_id}")


@app.command("narrow")
def narrow_command(agreement: Id, categories: Keys) -> None:
    """Take categories back, at once; the partner has to delete what it got of them."""
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> ShareChanges:
        return await narrow_agreement(office.desk, agreement_id, categories)

    typer.echo(f"agreement {agreement_id}: narrowed; {_summary(in_office(work))}")


@app.command("change")
def change_command(
    agreement: Id,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="Only before it has begun.", metavar="DATE")
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option("--until", help="The first moment it does not count, or `never`.", metavar="DATE"),
    ] = None,
    deletion_days: Annotated[
        int | None, typer.Option("--deletion-days", help="To delete what is withdrawn.", metavar="DAYS")
    ] = None,
    narrow_after: Annotated[
        str | None, typer.Option("--narrow-after", help="Overdue, or `never`.", metavar="DAYS")
    ] = None,
    suspend_after: Annotated[
        str | None, typer.Option("--suspend-after", help="Overdue, or `never`.", metavar="DAYS")
    ] = None,
) -> None:
    """Change the dates of an agreement, or how long its partner may take to delete."""
    agreement_id = parse_id(agreement)
    changes = Changes(
        valid_from=parse_moment(valid_from, "--from"),
        valid_until=None if valid_until == NEVER else parse_moment(valid_until, "--until"),
        endless=valid_until == NEVER,
        deletion_days=deletion_days,
        narrow_after_days=_days(narrow_after, "--narrow-after"),
        suspend_after_days=_days(suspend_after, "--suspend-after"),
    )

    async def work(office: Office) -> ShareChanges:
        return await change_agreement(office.desk, agreement_id, changes)

    typer.echo(f"agreement {agreement_id}: changed; {_summary(in_office(work))}")


@app.command("activate")
def activate_command(agreement: Id) -> None:
    """Let a draft or suspended agreement count."""
    agreement_id = parse_id(agreement)
    typer.echo(f"agreement {agreement_id}: {AgreementStatus.ACTIVE}; {_summary(_activate(agreement_id))}")


@app.command("suspend")
def suspend_command(agreement: Id) -> None:
    """Stop an agreement at once; it can be activated again."""
    _stop(agreement, AgreementStatus.SUSPENDED)


@app.command("end")
def end_command(agreement: Id) -> None:
    """Stop an agreement at once and for good."""
    _stop(agreement, AgreementStatus.ENDED)


def describe(view: AgreementView) -> str:
    """An agreement in a few lines, for people."""
    terms, duties = view.terms, view.duties
    until = "without end" if terms.valid_until is None else f"until {terms.valid_until:%Y-%m-%d %H:%M} UTC"
    deletions = (
        f"within {duties.deletion_days} days; overdue: narrowed after {_or_never(duties.narrow_after_days)},"
        f" suspended after {_or_never(duties.suspend_after_days)}"
    )
    lines = [
        f"agreement {terms.id} with {view.partner}: {terms.status}, version {terms.version}",
        f"  basis       {terms.basis}",
        f"  purpose     {terms.purpose.name} ({terms.purpose})",
        f"  categories  {', '.join(sorted(terms.categories))}",
        f"  counts      from {terms.valid_from:%Y-%m-%d %H:%M} UTC {until}",
        f"  deletions   {deletions}",
        f"  clients     {', '.join(view.active_clients) or 'none'}",
    ]
    if view.revoked_clients:
        lines.append(f"  revoked     {', '.join(view.revoked_clients)}")
    if duties.restriction is not Restriction.NONE:
        lines.append(f"  restricted  {duties.restriction}: see gateway deletions overdue")
    lines.append(f"  members     {view.members} shared")
    for ground in view.grounds:
        approval = (
            f"approved by {ground.approved_by} on {ground.approved_at:%Y-%m-%d}"
            if ground.approved_at is not None
            else "not approved"
        )
        lines.append(f"  {ground.category}: {ground.reason or 'no reason'} ({approval})")
    return "\n".join(lines)


NEVER = "never"


def _activate(agreement_id: UUID) -> ShareChanges:
    async def work(office: LongOffice) -> ShareChanges:
        with ProgressBar("members", 1) as bar:
            return await activate_agreement(office.long_desk, agreement_id, bar.show)

    return in_long_office(work)


def _stop(agreement: str, status: AgreementStatus) -> None:
    agreement_id = parse_id(agreement)

    async def work(office: LongOffice) -> ShareChanges:
        with ProgressBar("members", 1) as bar:
            return await stop_agreement(office.long_desk, agreement_id, status, bar.show)

    typer.echo(f"agreement {agreement_id}: {status}; {_summary(in_long_office(work))}")


def _reasons(categories: Sequence[str]) -> dict[str, str]:
    """Categories with their reasons, as `KEY=REASON` each; a key alone has none."""
    parted = [text.partition("=") for text in categories]
    return {key.strip(): reason.strip() for key, _, reason in parted}


def _use_line(use: Use) -> tuple[str, ...]:
    last = "never" if use.last_at is None else f"last {use.last_at:%Y-%m-%d}"
    parts = [key.value for key in use.fetched if key is not use.ground.category]
    below = f"of it: {', '.join(parts)}" if parts and use.ground.category not in use.fetched else ""
    return (use.ground.category, f"{use.responses} responses", last, below, use.ground.reason or "no reason")


def _days(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if text == NEVER:
        return -1
    if not text.isascii() or not text.isdigit():
        raise InputError(f"`{name}`: a number of days, or `{NEVER}`")
    return int(text)


def _or_never(days: int | None) -> str:
    return NEVER if days is None else f"{days} days"


def _summary(changes: ShareChanges) -> str:
    return f"members: {changes.opened} opened, {changes.changed} changed, {changes.withdrawn} withdrawn"
