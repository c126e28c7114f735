"""What the system keeps about its own working: revocations, documents, imports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, Text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS


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
