"""An officer's desk: what every operation of an officer works with, at the command line and in the contract.

An operation is one function that takes a `Desk` first; both doors call that function. It begins with `act`,
which asks whether the officer may, and writes the action down in the transaction that does it: what could not
be written down did not happen.

INVARIANT (acted-then-logged-together): the line of the log and what it tells of are one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.matrix import Matrix
from policies.officer_lines import read_line
from policies.officers import RULES, Act, Channel, Officer, Role, require
from resolvers.connection import Link, Transactions
from schema.errors import NotFoundError

MAX_REASON: Final = 500
MAX_ABOUT: Final = 200


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the log. `member` is the member's `log_id`."""

    seq: int
    done_at: datetime
    officer: str
    roles: tuple[Role, ...]
    channel: Channel
    act: Act
    about: str
    reason: str | None
    member: UUID | None


@dataclass(frozen=True, slots=True)
class Desk:
    """An officer at work, inside one transaction that is not the operation's to end."""

    connection: Link
    officer: Officer
    now: datetime
    policy: Callable[[], Matrix]
    """The compiled policy. A call, because a command that decides nothing need not compile it."""

    @property
    def matrix(self) -> Matrix:
        """The policy that decides."""
        return self.policy()

    async def act(
        self,
        act: Act,
        about: str = "",
        *,
        reason: str | None = None,
        member: UUID | None = None,
        number: str | None = None,
        called: str = "reason",
    ) -> None:
        """Go on only if the officer may do this, and write it down.

        `about` is a noun and its name or id, `member` the `log_id` of the member that it is about, or
        `number` the member's number. `called` is how the operation names its reason, for errors.

        Raises:
            ForbiddenError: none of the officer's roles may.
            InputError: a reason is needed, or what was given may not be written down (R1).
            NotFoundError: there is no member of that number.
        """
        require(self.officer, act, reason, called=called)
        if number is not None:
            member = await _log_id(self.connection, number)
        await self.connection.execute(
            "INSERT INTO officer_action (done_at, officer, roles, channel, act, about, reason, member_log_id,"
            " told) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            self.now,
            self.officer.name,
            sorted(self.officer.roles),
            self.officer.channel.value,
            act.value,
            about[:MAX_ABOUT],
            None if reason is None else written_reason(reason, called=called),
            member,
            member is not None and RULES[act].told,
        )


@dataclass(frozen=True, slots=True)
class LongDesk:
    """An officer at work whose operation is several transactions, each of which leaves things right."""

    transactions: Transactions
    officer: Officer
    clock: Callable[[], datetime]
    policy: Callable[[], Matrix]

    @property
    def matrix(self) -> Matrix:
        """The policy that decides."""
        return self.policy()

    def at(self, connection: Link) -> Desk:
        """The desk in one of the transactions."""
        return Desk(connection, self.officer, self.clock(), self.policy)

    def acting(self, act: Act, about: str, *, reason: str | None = None) -> Transactions:
        """The transactions of an operation: the first of them that is committed writes the action down."""
        written = False

        @asynccontextmanager
        async def opened() -> AsyncIterator[Link]:
            nonlocal written
            async with self.transactions() as connection:
                if not written:
                    await self.at(connection).act(act, about, reason=reason)
                yield connection
            written = True

        return opened


async def list_actions(
    desk: Desk,
    *,
    officer: str | None = None,
    act: Act | None = None,
    member: UUID | None = None,
    number: str | None = None,
    about: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    first: int = 100,
) -> Sequence[Action]:
    """Actions, the latest first: of that officer, of that kind, about that member, below `before`.

    A member is named by `log_id` or by `number`; `about` is how what it is about begins.

    Raises:
        ForbiddenError: none of the officer's roles may read them.
        NotFoundError: there is no member of that number.
    """
    await desk.act(Act.ACTION_READ, number=number)
    if number is not None:
        member = await _log_id(desk.connection, number)
    rows = await desk.connection.fetch(
        "SELECT seq, done_at, officer, roles, channel, act, about, reason, member_log_id FROM officer_action"
        " WHERE ($1::text IS NULL OR officer = $1) AND ($2::text IS NULL OR act = $2)"
        " AND ($3::uuid IS NULL OR member_log_id = $3) AND ($4::bigint IS NULL OR seq < $4)"
        " AND ($6::text IS NULL OR starts_with(about, $6)) AND ($7::timestamptz IS NULL OR done_at >= $7)"
        " ORDER BY seq DESC LIMIT $5",
        officer,
        None if act is None else act.value,
        member,
        before,
        first,
        about,
        since,
    )
    return [
        Action(
            seq=row["seq"],
            done_at=row["done_at"],
            officer=row["officer"],
            roles=tuple(Role(role) for role in row["roles"]),
            channel=Channel(row["channel"]),
            act=Act(row["act"]),
            about=row["about"],
            reason=row["reason"],
            member=row["member_log_id"],
        )
        for row in rows
    ]


async def _log_id(connection: Link, number: str) -> UUID:
    log_id: UUID | None = await connection.fetchval("SELECT log_id FROM member WHERE number = $1", number)
    if log_id is None:
        raise NotFoundError("there is no member of that number")
    return log_id


def written_reason(reason: str, *, called: str = "reason") -> str:
    """A reason as it is written down. `called` is how the operation names it, for errors.

    Raises:
        InputError: it is too long, or holds what may not be kept (`policies.officer_lines`).
    """
    return read_line(called, reason, longest=MAX_REASON, fewest=0)
