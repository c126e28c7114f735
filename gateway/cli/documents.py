"""`gateway documents register|list|remove`: which documents a client may send by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from graphql import GraphQLSchema

from gateway.app import load_product
from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office
from gateway.cli.schema import principal_under
from gateway.documents import read_files, register
from gateway.limits import Limits
from policies.principal import Visitor
from resolvers.officers.clients import look_at_client
from resolvers.officers.documents import begin_registration, list_documents, remove_document
from resolvers.persisted_documents import RegisteredDocument

app = typer.Typer(name="documents", help="Documents registered for a client.", no_args_is_help=True)

VISITOR: Final = "visitor"

Client = Annotated[
    str, typer.Option("--client", help="The client's id; `visitor` for callers without a token.")
]
Files = Annotated[
    list[Path],
    typer.Argument(
        help="Documents (`.graphql`), or manifests of Relay or Apollo (`.json`).", exists=True, dir_okay=False
    ),
]


@app.command("register")
def register_command(client: Client, files: Files) -> None:
    """Check documents against the client's contract and register them: all or none."""
    documents = read_files(files)

    async def work(office: Office) -> None:
        await begin_registration(office.desk, client)
        await register(
            office.connection,
            client_id=client,
            documents=documents,
            contract_schema=await _contract_of(office, client),
            limits=Limits.of(office.settings),
            now=office.now,
        )

    in_office(work)
    typer.echo(f"registered: {len(documents)}")


@app.command("list")
def list_command(client: Client) -> None:
    """List the id, the digest and the date of each document."""

    async def work(office: Office) -> Sequence[RegisteredDocument]:
        return await list_documents(office.desk, client)

    lines = (
        (found.document_id, f"sha256:{found.sha256}", f"{found.registered_at:%Y-%m-%d}")
        for found in in_office(work)
    )
    print_list(lines, "this client has no document: `gateway documents register` adds one")


@app.command("remove")
def remove_command(client: Client, document_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Remove a document; requests that name it are refused within seconds."""

    async def work(office: Office) -> None:
        await remove_document(office.desk, client, document_id)

    in_office(work)
    typer.echo("removed")


async def _contract_of(office: Office, client_id: str) -> GraphQLSchema:
    """The schema that the client sees now.

    Raises:
        NotFoundError: there is no such client, or its agreement is not in force.
    """
    contracts = load_product(office.settings).contracts
    if client_id == VISITOR:
        return contracts.of(Visitor()).schema
    found, facts = await look_at_client(office.desk, client_id=client_id)
    return contracts.of(principal_under(facts.terms, found, facts.terms.mask)).schema
