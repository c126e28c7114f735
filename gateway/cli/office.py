"""How a command reaches the database: settings, keys, one transaction, one clock.

A command is one transaction: it happened whole, or not at all and said why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from getpass import getuser
from typing import TypeVar
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from gateway.database import open_database
from gateway.keys import Keyring, load_keyring
from gateway.policy_source import load_directory
from gateway.settings import Settings, load_settings
from policies.check import checked_matrix
from policies.matrix import Matrix
from policies.officers import Channel, Officer, Role
from resolvers.connection import Link
from resolvers.desk import Desk, LongDesk
from resolvers.policy_versions import Compiler, PolicyInDatabase, begin, policy_in_database, require_policy
from schema.errors import InputError, SettingsError
from schema.ids import parse_uuid

Result = TypeVar("Result")


@dataclass(frozen=True)
class Office:
    """What a command works with, inside its transaction."""

    settings: Settings
    keys: Keyring
    connection: PoolConnectionProxy[Record]
    now: datetime
    policy: PolicyInDatabase

    @cached_property
    def matrix(self) -> Matrix:
        """The policy in force, compiled: half a second, so only for commands that decide."""
        return self.policy.matrix(Compiler())

    @cached_property
    def desk(self) -> Desk:
        """The desk of whoever runs the command."""
        return Desk(self.connection, officer_at(self.settings), self.now, lambda: self.matrix)


def officer_at(settings: Settings) -> Officer:
    """Whoever runs the command: `GATEWAY_OFFICER`, otherwise the name of the account at this machine.

    Who can run it holds the keys of the whole gateway, and so has every role.

    Raises:
        SettingsError: neither names anybody.
    """
    name = settings.officer
    if name is None:
        try:
            name = getuser()
        except (KeyError, OSError) as error:
            raise SettingsError("nobody is named: set `GATEWAY_OFFICER` to who runs this") from error
    return Officer(name, frozenset(Role), Channel.COMMAND_LINE)


@dataclass(frozen=True)
class LongOffice:
    """What a command works with whose work is several transactions, each of which leaves things right."""

    settings: Settings
    transactions: Callable[[], AbstractAsyncContextManager[PoolConnectionProxy[Record]]]
    policy: PolicyInDatabase

    @cached_property
    def matrix(self) -> Matrix:
        """The policy in force when the command began, compiled."""
        return self.policy.matrix(Compiler())

    def clock(self) -> datetime:
        """The time now, in UTC."""
        return datetime.now(UTC)

    @cached_property
    def long_desk(self) -> LongDesk:
        """The desk of whoever runs the command, through all of its transactions."""
        return LongDesk(self.transactions, officer_at(self.settings), self.clock, lambda: self.matrix)

    def desk(self, connection: Link) -> Desk:
        """The desk of whoever runs the command, in one of its transactions."""
        return self.long_desk.at(connection)


def in_long_office(work: Callable[[LongOffice], Awaitable[Result]]) -> Result:
    """Do work of several transactions, and return what it returns.

    Raises:
        GatewayError: whatever keeps the command from being done; `gateway.cli.main` words it.
    """

    async def opened() -> Result:
        settings = load_settings()
        async with open_database(settings, load_keyring(settings)) as database:
            async with database.transaction() as connection:
                policy = await policy_of(connection, settings, datetime.now(UTC))
            return await work(LongOffice(settings, database.transaction, policy))

    return asyncio.run(opened())


def in_office(work: Callable[[Office], Awaitable[Result]]) -> Result:
    """Do the work in one transaction, and return what it returns.

    Raises:
        GatewayError: whatever keeps the command from being done; `gateway.cli.main` words it.
    """
    return asyncio.run(_open(load_settings(), work))


async def _open(settings: Settings, work: Callable[[Office], Awaitable[Result]]) -> Result:
    keys = load_keyring(settings)
    async with open_database(settings, keys) as database, database.transaction() as connection:
        now = datetime.now(UTC)
        return await work(Office(settings, keys, connection, now, await policy_of(connection, settings, now)))


async def policy_of(connection: Link, settings: Settings, now: datetime) -> PolicyInDatabase:
    """The policy in force. A database that has none yet begins with that of the settings.

    Raises:
        PolicyError: it would begin with one that may not be used.
    """
    found = await policy_in_database(connection)
    if found is None:
        directory = load_directory(settings.policy_dir)
        checked_matrix(directory.source)
        await begin(connection, directory, now)
        found = await require_policy(connection)
    return found


def parse_id(text: str, *, what: str = "an agreement, as `gateway agreement list`") -> UUID:
    """The id of something as it was typed. `what` it is, and which command prints it, is for the error.

    Raises:
        InputError: it is no id.
    """
    parsed = parse_uuid(text.lower())
    if parsed is None:
        raise InputError(f"`ID`: the id of {what} prints it")
    return parsed


def parse_moment(text: str | None, name: str) -> datetime | None:
    """A date or a moment as it was typed (ISO 8601), in UTC where it names no zone.

    Raises:
        InputError: it is neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"`{name}`: a date such as 2027-01-31, or a moment in ISO 8601") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
