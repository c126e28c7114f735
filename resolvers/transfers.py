"""Transfers of the business as officers see them: to whom, when, and who decided (C8 c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from resolvers.connection import Link
from schema.errors import NotFoundError


class TransferStatus(StrEnum):
    """Where a transfer stands. Nothing is shared before it is EFFECTIVE."""

    PROPOSED = "PROPOSED"
    ANNOUNCED = "ANNOUNCED"
    EFFECTIVE = "EFFECTIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer. `effective_at` is the first moment at which anything is shared, once it is approved."""

    id: UUID
    acquirer: str
    acquirer_name: str
    agreement_id: UUID
    notice_id: UUID | None
    closing_at: datetime
    effective_at: datetime
    opened_by: str
    opened_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    cancelled_by: str | None
    cancelled_at: datetime | None
    reason: str | None
    """As it was proposed."""
    mailed: int | None
    """Members put into the outbox by now; None: it is not announced."""

    def status(self, now: datetime) -> TransferStatus:
        """Where it stands at this moment."""
        if self.cancelled_at is not None:
            return TransferStatus.CANCELLED
        if self.approved_at is None:
            return TransferStatus.PROPOSED
        return TransferStatus.ANNOUNCED if now < self.effective_at else TransferStatus.EFFECTIVE


_TRANSFERS: Final = (
    "SELECT t.id, p.name AS acquirer, p.display_name AS acquirer_name, t.agreement_id, t.notice_id,"
    " t.closing_at, a.valid_from AS effective_at, t.opened_by, t.opened_at, t.approved_by, t.approved_at,"
    " t.cancelled_by, t.cancelled_at, t.reason, (SELECT queued FROM notice JOIN notice_mailing m"
    " ON m.id = mailing_id WHERE notice.id = t.notice_id) AS mailed"
    " FROM business_transfer t JOIN agreement a ON a.id = t.agreement_id"
    " JOIN partner p ON p.id = a.partner_id WHERE $1::uuid IS NULL OR t.id = $1 ORDER BY t.opened_at, t.id"
)


async def read_transfers(connection: Link, transfer_id: UUID | None = None) -> Sequence[TransferView]:
    """Every transfer by age, or the one of that id.

    Raises:
        NotFoundError: there is none of that id.
    """
    rows = await connection.fetch(_TRANSFERS, transfer_id)
    if transfer_id is not None and not rows:
        raise NotFoundError("there is no such transfer: see `gateway transfer list`")
    return [TransferView(**row) for row in rows]


async def read_transfer(connection: Link, transfer_id: UUID) -> TransferView:
    """The transfer of that id.

    Raises:
        NotFoundError: there is none.
    """
    (found,) = await read_transfers(connection, transfer_id)
    return found


async def transfers_to_open(connection: Link) -> Sequence[UUID]:
    """The agreements of approved transfers whose members have not been decided yet. For upkeep."""
    rows = await connection.fetch(
        "SELECT agreement_id FROM business_transfer t JOIN agreement a ON a.id = t.agreement_id"
        " WHERE approved_at IS NOT NULL AND cancelled_at IS NULL AND a.status = 'DRAFT' ORDER BY t.id"
    )
    return [row["agreement_id"] for row in rows]
