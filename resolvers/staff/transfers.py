"""Transfers of the business in the officer's contract (C8): the operations of `resolvers.officers.transfers`.

A transfer is proposed by one officer and approved by another; here both have signed in as who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import Info

from policies.officers import Act
from resolvers.context import context_of
from resolvers.officers import transfers
from resolvers.staff.common import asks, at_desk, concluded, does, id_of, shown_as
from resolvers.transfers import TransferView
from schema.types.staff.transfers import OpenTransferInput, TransferIdInput, TransferPayload, TransferType

TransferId = Annotated[strawberry.ID, strawberry.argument(description="The `id` in `transfers`.")]


async def _transfers(info: Info[Any, Any]) -> list[TransferType]:
    now = context_of(info).means.clock()
    return [_transfer(view, now) for view in await at_desk(info, transfers.list_transfers)]


async def _shown(info: Info[Any, Any], id: TransferId) -> TransferType:  # noqa: A002 - the GraphQL name
    transfer_id = id_of(id, "id")
    view = await at_desk(info, lambda desk: transfers.show_transfer(desk, transfer_id))
    return _transfer(view, context_of(info).means.clock())


async def _open(info: Info[Any, Any], input: OpenTransferInput) -> TransferPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        transfer_id = await at_desk(
            info,
            lambda desk: transfers.open_transfer(
                desk, acquirer=input.acquirer, closing_at=input.closing_at, reason=input.reason
            ),
        )
        return _told(info, await at_desk(info, lambda desk: transfers.show_transfer(desk, transfer_id)))

    return await concluded(TransferPayload, steps())


async def _approve(info: Info[Any, Any], input: TransferIdInput) -> TransferPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        transfer_id, days = id_of(input.id, "id"), context_of(info).means.notice_days
        view = await at_desk(
            info, lambda desk: transfers.approve_transfer(desk, transfer_id, notice_days=days)
        )
        return _told(info, view)

    return await concluded(TransferPayload, steps())


async def _cancel(info: Info[Any, Any], input: TransferIdInput) -> TransferPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        transfer_id = id_of(input.id, "id")
        return _told(info, await at_desk(info, lambda desk: transfers.cancel_transfer(desk, transfer_id)))

    return await concluded(TransferPayload, steps())


def _told(info: Info[Any, Any], view: TransferView) -> Mapping[str, Any]:
    return {"transfer": _transfer(view, context_of(info).means.clock())}


def _transfer(view: TransferView, now: datetime) -> TransferType:
    return shown_as(
        TransferType,
        view,
        status=view.status(now).value,
        agreement=strawberry.ID(str(view.agreement_id)),
        effective_at=None if view.approved_at is None else view.effective_at,
    )


@strawberry.type
class StaffTransferQuery:
    """What officers read of transfers."""

    transfers: list[TransferType] = asks(Act.TRANSFER_READ, "Every transfer, by age.", _transfers)
    transfer: TransferType = asks(Act.TRANSFER_READ, "One transfer.", _shown)


@strawberry.type
class StaffTransferMutation:
    """What officers do with transfers."""

    open_transfer: TransferPayload = does(
        Act.TRANSFER_OPEN,
        "Propose a transfer. Nobody is told, and nothing shared, before another officer approves it.",
        _open,
    )
    approve_transfer: TransferPayload = does(
        Act.TRANSFER_APPROVE,
        "Approve a transfer that another officer proposed, and announce it. It begins by itself.",
        _approve,
    )
    cancel_transfer: TransferPayload = does(
        Act.TRANSFER_CLOSE, "Call a transfer off before it begins. Its notice is withdrawn.", _cancel
    )
