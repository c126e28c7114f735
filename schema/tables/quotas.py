"""What clients and agreements may use in a window of time, and what they have used of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Text, text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant

_OPS = DataCategory.OPERATIONS


class Quota(Table, table=True):
    """The count of one unit for one agreement, or for one client of it (`client_id` is not empty then).

    `allowed` is what officers have set for a window; null where the setting holds. `taken` is what replicas
    have taken out of the window that began at `window_start`: used already, or about to be. `granted` is what
    the last of them was given. The counts are of requests and of members delivered, never of whom.
    """

    __tablename__ = "quota"

    agreement_id: UUID = column(_OPS, foreign_key="agreement.id", primary_key=True)
    client_id: str = column(_OPS, Text, primary_key=True)
    unit: str = column(_OPS, Text, primary_key=True)
    allowed: int | None = column(_OPS, BigInteger, nullable=True)
    window_start: datetime = instant(_OPS)
    taken: int = column(_OPS, BigInteger, server_default=text("0"), default=0)
    granted: int = column(_OPS, BigInteger, server_default=text("0"), default=0)

    __table_args__ = (
        CheckConstraint("unit IN ('REQUESTS', 'MEMBERS')", name="unit"),
        CheckConstraint("allowed >= 0", name="allowed"),
        CheckConstraint("taken >= 0 AND granted >= 0", name="counts"),
    )
