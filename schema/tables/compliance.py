"""What holds partners to agreements: why each category was granted, and their word on what is deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


class AgreementCategory(Table, table=True):
    """One category of an agreement: what the partner needs it for, and which officer approved it, when.

    An agreement is activated only when each of its categories has both. A category that was taken back keeps
    its row.
    """

    __tablename__ = "agreement_category"

    agreement_id: UUID = column(_OPS, foreign_key="agreement.id", primary_key=True)
    category: str = column(_OPS, Text, primary_key=True)
    reason: str | None = column(_OPS, Text, nullable=True)
    approved_by: str | None = column(_OPS, Text, nullable=True)
    approved_at: datetime | None = instant(_OPS, nullable=True)
    removed_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval"),)


class StatementKey(Table, table=True):
    """A public key with which a partner signs statements of deletion. It counts by the date of a statement.

    So a statement signed before a rotation still verifies after it. A revoked key verifies nothing new.
    """

    __tablename__ = "statement_key"

    partner_id: UUID = column(_OPS, foreign_key="partner.id", primary_key=True)
    kid: str = column(_OPS, Text, primary_key=True)
    jwk: str = column(_OPS, Text)
    added_at: datetime = instant(_OPS)
    valid_from: datetime = instant(_OPS)
    valid_until: datetime | None = instant(_OPS, nullable=True)
    revoked_at: datetime | None = instant(_OPS, nullable=True)


class DeletionStatement(Table, table=True):
    """A partner's signed word that it has deleted something: kept as it came, never changed.

    `stated_at` is the date in the statement. `token_id` is that of the request which brought it; null if an
    officer took it in.
    """

    __tablename__ = "deletion_statement"

    id: UUID = row_id()
    partner_id: UUID = column(_OPS, foreign_key="partner.id")
    jti: str = column(_OPS, Text)
    sha256: str = column(_OPS, Text)
    kid: str = column(_OPS, Text)
    jws: str = column(_OPS, Text)
    stated_at: datetime = instant(_OPS)
    received_at: datetime = instant(_OPS)
    token_id: str | None = column(_OPS, Text, nullable=True)

    __table_args__ = (
        Index("uq_deletion_statement_partner_id_jti", "partner_id", "jti", unique=True),
        Index("ix_deletion_statement_partner_id_received_at", "partner_id", "received_at"),
    )
