"""Fulfils one access request (C12), from the line in the log to the closed request.

1. written down and committed: an officer is about to read all of this member's data;
2. with the officer's key, the telephone numbers are opened;
3. the archive is written, as of one moment, and forced to the disk;
4. the request is closed, and the member gets a mail.

What fails at 2, 3 or 4 leaves the request under way and no file: the same command may be given again.

CLAUSE (C12): on request a member gets all that is stored, in one encrypted file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from gateway.account_means import company_of
from gateway.archive.contents import Contents
from gateway.archive.encryption import Lock, ToKeys
from gateway.archive.making import Step, make_archive
from gateway.cli.office import LongOffice
from gateway.database import Database
from gateway.driver_errors import translate_driver_errors
from gateway.officer_opening import NumberOpener, open_numbers
from resolvers.archive_reading import lift_time_limit, read_names
from resolvers.officers.access import Asked, begin_fulfilment, close_fulfilled
from schema.errors import InputError


@dataclass(frozen=True, slots=True)
class Order:
    """What an officer ordered. `lock` None: the key that the member gave with the request."""

    request_id: UUID
    out: Path
    lock: Lock | None
    opener: NumberOpener | None


async def fulfil(
    office: LongOffice, database: Database, order: Order, told: Step, made: Callable[[], None]
) -> None:
    """Do it. `made` is called when the file is whole, before the request is closed.

    Raises:
        GatewayError: it could not be done; the request is still under way.
    """
    async with office.transactions() as connection:  # 1
        asked = await begin_fulfilment(office.desk(connection), order.request_id)
        lock = order.lock or _key_of(asked)
    numbers = None
    if order.opener is not None:  # 2
        opened = await open_numbers(database, order.opener, asked.member_id)
        numbers = {str(each.phone_id): each.number for each in opened}
    with translate_driver_errors():
        async with (
            database.app.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await lift_time_limit(connection)
            contents = Contents(
                connection=connection,
                member_id=asked.member_id,
                member_number=asked.member_number,
                request_id=asked.request_id,
                made_at=office.clock(),
                company=company_of(office.settings),
                names=await read_names(connection),
                numbers=numbers,
            )
            await make_archive(order.out, lock, contents, told)  # 3
    try:
        made()
        async with office.transactions() as connection:  # 4
            await close_fulfilled(office.desk(connection), order.request_id, to_key=isinstance(lock, ToKeys))
    except BaseException:
        with contextlib.suppress(OSError):
            order.out.unlink()
        raise


def _key_of(asked: Asked) -> Lock:
    if asked.recipient is None:
        raise InputError(
            "the member gave no key with the request: agree on a passphrase and give `--passphrase-file`,"
            " or take `--new-passphrase`"
        )
    return ToKeys([asked.recipient])
