"""Partners and agreements, as members see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import related, stored
from schema.categories import Basis, DataCategory, Purpose
from schema.tables import Agreement, Partner


@strawberry.type(name="Partner", description="A company that may receive data.")
class PartnerType:
    """One row of `partner`, as a member sees it."""

    name: str = stored(Partner.name, "Short name.")
    display_name: str = stored(Partner.display_name, "Name.")


@strawberry.type(name="Agreement", description="What a partner may receive, why, and for what.")
class AgreementType:
    """One row of `agreement`, as a member sees it."""

    id: strawberry.ID = stored(Agreement.id, "Names the agreement, as in `previewAsPartner`.")
    partner: PartnerType = related(
        DataCategory.OPERATIONS, "The partner.", parent=Agreement.partner_id, child=Partner.id
    )
    basis: Basis = stored(Agreement.basis, "Why data may leave.")
    purpose: Purpose = stored(Agreement.purpose, "What it is used for.")
    categories: list[str] = stored(Agreement.categories, "The data categories that it names.")
    valid_from: datetime = stored(Agreement.valid_from, "First moment of the agreement.")
    valid_until: datetime | None = stored(Agreement.valid_until, "Its end; null: until ended.")
