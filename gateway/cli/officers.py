"""`gateway officer ...`: who on the staff may sign in, and the log of what officers did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import orjson
import typer

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_moment
from gateway.cli.words import listed, one_of
from policies.officers import Act, Role
from resolvers.commands.officer_accounts import ENROLMENT_LIFE, OfficerView
from resolvers.desk import Action
from resolvers.officers.accounts import (
    change_roles,
    create_officer,
    disable_officer,
    list_actions,
    list_officers,
    reset_factor,
)
from resolvers.tokens import SealedTokens

app = typer.Typer(help="Who on the staff may sign in, and what they did.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name: lower case, digits, dots, hyphens.")]
Roles = Annotated[
    list[Role],
    typer.Option("--role", parser=one_of(Role), metavar=listed(Role, "|"), help="Repeatable."),
]


@app.command("create")
def create_command(
    name: Name,
    roles: Roles,
    display_name: Annotated[str | None, typer.Option("--display-name", help="Default: the name.")] = None,
) -> None:
    """Make an account, and print the code that enrols it, this once."""

    async def work(office: Office) -> str:
        return await create_officer(
            office.desk,
            SealedTokens(office.keys.token_key),
            name=name,
            display_name=display_name or name,
            roles=roles,
        )

    _print_code(name, "created", in_office(work))


@app.command("list")
def list_command() -> None:
    """List officers, one a line, with their roles."""

    async def work(office: Office) -> Sequence[OfficerView]:
        return await list_officers(office.desk)

    lines = (
        (found.name, found.display_name, found.status, ",".join(found.roles)) for found in in_office(work)
    )
    print_list(lines, "there is no officer: `gateway officer create` makes one")


@app.command("roles")
def roles_command(name: Name, roles: Roles) -> None:
    """Give an officer these roles in place of those before; they count from the next request on."""

    async def work(office: Office) -> OfficerView:
        return await change_roles(office.desk, name, roles)

    typer.echo(f"officer {name}: {', '.join(in_office(work).roles)}")


@app.command("disable")
def disable_command(name: Name) -> None:
    """Let an officer sign in no more, and end every session at once."""

    async def work(office: Office) -> None:
        await disable_officer(office.desk, name)

    in_office(work)
    typer.echo(f"officer {name}: disabled")


@app.command("reset-factor")
def reset_factor_command(name: Name) -> None:
    """Enrol an officer anew, disabled or not: password, authenticator and recovery codes count no more."""

    async def work(office: Office) -> str:
        return await reset_factor(office.desk, SealedTokens(office.keys.token_key), name)

    _print_code(name, "to be enrolled anew", in_office(work))


@app.command("actions")
def actions_command(
    officer: Annotated[
        str | None, typer.Option("--officer", help="Only of this one.", metavar="NAME")
    ] = None,
    act: Annotated[
        Act | None, typer.Option("--act", parser=one_of(Act), help="Only of this kind.", metavar="ACT")
    ] = None,
    about: Annotated[
        str | None, typer.Option("--about", help="How what it is about begins, such as `agreement`.")
    ] = None,
    member: Annotated[str | None, typer.Option("--member", help="A member number.", metavar="NUMBER")] = None,
    since: Annotated[str | None, typer.Option("--since", help="A date or a moment.", metavar="DATE")] = None,
    first: Annotated[int, typer.Option("--first", min=1, max=1_000_000, help="How many.")] = 100,
    json_lines: Annotated[bool, typer.Option("--json", help="As JSON Lines, to be kept elsewhere.")] = False,
) -> None:
    """List what officers did, the latest first."""
    moment = parse_moment(since, "--since")

    async def work(office: Office) -> Sequence[Action]:
        return await list_actions(
            office.desk, officer=officer, act=act, about=about, number=member, since=moment, first=first
        )

    print_list(map(_json_line if json_lines else _shown, in_office(work)), "no such action is in the log")


def _print_code(name: str, what: str, code: str) -> None:
    hours = round(ENROLMENT_LIFE.total_seconds() / 3_600)
    typer.echo(f"officer {name}: {what}; the enrolment code works once, for {hours} hours:", err=True)
    typer.echo(code)


def _json_line(action: Action) -> tuple[str, ...]:
    return (orjson.dumps(action, default=str).decode(),)


def _shown(action: Action) -> tuple[str, ...]:
    return (
        str(action.seq),
        _moment(action.done_at),
        action.officer,
        action.channel,
        action.act,
        action.about or "-",
        action.reason or "-",
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
