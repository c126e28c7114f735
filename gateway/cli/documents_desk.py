"""What the document commands need of the program: a transaction, and the contract that a client has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy
from graphql import GraphQLSchema

from gateway.app import load_product
from gateway.cli.documents import Desk
from gateway.cli.schema import principal_under
from gateway.database import open_database
from gateway.keys import load_keyring
from gateway.limits import Limits
from gateway.settings import load_settings
from policies.principal import Visitor
from resolvers.callers import read_client
from schema.errors import NotFoundError

VISITOR = "visitor"


def desk() -> Desk:
    """The desk of this process's settings, which are read when a command begins."""
    return Desk(transaction=_transaction, contract_of=_contract_of, limits=lambda: Limits.of(load_settings()))


@asynccontextmanager
async def _transaction() -> AsyncIterator[PoolConnectionProxy[Record]]:
    settings = load_settings()
    async with (
        open_database(settings, load_keyring(settings)) as database,
        database.transaction() as connection,
    ):
        yield connection


async def _contract_of(connection: Any, client_id: str) -> GraphQLSchema:
    """The schema that the client sees now.

    Raises:
        NotFoundError: there is no such client, or its agreement is not in force.
    """
    contracts = load_product(load_settings()).contracts
    if client_id == VISITOR:
        return contracts.of(Visitor()).schema
    facts = await read_client(connection, client_id)
    if facts is None or not facts.active or not facts.terms.in_force(datetime.now(UTC)):
        raise NotFoundError("no such client, or its agreement is not in force: see `gateway agreement list`")
    return contracts.of(principal_under(facts.terms, client_id, facts.terms.mask)).schema
