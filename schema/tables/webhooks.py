"""Where partners want to be told of withdrawals, and what is on its way there.

No secret stands here: what signs is derived from the master secret, the endpoint's id and its `generation`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Text, text
from sqlalchemy import Uuid as SAUuid
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


class EndpointStatus(StrEnum):
    """Whether anything is sent there: DISABLED by an officer, GONE because the receiver said so (410)."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    GONE = "GONE"


class MessageKind(StrEnum):
    """What a message tells, as `type` of its payload."""

    WITHDRAWN = "members.withdrawn"
    ERASED = "members.erased"
    TEST = "webhook.test"


class MessageStatus(StrEnum):
    """PENDING is tried again when it is due; DEAD waits for an officer."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class WebhookEndpoint(Table, table=True):
    """An address of a partner, for one agreement.

    `position_transaction` and `position_seq` are the last line of `share_change` that was looked at. Until
    `busy_until` one process works for it, or it rests. `former_until`: so long messages are signed with the
    secret of the generation before as well.
    """

    __tablename__ = "webhook_endpoint"

    id: UUID = row_id()
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id", index=True)
    url: str = column(_OPS, Text)
    status: str = column(_OPS, Text)
    generation: int = column(_OPS, Integer, default=1)
    former_until: datetime | None = instant(_OPS, nullable=True)
    position_transaction: int = column(_OPS, BigInteger)
    position_seq: int = column(_OPS, BigInteger)
    busy_until: datetime = instant(_OPS)
    created_at: datetime = instant(_OPS)

    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE', 'DISABLED', 'GONE')", name="status"),
        CheckConstraint("generation >= 1", name="generation"),
    )


class WebhookMessage(Table, table=True):
    """One message to one endpoint: whose withdrawal it tells, and how far it came.

    It is made of lines of `share_change` up to (`transaction`, `seq`), which order messages. `recorded_at` is
    when the log had it, and null before the first attempt (R2). `answer` is the status that the receiver
    gave last; null where there was none.
    """

    __tablename__ = "webhook_message"

    id: UUID = row_id()
    endpoint_id: UUID = column(_OPS, foreign_key="webhook_endpoint.id")
    kind: str = column(_OPS, Text)
    subjects: list[UUID] = column(DataCategory.PSEUDONYM, ARRAY(SAUuid()))
    transaction: int = column(_OPS, BigInteger)
    seq: int = column(_OPS, BigInteger)
    occurred_at: datetime = instant(_OPS)
    status: str = column(_OPS, Text)
    attempts: int = column(_OPS, Integer, default=0, server_default=text("0"))
    due_at: datetime = instant(_OPS)
    recorded_at: datetime | None = instant(_OPS, nullable=True)
    delivered_at: datetime | None = instant(_OPS, nullable=True)
    answer: int | None = column(_OPS, Integer, nullable=True)

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'DELIVERED', 'DEAD')", name="status"),
        CheckConstraint("kind IN ('members.withdrawn', 'members.erased', 'webhook.test')", name="kind"),
        Index(
            "ix_webhook_message_waiting",
            "endpoint_id",
            "due_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_webhook_message_dead", "endpoint_id", postgresql_where=text("status = 'DEAD'")),
        Index("ix_webhook_message_delivered_at", "delivered_at"),
        Index("ix_webhook_message_endpoint_id", "endpoint_id"),
    )
