"""Root fields of the member contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from policies.principal import MemberPrincipal
from resolvers.context import Work, context_of, projected_root
from resolvers.partners_view import AppliedAgreement, Outcome, PartnerView, one_moment, view_partners
from resolvers.receipts import Receipt, read_receipt
from schema.catalogue import RootKind, root
from schema.categories import CATEGORY_LABELS, Audience
from schema.errors import ForbiddenError
from schema.ids import parse_uuid
from schema.types.member import MemberType
from schema.types.partners import (
    CategoryOutcomeType,
    CategoryReasonType,
    PartnerAgreementType,
    PartnerOverviewType,
)
from schema.types.receipts import ReceiptType
from schema.types.sharing import SharedMemberType


async def _me(info: Info[Any, Any]) -> Any:
    return await projected_root(info)


async def _preview(
    info: Info[Any, Any],
    agreement: Annotated[
        strawberry.ID | None, strawberry.argument(description="The id of an agreement in `partners`.")
    ] = strawberry.UNSET,
    partner: Annotated[
        str | None,
        strawberry.argument(
            description="Or the short name of a partner of which one agreement shows something of you."
        ),
    ] = strawberry.UNSET,
) -> Any:
    return await projected_root(info)


async def _partners(info: Info[Any, Any]) -> list[PartnerOverviewType]:
    async def read(work: Work) -> Sequence[PartnerView]:
        await one_moment(work.connection)
        return await view_partners(work.connection, work.matrix, _member_id(work), work.now)

    return [
        PartnerOverviewType(
            name=partner.name,
            display_name=partner.display_name,
            agreements=[_agreement(agreement) for agreement in partner.agreements],
        )
        for partner in await context_of(info).perform(read)
    ]


def _agreement(applied: AppliedAgreement) -> PartnerAgreementType:
    terms = applied.terms
    return PartnerAgreementType(
        id=strawberry.ID(str(terms.id)),
        basis=terms.basis,
        purpose=terms.purpose,
        categories=sorted(category.value for category in terms.categories),
        reasons=[
            CategoryReasonType(
                category=ground.category.value, label=CATEGORY_LABELS[ground.category], reason=ground.reason
            )
            for ground in applied.grounds
        ],
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        ends_at=applied.ends_at,
        in_force=applied.in_force,
        leaves=[_outcome(outcome) for outcome in applied.leaves],
        withheld=[_outcome(outcome) for outcome in applied.withheld],
    )


def _outcome(outcome: Outcome) -> CategoryOutcomeType:
    return CategoryOutcomeType(
        category=outcome.category.value,
        label=outcome.label,
        reason=outcome.reason,
        message=outcome.message,
        evidence=list(outcome.evidence),
    )


async def _receipt(
    info: Info[Any, Any],
    choice: Annotated[
        strawberry.ID, strawberry.argument(description="The `id` of a choice in `me.choices`.")
    ],
) -> ReceiptType | None:
    async def read(work: Work) -> Receipt | None:
        return await read_receipt(work.connection, _member_id(work), parse_uuid(choice), work.means.company)

    receipt: Receipt | None = await context_of(info).perform(read)
    if receipt is None:
        return None
    return ReceiptType(
        record_id=strawberry.ID(str(receipt.record_id)), file_name=receipt.file_name, json=receipt.json
    )


def _member_id(work: Work) -> UUID:
    if not isinstance(work.principal, MemberPrincipal):
        raise ForbiddenError("only a member may ask this")
    return work.principal.member_id


@strawberry.type
class MemberQuery:
    """What a member may ask."""

    me: MemberType = root(
        RootKind.SELF,
        Audience.MEMBER,
        description="You, and everything stored about you (C12).",
        resolver=_me,
    )
    preview_as_partner: SharedMemberType | None = root(
        RootKind.PREVIEW,
        Audience.MEMBER,
        description="You, exactly as a partner's own query would show you; null when it shows nothing of you."
        " Pass either the agreement or the partner.",
        resolver=_preview,
    )
    partners: list[PartnerOverviewType] = root(
        RootKind.PLAIN,
        Audience.MEMBER,
        description="Every partner: what it may get of you, what it does not get, and why.",
        resolver=_partners,
    )
    receipt: ReceiptType | None = root(
        RootKind.PLAIN,
        Audience.MEMBER,
        description="The receipt of one of your choices, to keep; null if you have no such choice.",
        resolver=_receipt,
    )
