"""What the system keeps about its own working: disclosures, revocations, documents, imports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, Text
from sqlalchemy import Uuid as SAUuid
from sqlalchemy.dialects.postgresql import ARRAY

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS
_PREFERENCES = DataCategory.PRIVACY_PREFERENCES


class Disclosure(Table, table=True):
    """One response that left to a partner: who, what, whose, why (R2). Committed before the bytes go.

    `members` are the members' `log_id`s: when a member is erased, nothing tells any more whose they were,
    and no record changes. No foreign keys: a record outlives what it speaks of.
    """

    __tablename__ = "disclosure"

    id: UUID = row_id()
    recorded_at: datetime = instant(_PREFERENCES)
    partner_id: UUID = column(_PREFERENCES)
    agreement_id: UUID = column(_OPS)
    client_id: str = column(_OPS, Text)
    token_id: str = column(_OPS, Text)
    operation_name: str | None = column(_OPS, Text, nullable=True)
    operation_hash: str = column(_OPS, Text)
    basis: str = column(_PREFERENCES, Text)
    purpose: str = column(_PREFERENCES, Text)
    categories: list[str] = column(_PREFERENCES, ARRAY(Text))
    members: list[UUID] = column(_OPS, ARRAY(SAUuid()))

    __table_args__ = (
        Index("ix_disclosure_members", "members", postgresql_using="gin"),
        Index("ix_disclosure_partner_id_recorded_at", "partner_id", "recorded_at"),
    )


class Revocation(Table, table=True):
    """An append-only line: something that caches believed is no longer so.

    `kind` is TOKEN, CLIENT, AGREEMENT, MEMBER or POLICY and `subject` the id of that thing; every
    replica follows this table (`gateway.identity.authority`).
    """

    __tablename__ = "revocation"

    seq: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    kind: str = column(_OPS, Text)
    subject: str = column(_OPS, Text)
    revoked_at: datetime = instant(_OPS)
    expires_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (Index("ix_revocation_kind_subject", "kind", "subject"),)


class PersistedDocument(Table, table=True):
    """A GraphQL document registered for one client, named by its id and by its SHA-256."""

    __tablename__ = "persisted_document"

    client_id: str = column(_OPS, Text, primary_key=True)
    document_id: str = column(_OPS, Text, primary_key=True)
    sha256: str = column(_OPS, Text)
    body: str = column(_OPS, Text)
    registered_at: datetime = instant(_OPS)

    __table_args__ = (Index("uq_persisted_document_client_id_sha256", "client_id", "sha256", unique=True),)


class ImportJob(Table, table=True):
    """How far an import of one file came, so that it resumes where it stopped."""

    __tablename__ = "import_job"

    id: UUID = row_id()
    file_sha256: str = column(_OPS, Text)
    mapping: str = column(_OPS, Text)
    rows_done: int = column(_OPS, Integer)
    accepted: int = column(_OPS, Integer)
    invited: int = column(_OPS, Integer)
    rejected: int = column(_OPS, Integer)
    started_at: datetime = instant(_OPS)
    finished_at: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (Index("uq_import_job_file_sha256_mapping", "file_sha256", "mapping", unique=True),)
