"""What each partner may get of the member who asks, and why."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import computed, structural
from schema.categories import Basis, DataCategory, Purpose

_CATEGORY = DataCategory.PRIVACY_PREFERENCES


@strawberry.type(name="CategoryOutcome", description="What becomes of one data category, and why.")
class CategoryOutcomeType:
    """One decision, with what it rests on."""

    category: str = computed(_CATEGORY, "The key of the data category.")
    label: str = computed(_CATEGORY, "The category in words.")
    reason: str = computed(
        _CATEGORY,
        "Stable. Leaves: PRESUMED, REQUESTED. Withheld: NOT_IN_FORCE, POLICY, AGREEMENT, NOT_NAMED, INACTIVE,"
        " PROTECTED, REFUSED, NOT_REQUESTED. Either: CHANGING.",
    )
    message: str = computed(_CATEGORY, "The reason in words.")
    evidence: list[str] = computed(
        _CATEGORY, "What the reason rests on: rules of the policy, terms, dates of your choices."
    )


@strawberry.type(name="CategoryReason", description="What a partner needs a data category for.")
class CategoryReasonType:
    """A category that an agreement names, with the reason that the partner stated for it."""

    category: str = structural("The key of the data category; it covers the ones below it.")
    label: str = structural("The category in words.")
    reason: str | None = structural("The reason, as the partner stated it; null where none was asked for.")


@strawberry.type(name="PartnerAgreement", description="One agreement of a partner, and what it gives of you.")
class PartnerAgreementType:
    """An agreement that is in force or begins later, applied to the member who asks."""

    id: strawberry.ID = structural("Names the agreement, as in `previewAsPartner`.")
    basis: Basis = structural("Why data may leave.")
    purpose: Purpose = structural("What it is used for.")
    categories: list[str] = structural("The data categories that it names; each covers the ones below it.")
    reasons: list[CategoryReasonType] = structural("Why the partner needs each of these categories.")
    valid_from: datetime = structural("First moment of the agreement.")
    valid_until: datetime | None = structural("Its end; null: until ended.")
    ends_at: datetime | None = computed(
        _CATEGORY, "When what you asked it to be given ends by itself; null: you asked for nothing."
    )
    in_force: bool = structural("Whether it counts now. If not, the rest tells what will be so when it does.")
    leaves: list[CategoryOutcomeType] = computed(
        _CATEGORY, "What the partner may get of you. A token with fewer scopes gets less."
    )
    withheld: list[CategoryOutcomeType] = computed(
        _CATEGORY, "What the agreement names and the partner does not get of you."
    )


@strawberry.type(name="PartnerOverview", description="A partner, and what it may get of you.")
class PartnerOverviewType:
    """One partner with its agreements."""

    name: str = structural("Short name, as in `choose`.")
    display_name: str = structural("Name.")
    agreements: list[PartnerAgreementType] = structural("In force or yet to begin; none: it gets nothing.")
