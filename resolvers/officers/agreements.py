"""Agreements: what a partner receives, on which basis, for what, why, and until when (C8).

Who approves is the officer at the desk: nobody approves in another's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from policies.officers import Act, require, shown_bases
from resolvers.commands import agreement_changes, fetched, grounds, opening, partners, stopping
from resolvers.commands.agreement_changes import Changes
from resolvers.commands.fetched import Use
from resolvers.commands.partners import AgreementView
from resolvers.desk import Desk, LongDesk
from resolvers.shares import ShareChanges
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import InputError
from schema.vocabulary import AgreementStatus

LONGEST_REPORT = timedelta(days=3_650)


def _nobody_watches(_: float) -> None:
    """Where nobody sees how far it is."""


async def create_agreement(
    desk: Desk,
    *,
    partner: str,
    basis: Basis,
    purpose: Purpose,
    reasons: Mapping[str, str],
    valid_from: datetime | None,
    valid_until: datetime | None,
    draft: bool,
) -> UUID:
    """Store a new agreement as a draft, and return its id. `reasons`: of each category, "" for none yet.

    Unless it is to stay a `draft`, the officer approves its categories now; the caller activates it then.
    """
    await desk.act(Act.AGREEMENT_CREATE, f"partner {partner}")
    agreement_id, _ = await partners.create_agreement(
        desk.connection,
        desk.matrix,
        partner=partner,
        basis=basis,
        purpose=purpose,
        categories=reasons,
        valid_from=valid_from or desk.now,
        valid_until=valid_until,
        status=AgreementStatus.DRAFT,
        now=desk.now,
        reasons={key: text for key, text in reasons.items() if text},
        officer=None if draft else desk.officer.name,
    )
    if not draft:
        if not all(reasons.values()):
            raise InputError("each category needs its reason: state it, or make the agreement a draft")
        await desk.act(Act.AGREEMENT_APPROVE, f"agreement {agreement_id}")
    return agreement_id


async def list_agreements(desk: Desk, partner: str | None = None) -> Sequence[AgreementView]:
    """The agreements of that partner, or all, by partner and age: those that the officer may know of."""
    await desk.act(Act.AGREEMENT_READ, "" if partner is None else f"partner {partner}")
    shown = shown_bases(desk.officer)
    found = await partners.list_agreements(desk.connection, partner=partner)
    return [agreement for agreement in found if agreement.terms.basis in shown]


async def show_agreement(desk: Desk, agreement_id: UUID) -> AgreementView:
    """One agreement, with its grounds. Of a case or a transfer, for who may read those.

    Raises:
        NotFoundError: there is none of that id that the officer may know of.
    """
    await desk.act(Act.AGREEMENT_READ, f"agreement {agreement_id}")
    return await _known(desk, agreement_id)


async def state_reasons(desk: Desk, agreement_id: UUID, reasons: Mapping[str, str]) -> None:
    """Write down the partner's reasons. A reason that changes is to be approved anew."""
    await desk.act(Act.AGREEMENT_CHANGE, f"agreement {agreement_id}")
    await partners.require_standing(desk.connection, agreement_id)
    await grounds.state_reasons(desk.connection, agreement_id, reasons)


async def approve_grounds(desk: Desk, agreement_id: UUID, keys: Collection[str]) -> Sequence[DataCategory]:
    """Approve these categories, or all that are stated and not yet approved; and return which."""
    await desk.act(Act.AGREEMENT_APPROVE, f"agreement {agreement_id}")
    await partners.require_standing(desk.connection, agreement_id)
    return await grounds.approve_grounds(
        desk.connection, agreement_id, keys, officer=desk.officer.name, now=desk.now
    )


async def report_use(desk: Desk, agreement_id: UUID, since: timedelta) -> Sequence[Use]:
    """What is granted against what was fetched."""
    await desk.act(Act.AGREEMENT_READ, f"agreement {agreement_id}")
    if not timedelta(0) < since <= LONGEST_REPORT:
        raise InputError(f"`days`: 1 to {LONGEST_REPORT.days}")
    await _known(desk, agreement_id)
    return await fetched.report_use(desk.connection, agreement_id, desk.now - since)


async def narrow_agreement(desk: Desk, agreement_id: UUID, categories: Collection[str]) -> ShareChanges:
    """Take categories back, at once; the partner has to delete what it got of them."""
    await desk.act(Act.AGREEMENT_CHANGE, f"agreement {agreement_id}")
    await partners.require_standing(desk.connection, agreement_id)
    return await agreement_changes.narrow_agreement(
        desk.connection, desk.matrix, agreement_id=agreement_id, categories=categories, now=desk.now
    )


async def change_agreement(desk: Desk, agreement_id: UUID, changes: Changes) -> ShareChanges:
    """Change the dates of an agreement, or how long its partner may take to delete."""
    await desk.act(Act.AGREEMENT_CHANGE, f"agreement {agreement_id}")
    await partners.require_standing(desk.connection, agreement_id)
    return await agreement_changes.change_agreement(
        desk.connection, desk.matrix, agreement_id=agreement_id, changes=changes, now=desk.now
    )


async def activate_agreement(
    desk: LongDesk, agreement_id: UUID, on_progress: Callable[[float], None] = _nobody_watches
) -> ShareChanges:
    """Let a draft or suspended agreement count."""
    await _begin(desk, agreement_id)
    return await opening.activate_agreement(
        desk.acting(Act.AGREEMENT_STATUS, f"agreement {agreement_id}"),
        desk.matrix,
        agreement_id=agreement_id,
        clock=desk.clock,
        on_progress=on_progress,
    )


async def stop_agreement(
    desk: LongDesk,
    agreement_id: UUID,
    status: AgreementStatus,
    on_progress: Callable[[float], None] = _nobody_watches,
) -> ShareChanges:
    """Suspend it, so that it can be activated again, or end it for good; at once."""
    await _begin(desk, agreement_id)
    return await stopping.stop_agreement(
        desk.acting(Act.AGREEMENT_STATUS, f"agreement {agreement_id}"),
        desk.matrix,
        agreement_id=agreement_id,
        status=status,
        clock=desk.clock,
        on_progress=on_progress,
    )


async def _known(desk: Desk, agreement_id: UUID) -> AgreementView:
    (found,) = await partners.list_agreements(desk.connection, agreement_id=agreement_id)
    if found.terms.basis not in shown_bases(desk.officer):
        raise partners.no_agreement()
    return found


async def _begin(desk: LongDesk, agreement_id: UUID) -> None:
    """Ask whether the officer may, before anything is told of the agreement, and whether this is the way."""
    require(desk.officer, Act.AGREEMENT_STATUS)
    async with desk.transactions() as connection:
        await partners.require_standing(connection, agreement_id)
