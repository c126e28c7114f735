"""Access requests, fulfilled with an archive (C12): begun before anything is read, closed when it is made.

Each function is one step of a command, in a transaction of its own. Between the two the archive is made; if
that fails, the request stays under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.officers import Act
from resolvers.commands.letters import put_letter
from resolvers.commands.request_desk import lock_request, member_of_request, require_under_way
from resolvers.desk import Desk
from schema.errors import InputError, NotFoundError
from schema.tables.mail import LetterKind
from schema.tables.requests import RequestKind, RequestStatus

_PICKED_UP: Final = "Your archive is ready: everything that we store about you, in one encrypted file."
_WITH_KEY: Final = (
    f"{_PICKED_UP} It is encrypted to the key that you gave us. Open it with a program for age files, such as"
    " age (https://age-encryption.org): age -d -i YOUR-KEY-FILE -o archive.zip FILE"
)
_WITH_PASSPHRASE: Final = (
    f"{_PICKED_UP} It opens with the passphrase that you and we agreed on, or that we tell you by another way"
    " than the file. Open it with a program for age files, such as age (https://age-encryption.org):"
    " age -d -o archive.zip FILE"
)
_THEN: Final = "\nUnpack archive.zip, then open index.html with a browser."


@dataclass(frozen=True, slots=True)
class Asked:
    """An access request that is being fulfilled. `recipient`: the key that the member gave with it."""

    request_id: UUID
    member_id: UUID
    member_number: str
    recipient: str | None


async def begin_fulfilment(desk: Desk, request_id: UUID) -> Asked:
    """All data of the member who asked are about to be read; the request can be taken back no more.

    The caller commits before it reads.

    Raises:
        ForbiddenError: none of the officer's roles may.
        InputError: it is no access request, or is over.
        NotFoundError: there is none of that id.
    """
    await desk.act(
        Act.REQUEST_FULFIL,
        f"request {request_id}",
        member=await member_of_request(desk.connection, request_id),
    )
    row = await _lock_under_way(desk, request_id)
    await desk.connection.execute(
        "UPDATE member_request SET status = $2 WHERE id = $1", request_id, RequestStatus.IN_PROGRESS.value
    )
    return Asked(request_id, row["member_id"], row["number"], row["recipient"])


async def close_fulfilled(desk: Desk, request_id: UUID, *, to_key: bool) -> None:
    """Close a request whose archive is made, say how it is opened, and mail that there is an answer.

    Raises:
        InputError: it was closed meanwhile.
        NotFoundError: it was erased meanwhile, with its member.
    """
    await desk.act(
        Act.REQUEST_ANSWER,
        f"request {request_id}",
        member=await member_of_request(desk.connection, request_id),
    )
    row = await _lock_under_way(desk, request_id)
    await desk.connection.execute(
        "UPDATE member_request SET status = $2, outcome = $3, closed_at = $4 WHERE id = $1",
        request_id,
        RequestStatus.DONE.value,
        (_WITH_KEY if to_key else _WITH_PASSPHRASE) + _THEN,
        desk.now,
    )
    await put_letter(
        desk.connection, LetterKind.REQUEST_ANSWERED, row["email"], row["member_id"], now=desk.now
    )


async def begin_contact(desk: Desk, number: str, reason: str) -> UUID:
    """The id of the member whose telephone numbers are about to be opened, for this reason (C10).

    The caller commits before it opens them. She reads of it in `staffAccess`.

    Raises:
        ForbiddenError: none of the officer's roles may.
        InputError: there is no reason, or it may not be written down.
        NotFoundError: there is no member of that number.
    """
    await desk.act(Act.CONTACT_NUMBER_READ, "a telephone number", reason=reason, number=number)
    found: UUID | None = await desk.connection.fetchval("SELECT id FROM member WHERE number = $1", number)
    if found is None:
        raise NotFoundError("there is no member of that number")
    return found


async def _lock_under_way(desk: Desk, request_id: UUID) -> Record:
    row = await lock_request(desk.connection, request_id)
    if row["kind"] != RequestKind.ACCESS or row["member_id"] is None:
        raise InputError(
            "this is no request for access: see `gateway requests list --kind access`; others are answered"
        )
    require_under_way(row)
    return row
