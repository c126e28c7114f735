"""The record of what has left to partners: searched, verified, kept elsewhere (R2)."""

from __future__ import annotations

from collections.abc import Sequence

from asyncpg import Record

from policies.officers import Act
from resolvers import disclosure_reading
from resolvers.desk import Desk
from resolvers.disclosure_reading import Sign, Wanted


async def search_disclosures(
    desk: Desk, wanted: Wanted, most: int, *, before: int | None = None
) -> Sequence[Record]:
    """The newest records that are wanted, below the place `before`: ids, categories, how many members."""
    await desk.act(
        Act.DISCLOSURE_READ,
        "" if wanted.partner is None else f"partner {wanted.partner}",
        number=wanted.member,
    )
    return await disclosure_reading.list_disclosures(desk.connection, wanted, most, before=before)


async def note_export(desk: Desk) -> None:
    """The whole log is about to be written out. It is read in a transaction of its own, at one moment."""
    await desk.act(Act.DISCLOSURE_READ, "the whole log")


async def note_verification(desk: Desk) -> None:
    """The whole log is about to be verified, in a transaction of its own, at one moment."""
    await desk.act(Act.DISCLOSURE_VERIFY, "the whole log")


async def make_statement(desk: Desk, sign: Sign) -> str:
    """A signed statement of how far the log is."""
    await desk.act(Act.DISCLOSURE_VERIFY, "a checkpoint")
    return await disclosure_reading.make_statement(desk.connection, desk.now, sign)
