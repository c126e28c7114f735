"""The receipt of a choice, as its member downloads it."""

from __future__ import annotations

import strawberry

from schema.catalogue import computed
from schema.categories import DataCategory

_CATEGORY = DataCategory.PRIVACY_PREFERENCES


@strawberry.type(
    name="Receipt", description="The receipt of one choice, with the fields of ISO/IEC TS 27560:2023."
)
class ReceiptType:
    """A record to keep: the same text whenever it is asked for."""

    record_id: strawberry.ID = computed(_CATEGORY, "The choice that it is the receipt of.")
    file_name: str = computed(_CATEGORY, "What to call the file.")
    json: str = computed(_CATEGORY, "The file: JSON, the same bytes each time.")
