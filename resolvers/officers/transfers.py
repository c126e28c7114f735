"""Transfers of the business: an acquirer, a closing date, and a notice to the members first.

CLAUSE (C8, C16): at insolvency the acquirer receives the members' data, after it was announced to them.

A transfer rests on an agreement on the basis INSOLVENCY over everything that the policy gives there. It
begins by itself: not before the closing date, and not before the notice period has passed since its approval,
which announces it and begins the mail to the members. Upkeep decides its members meanwhile, and no read shows
one of them before it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from policies.notice_texts import draft_transfer
from policies.officers import Act
from resolvers.announcing import Occasion, announce, withdraw
from resolvers.commands import partners
from resolvers.commands.grounds import approve_grounds, store_grounds
from resolvers.commands.two_officers import require_another
from resolvers.desk import Desk, written_reason
from resolvers.policy_versions import company_language
from resolvers.shares import take_turn
from resolvers.transfers import TransferStatus, TransferView, read_transfer, read_transfers
from schema.categories import Basis, DataCategory, Purpose, categories_of
from schema.errors import InputError
from schema.ids import new_id
from schema.tables.mail import LetterKind
from schema.vocabulary import AgreementStatus

FURTHEST: Final = timedelta(days=1_096)
"""How far ahead a closing date may lie."""


async def open_transfer(desk: Desk, *, acquirer: str, closing_at: datetime, reason: str) -> UUID:
    """Propose a transfer, and return its id. Nobody is told, and nothing shared, before another approves it.

    Raises:
        InputError: the date is past or too far away, or the policy shares nothing on this basis.
        NotFoundError: there is no such partner.
    """
    await desk.act(Act.TRANSFER_OPEN, f"partner {acquirer}", reason=reason)
    if not desk.now < closing_at <= desk.now + FURTHEST:
        raise InputError(f"`closing`: a moment to come, within {FURTHEST.days} days")
    (found,) = await partners.list_partners(desk.connection, acquirer)
    keys = categories_of(desk.matrix.share_mask(Basis.INSOLVENCY, Purpose.BUSINESS_TRANSFER, protected=False))
    partners.require_shared(desk.matrix, Basis.INSOLVENCY, Purpose.BUSINESS_TRANSFER, keys)
    agreement_id = await partners.insert_agreement(
        desk.connection,
        found.id,
        Basis.INSOLVENCY,
        Purpose.BUSINESS_TRANSFER,
        keys,
        (closing_at, None),
        AgreementStatus.DRAFT,
        now=desk.now,
    )
    reasons = {key.value: f"The business passes to {found.display_name}." for key in keys}
    await store_grounds(desk.connection, agreement_id, keys, reasons, officer=None, now=desk.now)
    transfer_id = new_id()
    await desk.connection.execute(
        "INSERT INTO business_transfer (id, agreement_id, closing_at, opened_by, opened_at, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        transfer_id,
        agreement_id,
        closing_at,
        desk.officer.name,
        desk.now,
        written_reason(reason),
    )
    return transfer_id


async def approve_transfer(desk: Desk, transfer_id: UUID, *, notice_days: int) -> TransferView:
    """Approve a transfer that another officer proposed, and announce it; it begins by itself.

    CLAUSE (C8, C16): the members are told on the pages, in their contract and by mail.

    Raises:
        ForbiddenError: this officer proposed it.
        InputError: it was approved or cancelled.
        NotFoundError: there is no such transfer.
    """
    await desk.act(Act.TRANSFER_APPROVE, f"transfer {transfer_id}")
    await take_turn(desk.connection, alone=True)
    transfer = await read_transfer(desk.connection, transfer_id)
    if transfer.status(desk.now) is not TransferStatus.PROPOSED:
        raise InputError(f"the transfer is {transfer.status(desk.now)}: nothing waits for approval")
    require_another(transfer.opened_by, desk.officer.name, f"transfer {transfer_id}")
    effective_at = max(transfer.closing_at, desk.now + timedelta(days=notice_days))
    notice_id = await _announce(desk, transfer, effective_at)
    await desk.connection.execute(
        "UPDATE business_transfer SET approved_by = $2, approved_at = $3, notice_id = $4 WHERE id = $1",
        transfer_id,
        desk.officer.name,
        desk.now,
        notice_id,
    )
    await approve_grounds(desk.connection, transfer.agreement_id, (), officer=desk.officer.name, now=desk.now)
    await partners.as_of(desk.connection, desk.now)
    await desk.connection.execute(
        "UPDATE agreement SET valid_from = $2, version = version + 1 WHERE id = $1",
        transfer.agreement_id,
        effective_at,
    )
    return await read_transfer(desk.connection, transfer_id)


async def cancel_transfer(desk: Desk, transfer_id: UUID) -> TransferView:
    """Call a transfer off before it begins: nothing was ever shared. Its notice is withdrawn.

    Raises:
        InputError: it has begun, or is cancelled.
        NotFoundError: there is no such transfer.
    """
    await desk.act(Act.TRANSFER_CLOSE, f"transfer {transfer_id}")
    await take_turn(desk.connection, alone=True)
    transfer = await read_transfer(desk.connection, transfer_id)
    if transfer.status(desk.now) in {TransferStatus.EFFECTIVE, TransferStatus.CANCELLED}:
        raise InputError(f"the transfer is {transfer.status(desk.now)}: it cannot be called off")
    await desk.connection.execute(
        "UPDATE business_transfer SET cancelled_by = $2, cancelled_at = $3 WHERE id = $1",
        transfer_id,
        desk.officer.name,
        desk.now,
    )
    if transfer.notice_id is not None:
        await withdraw(desk.connection, [transfer.notice_id], desk.now)
    # What upkeep has prepared is withdrawn by upkeep: the agreement never began, so nothing of it is owed.
    await partners.set_agreement_status(
        desk.connection,
        desk.matrix,
        agreement_id=transfer.agreement_id,
        status=AgreementStatus.ENDED,
        now=desk.now,
        decide=False,
    )
    return await read_transfer(desk.connection, transfer_id)


async def list_transfers(desk: Desk) -> Sequence[TransferView]:
    """Every transfer, by age."""
    await desk.act(Act.TRANSFER_READ)
    return await read_transfers(desk.connection)


async def show_transfer(desk: Desk, transfer_id: UUID) -> TransferView:
    """One transfer."""
    await desk.act(Act.TRANSFER_READ, f"transfer {transfer_id}")
    return await read_transfer(desk.connection, transfer_id)


async def _announce(desk: Desk, transfer: TransferView, effective_at: datetime) -> UUID:
    categories = await desk.connection.fetchval(
        "SELECT categories FROM agreement WHERE id = $1", transfer.agreement_id
    )
    draft = draft_transfer(transfer.acquirer_name, map(DataCategory, categories), effective_at)
    language = await company_language(desk.connection)
    # Nobody can refuse it, so everybody is told: there is no transfer without the mail.
    occasion = Occasion(desk.now, effective_at, language, LetterKind.BUSINESS_TRANSFER)
    (notice_id,) = await announce(desk.connection, [draft], occasion)
    return notice_id
