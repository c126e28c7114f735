from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from gateway.database import Database
from gateway.delivery.letters import Letterhead, Mail, read_letterhead
from gateway.delivery.sender import Sender
from gateway.delivery.transports import Sending
from gateway.web.addresses import addresses_of
from policies.principal import Visitor
from resolvers.commands.letters import make_link, post
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from tests import world
from tests.asking import Asking

Trouble: TypeAlias = Callable[[Mail], None]


@dataclass
class Postbox:
    """A transport that keeps what it was given; `trouble` may raise instead."""

    mails: list[Mail] = field(default_factory=list)
    trouble: Trouble | None = None
    after: Callable[[Mail], Awaitable[None]] | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Sending]:
        async def send(mail: Mail) -> None:
            if self.trouble is not None:
                self.trouble(mail)
            self.mails.append(mail)
            if self.after is not None:
                await self.after(mail)

        yield send

    @property
    def messages(self) -> list[EmailMessage]:
        return [parsed(mail.data) for mail in self.mails]


@dataclass
class Outbox:
    """The outbox of a world of its own, at a clock that the test moves."""

    asking: Asking
    means: Means
    head: Letterhead
    postbox: Postbox = field(default_factory=Postbox)
    now: datetime = world.NOW

    @property
    def database(self) -> Database:
        return self.asking.database

    def sender(self, postbox: Any = None) -> Sender:
        return Sender(self.database, postbox or self.postbox, self.head, lambda: self.now)

    async def drain(self) -> int:
        return await self.sender().drain()

    def work(self, connection: Any) -> Work:
        return Work(connection, self.asking.product.matrix, Visitor(), self.now, self.means, Exchange())

    async def post(self, kind: LetterKind, to: str = "ada", link: LinkKind | None = None) -> UUID | None:
        """A letter to that member, with a link of that kind; the id of the link."""
        person = world.person(to)
        async with self.database.transaction() as connection:
            work = self.work(connection)
            link_id = None
            if link is not None:
                link_id = await make_link(work, link, person.id, lifetime=timedelta(days=14))
            await post(work, kind, person.email, person.id, link_id=link_id)
        return link_id

    async def execute(self, sql: str, *values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(sql, *values)

    async def waiting(self) -> int:
        async with self.database.transaction() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM outgoing_mail"))


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def eml_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"))


@pytest.fixture
def outbox(asking_alone: Asking, means: Means, settings: Any) -> Outbox:
    addresses = addresses_of(settings, means.tokens)
    return Outbox(asking_alone, means, read_letterhead("Shop <members@shop.example>", addresses))
