"""`gateway webhook ...`: where partners are told of withdrawals, and what could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_id
from gateway.delivery.posting import Poster
from gateway.delivery.signatures import shown_secret
from policies.destinations import Rules, read_destination
from resolvers.commands.webhooks import DeadLetter, EndpointView
from resolvers.officers.webhooks import (
    create_endpoint,
    list_dead_letters,
    list_endpoints,
    post_test,
    retry_dead_letters,
    rotate_secret,
    set_endpoint_status,
    show_endpoint,
)
from schema.errors import InputError
from schema.tables.webhooks import EndpointStatus

app = typer.Typer(help="Where partners are told of withdrawals.", no_args_is_help=True)
dead_letters = typer.Typer(help="Messages that were given up.", no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway webhook list` prints it.")]
Agreement = Annotated[str, typer.Option("--agreement", help="Whose withdrawals are told.", metavar="ID")]


@app.command("create")
def create_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the partner listens, with https.")],
    agreement: Agreement,
) -> None:
    """Tell withdrawals under an agreement at a URL; prints the endpoint's id, and its secret this once."""
    agreement_id = parse_id(agreement)

    async def work(office: Office) -> tuple[UUID, str]:
        destination = await Poster(rules_of(office)).check(url)
        endpoint_id = await create_endpoint(
            office.desk, agreement_id=agreement_id, url=url, destination=destination
        )
        return endpoint_id, shown_secret(office.keys, endpoint_id, 1)

    endpoint_id, secret = in_office(work)
    typer.echo(f"endpoint {endpoint_id}: created; its secret is shown this once:", err=True)
    typer.echo(f"{endpoint_id}\t{secret}")


@app.command("list")
def list_command() -> None:
    """List endpoints, one a line, without what may be secret in their URLs."""

    async def work(office: Office) -> Sequence[tuple[EndpointView, str]]:
        return [(found, _origin(office, found)) for found in await list_endpoints(office.desk)]

    lines = (
        (str(one.id), one.partner, origin, one.status, f"{one.waiting} waiting", f"{one.dead} dead letters")
        for one, origin in in_office(work)
    )
    print_list(lines, "there is no endpoint: `gateway webhook create` makes one")


@app.command("show")
def show_command(endpoint: Id) -> None:
    """Show one endpoint, its whole URL included."""
    endpoint_id = parse_endpoint(endpoint)

    async def work(office: Office) -> EndpointView:
        return await show_endpoint(office.desk, endpoint_id)

    found = in_office(work)
    last = "nothing yet" if found.delivered_at is None else f"{found.delivered_at:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"endpoint {found.id} of {found.partner}: {found.status}")
    typer.echo(f"  url         {found.url}")
    typer.echo(f"  agreement   {found.agreement_id}")
    typer.echo(f"  since       {found.created_at:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"  secret      generation {found.generation}")
    if found.former_until is not None:
        typer.echo(f"  former      signs as well until {found.former_until:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"  delivered   {last}")
    typer.echo(f"  waiting     {found.waiting}")
    typer.echo(f"  dead        {found.dead}")


@app.command("rotate")
def rotate_command(
    endpoint: Id,
    overlap: Annotated[
        int, typer.Option("--overlap-hours", help="For so long the former secret signs as well.")
    ] = 24,
) -> None:
    """Sign with a new secret; prints it this once."""
    endpoint_id = parse_endpoint(endpoint)

    async def work(office: Office) -> str:
        generation = await rotate_secret(office.desk, endpoint_id, timedelta(hours=overlap))
        return shown_secret(office.keys, endpoint_id, generation)

    secret = in_office(work)
    typer.echo(f"endpoint {endpoint_id}: rotated; the new secret is shown this once:", err=True)
    typer.echo(secret)


@app.command("disable")
def disable_command(endpoint: Id) -> None:
    """Send nothing more to an endpoint; what is withdrawn meanwhile gathers."""
    _set_status(endpoint, EndpointStatus.DISABLED)


@app.command("enable")
def enable_command(endpoint: Id) -> None:
    """Send to an endpoint again, what has gathered first."""
    _set_status(endpoint, EndpointStatus.ACTIVE)


@app.command("test")
def test_command(endpoint: Id) -> None:
    """Put a message that tells of nobody into the outbox; a running gateway sends it."""
    endpoint_id = parse_endpoint(endpoint)

    async def work(office: Office) -> UUID:
        return await post_test(office.desk, endpoint_id)

    message_id = in_office(work)
    typer.echo(f"message {message_id}: in the outbox; next: gateway webhook show {endpoint_id}")


@dead_letters.command("list")
def list_dead_letters_command(
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Only of this one.", metavar="ID")
    ] = None,
) -> None:
    """List messages that were given up, one a line, without whom they name."""
    endpoint_id = None if endpoint is None else parse_endpoint(endpoint)

    async def work(office: Office) -> Sequence[DeadLetter]:
        return await list_dead_letters(office.desk, endpoint_id)

    print_list(map(_dead, in_office(work)), "no message was given up")


def _dead(found: DeadLetter) -> tuple[str, ...]:
    answer = "no answer" if found.answer is None else f"last status {found.answer}"
    words = (f"{found.members} members", f"{found.attempts} attempts", answer)
    moment = f"{found.occurred_at:%Y-%m-%d %H:%M} UTC"
    return (str(found.endpoint_id), str(found.id), found.kind, moment, *words)


@dead_letters.command("retry")
def retry_command(
    endpoint: Id,
    message: Annotated[str | None, typer.Option("--message", help="Only this one.", metavar="ID")] = None,
) -> None:
    """Send the dead letters of an endpoint again, on the whole schedule."""
    endpoint_id = parse_endpoint(endpoint)
    message_id = (
        None
        if message is None
        else parse_id(message, what="a message, as `gateway webhook dead-letters list`")
    )

    async def work(office: Office) -> int:
        return await retry_dead_letters(office.desk, endpoint_id, message_id)

    typer.echo(f"endpoint {endpoint_id}: {in_office(work)} messages are due again")


def rules_of(office: Office) -> Rules:
    """What the settings admit."""
    return Rules.of(office.settings.webhook_networks, office.settings.webhook_ports)


def parse_endpoint(text: str) -> UUID:
    """The id of an endpoint as it was typed."""
    return parse_id(text, what="an endpoint, as `gateway webhook list`")


def _origin(office: Office, found: EndpointView) -> str:
    try:
        return read_destination(found.url, rules_of(office)).origin
    except InputError:
        return "not admitted any more"


def _set_status(endpoint: str, status: EndpointStatus) -> None:
    endpoint_id = parse_endpoint(endpoint)

    async def work(office: Office) -> None:
        await set_endpoint_status(office.desk, endpoint_id, status)

    in_office(work)
    typer.echo(f"endpoint {endpoint_id}: {status}")
