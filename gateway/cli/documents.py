"""`gateway documents register|list|remove`: which documents a client may send by name.

The program gives a `Desk`: how to open a transaction, and which contract a client has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from graphql import GraphQLSchema

from gateway.documents import read_files, register
from gateway.limits import Limits
from resolvers.persisted_documents import Connection, list_documents, remove_document
from schema.errors import GatewayError, NotFoundError

Result = TypeVar("Result")

Client = Annotated[
    str, typer.Option("--client", help="The client's id; `visitor` for callers without a token.")
]
Files = Annotated[
    list[Path],
    typer.Argument(
        help="Documents (`.graphql`), or manifests of Relay or Apollo (`.json`).", exists=True, dir_okay=False
    ),
]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the commands need of the program."""

    transaction: Callable[[], AbstractAsyncContextManager[Connection]]
    contract_of: Callable[[Connection, str], Awaitable[GraphQLSchema]]
    """The schema that the client sees now. Raises NotFoundError if there is no such client."""
    limits: Callable[[], Limits]


def documents_app(desk: Desk) -> typer.Typer:
    """The commands, at work at this desk."""
    app = typer.Typer(name="documents", help="Documents registered for a client.", no_args_is_help=True)

    @app.command("register")
    def register_command(client: Client, files: Files) -> None:
        """Check documents against the client's contract and register them: all or none."""

        async def work() -> int:
            documents = read_files(files)
            async with desk.transaction() as connection:
                schema = await desk.contract_of(connection, client)
                await register(
                    connection,
                    client_id=client,
                    documents=documents,
                    contract_schema=schema,
                    limits=desk.limits(),
                    now=datetime.now(UTC),
                )
            return len(documents)

        typer.echo(f"registered: {_run(work)}")

    @app.command("list")
    def list_command(client: Client) -> None:
        """List the id, the digest and the date of each document."""

        async def work() -> list[str]:
            async with desk.transaction() as connection:
                found = await list_documents(connection, client)
            return [f"{d.document_id}\tsha256:{d.sha256}\t{d.registered_at:%Y-%m-%d}" for d in found]

        for line in _run(work):
            typer.echo(line)

    @app.command("remove")
    def remove_command(client: Client, document_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        """Remove a document; requests that name it are refused within seconds."""

        async def work() -> None:
            async with desk.transaction() as connection:
                if not await remove_document(connection, client, document_id):
                    raise NotFoundError("no such document: see `gateway documents list`")

        _run(work)
        typer.echo("removed")

    return app


def _run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Do the work; an error of ours ends the command with its message."""

    async def whole() -> Result:
        return await work()

    try:
        return asyncio.run(whole())
    except GatewayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(code=1) from error
