"""Partners, agreements, choices and what follows from them: `share`, one row per agreement and member."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id

_OPS = DataCategory.OPERATIONS


class Partner(Table, table=True):
    """A company that may receive projections of members. `name` is the short name used in commands.

    An `authority` was entered for a legal case: members who may not know of the case are not shown it.
    """

    __tablename__ = "partner"

    id: UUID = row_id()
    name: str = column(_OPS, Text, unique=True)
    display_name: str = column(_OPS, Text)
    created_at: datetime = instant(_OPS)
    authority: bool = column(_OPS, Boolean, default=False, server_default=text("false"))

    __table_args__ = (CheckConstraint("name ~ '^[a-z][a-z0-9-]{1,39}$'", name="name"),)


class Agreement(Table, table=True):
    """What one partner may receive, on which basis, for which purpose, and when (C8).

    It counts while its status is ACTIVE and now is in [valid_from, valid_until). `version` rises with
    each change of its terms, and contracts are cached by it. What is withdrawn has to be deleted by the
    partner within `deletion_days`; what is not confirmed `narrow_after_days` later narrows the partner's
    tokens, and after `suspend_after_days` it suspends them (null: never). `restriction` is what came of it.

    `opening`: its members are being decided as if it were ACTIVE, so that activating it is one short step.
    `suspended_at` is set as long as what a suspension withdrew is not owed; `suspended_after` is the number
    of the feed's last line before it. Until `deferred_until` no member is shown anything of it: an order
    defers its legal case.
    """

    __tablename__ = "agreement"

    id: UUID = row_id()
    partner_id: UUID = column(_OPS, foreign_key="partner.id", index=True)
    basis: str = column(_OPS, Text)
    purpose: str = column(_OPS, Text)
    categories: list[str] = column(_OPS, ARRAY(Text))
    valid_from: datetime = instant(_OPS)
    valid_until: datetime | None = instant(_OPS, nullable=True)
    status: str = column(_OPS, Text)
    version: int = column(_OPS, default=1)
    deletion_days: int = column(_OPS, Integer, default=30, server_default=text("30"))
    narrow_after_days: int | None = column(_OPS, Integer, nullable=True, default=7, server_default=text("7"))
    suspend_after_days: int | None = column(
        _OPS, Integer, nullable=True, default=21, server_default=text("21")
    )
    restriction: str = column(_OPS, Text, default="NONE", server_default="NONE")
    opening: bool = column(_OPS, Boolean, default=False, server_default=text("false"))
    suspended_at: datetime | None = instant(_OPS, nullable=True)
    suspended_after: int = column(_OPS, BigInteger, default=0, server_default=text("0"))
    deferred_until: datetime | None = instant(_OPS, nullable=True)

    __table_args__ = (
        CheckConstraint("deletion_days BETWEEN 1 AND 90", name="deletion_days"),
        CheckConstraint("narrow_after_days BETWEEN 0 AND 365", name="narrow_after_days"),
        CheckConstraint("suspend_after_days BETWEEN 0 AND 365", name="suspend_after_days"),
        CheckConstraint("restriction IN ('NONE', 'NARROWED', 'SUSPENDED')", name="restriction"),
        CheckConstraint("NOT opening OR status IN ('DRAFT', 'SUSPENDED')", name="opening"),
        CheckConstraint(
            "basis IN ('STRATEGIC', 'MARKETING', 'LEGAL', 'INSOLVENCY', 'MEMBER_REQUEST')", name="basis"
        ),
        CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'ENDED')", name="status"),
    )


class AgreementVersion(Table, table=True):
    """The terms of an agreement as they were from `recorded_at` on. A trigger of `agreement` appends them."""

    __tablename__ = "agreement_version"

    seq: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id")
    recorded_at: datetime = instant(_OPS)
    basis: str = column(_OPS, Text)
    purpose: str = column(_OPS, Text)
    categories: list[str] = column(_OPS, ARRAY(Text))
    valid_from: datetime = instant(_OPS)
    valid_until: datetime | None = instant(_OPS, nullable=True)
    status: str = column(_OPS, Text)
    version: int = column(_OPS, Integer)

    __table_args__ = (Index("ix_agreement_version_agreement_id_recorded_at", "agreement_id", "recorded_at"),)


class ClientStatus(StrEnum):
    """Whether a partner's API client may get in."""

    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"


class PartnerClient(Table, table=True):
    """An API client of a partner. It acts under exactly one agreement, so each disclosure has one basis.

    That is one about members or one about aggregates: no client sees both. It authenticates in one way; with
    none, it gets no token by itself. With `dpop`, all its tokens are bound to a key of its own (RFC 9449).
    """

    __tablename__ = "partner_client"

    client_id: str = column(_OPS, Text, primary_key=True)
    agreement_id: UUID | None = column(_OPS, foreign_key="agreement.id", nullable=True, index=True)
    aggregate_agreement_id: UUID | None = column(
        _OPS, foreign_key="aggregate_agreement.id", nullable=True, index=True
    )
    status: str = column(_OPS, Text)
    created_at: datetime = instant(_OPS)
    auth_method: str | None = column(_OPS, Text, nullable=True)
    dpop: bool = column(_OPS, Boolean, default=False, server_default=text("false"))

    __table_args__ = (
        CheckConstraint("status IN ('ACTIVE', 'REVOKED')", name="status"),
        CheckConstraint("auth_method IN ('client_secret_basic', 'private_key_jwt')", name="auth_method"),
        CheckConstraint("num_nonnulls(agreement_id, aggregate_agreement_id) = 1", name="one_agreement"),
    )


class Notice(Table, table=True):
    """The announcement of a new practice: what may be shared from `effective_at` on, unless refused (C16).

    `version` is the publication that made it; null: it was written otherwise. `regions` says where it is new;
    null: everywhere. `withdrawn_at`: it was taken back before it was applied.

    Title and body are in `language`, the company's; `translations` has them in the others that the program
    speaks, as `{"de": {"title": ..., "body": ...}}`. They stay as they were published: what members were told
    is on record. `mailing_id`: how the members are told by mail; null: they are not.
    """

    __tablename__ = "notice"

    id: UUID = row_id()
    title: str = column(_OPS, Text)
    body: str = column(_OPS, Text)
    basis: str = column(_OPS, Text)
    purpose: str = column(_OPS, Text)
    categories: list[str] = column(_OPS, ARRAY(Text))
    published_at: datetime = instant(_OPS)
    effective_at: datetime = instant(_OPS)
    version: int | None = column(
        _OPS, Integer, foreign_key="policy_version.number", nullable=True, index=True
    )
    regions: list[str] | None = column(_OPS, ARRAY(Text), nullable=True)
    withdrawn_at: datetime | None = instant(_OPS, nullable=True)
    language: str = column(_OPS, Text, default="en", server_default=text("'en'"))
    translations: dict[str, Any] = column(_OPS, JSONB, server_default=text("'{}'::jsonb"))
    mailing_id: UUID | None = column(_OPS, foreign_key="notice_mailing.id", nullable=True, index=True)


class ChoiceRecord(Table, table=True):
    """One opt-in or opt-out, never changed and never removed while the member exists (C11).

    `topic` is what it is about: sharing with others, or our own newsletter. A null selector means "all".
    `requested_at` is the date of the request and decides; `received_at` is when it arrived and decides
    nothing. `notice_id` names the new practice that the member answered to; its basis, purpose and categories
    were copied (C16).
    `policy` is the digest of the policy in force when it arrived, where it came by the gateway itself.
    `ends_at` makes it a request to one company for one purpose, which ends by itself (C8 d).
    """

    __tablename__ = "choice"

    id: UUID = row_id()
    member_id: UUID = member_key()
    requested_at: datetime = instant(DataCategory.PRIVACY_PREFERENCES)
    received_at: datetime = instant(DataCategory.PRIVACY_PREFERENCES)
    topic: str = column(DataCategory.PRIVACY_PREFERENCES, Text, server_default="SHARING", default="SHARING")
    direction: str = column(DataCategory.PRIVACY_PREFERENCES, Text)
    source: str = column(DataCategory.PRIVACY_PREFERENCES, Text)
    partner_id: UUID | None = column(
        DataCategory.PRIVACY_PREFERENCES, foreign_key="partner.id", nullable=True, index=True
    )
    purpose: str | None = column(DataCategory.PRIVACY_PREFERENCES, Text, nullable=True)
    categories: list[str] | None = column(DataCategory.PRIVACY_PREFERENCES, ARRAY(Text), nullable=True)
    basis: str | None = column(DataCategory.PRIVACY_PREFERENCES, Text, nullable=True)
    notice_id: UUID | None = column(
        DataCategory.PRIVACY_PREFERENCES, foreign_key="notice.id", nullable=True, index=True
    )
    policy: str | None = column(DataCategory.PRIVACY_PREFERENCES, Text, nullable=True)
    ends_at: datetime | None = instant(DataCategory.PRIVACY_PREFERENCES, nullable=True)

    __table_args__ = (
        CheckConstraint(
            "ends_at IS NULL OR (direction = 'IN' AND topic = 'SHARING' AND basis IS NOT DISTINCT FROM"
            " 'MEMBER_REQUEST' AND partner_id IS NOT NULL AND purpose IS NOT NULL"
            " AND ends_at > requested_at)",
            name="request",
        ),
        CheckConstraint("direction IN ('IN', 'OUT')", name="direction"),
        CheckConstraint("topic IN ('SHARING', 'NEWSLETTER')", name="topic"),
    )


class PairwiseSubject(Table, table=True):
    """The id by which one partner knows one member: random, so that two partners cannot join on it."""

    __tablename__ = "pairwise_subject"

    partner_id: UUID = column(_OPS, foreign_key="partner.id", primary_key=True)
    member_id: UUID = member_key(primary_key=True)
    subject: UUID = column(DataCategory.PSEUDONYM, unique=True)


class Share(Table, table=True):
    """What policy, agreement and the member's choices leave of one member for one agreement.

    INVARIANT (no-row-no-member): a member without a row here does not exist for that agreement.
    `mask` has the bits of `schema.categories.SHARE_BITS` and is never zero. From `ends_at` on the row counts
    for nothing. Written only by `resolvers.share_rows`, read by every partner projection.
    """

    __tablename__ = "share"

    agreement_id: UUID = column(_OPS, foreign_key="agreement.id", primary_key=True)
    subject: UUID = column(DataCategory.PSEUDONYM, primary_key=True)
    member_id: UUID = member_key()
    mask: int = column(_OPS, BigInteger)
    ends_at: datetime | None = instant(DataCategory.PRIVACY_PREFERENCES, nullable=True)

    __table_args__ = (
        CheckConstraint("mask > 0", name="mask"),
        Index("ix_share_ends_at", "ends_at", postgresql_where=text("ends_at IS NOT NULL")),
        Index("uq_share_agreement_id_member_id", "agreement_id", "member_id", unique=True),
    )


class ShareChange(Table, table=True):
    """That something which one agreement may see of one member changed: which categories, and when.

    `before` and `after` are the share masks around the change, zero where there was or is no row; `mask`
    names the categories that it is about. `erased`: the member is gone for good. Only shared categories are
    ever named here, so nobody learns of a change in what is withheld, least of all in a telephone number
    (R1).

    INVARIANT (no-gap): `transaction` is the id of the transaction that wrote the line. Whoever reads in the
    order (`transaction`, `seq`), and only lines of transactions below the oldest one still running
    (`pg_snapshot_xmin`), never sees a line appear before one that was read already.
    """

    __tablename__ = "share_change"

    seq: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id")
    subject: UUID = column(DataCategory.PSEUDONYM)
    mask: int = column(_OPS, BigInteger)
    before: int = column(_OPS, BigInteger)
    after: int = column(_OPS, BigInteger)
    erased: bool = column(_OPS, Boolean, default=False, server_default=text("false"))
    transaction: int = column(
        _OPS, BigInteger, server_default=text("pg_current_xact_id()::text::bigint"), default=None
    )
    changed_at: datetime = instant(_OPS)

    __table_args__ = (
        Index("ix_share_change_lookup", "agreement_id", "subject", "changed_at"),
        Index("ix_share_change_feed", "agreement_id", "transaction", "seq"),
    )


class Deletion(Table, table=True):
    """What a partner has to delete of one member, since it was withdrawn: open until the partner confirms it.

    There is at most one open one for an agreement and a member; what is withdrawn meanwhile is added to
    `mask`, and what is shared again is taken out. `erased`: the pairwise id itself has to go as well.
    Written by `resolvers.share_rows`, for an erasure as well, in the transaction that withdraws. Confirmed
    by a statement of the partner's (`resolvers.commands.deletions`).
    """

    __tablename__ = "deletion"

    id: UUID = row_id()
    agreement_id: UUID = column(_OPS, foreign_key="agreement.id")
    subject: UUID = column(DataCategory.PSEUDONYM)
    member_id: UUID | None = column(
        _OPS, foreign_key="member.id", nullable=True, on_delete="SET NULL", index=True
    )
    mask: int = column(DataCategory.PRIVACY_PREFERENCES, BigInteger)
    erased: bool = column(_OPS, Boolean, default=False, server_default=text("false"))
    withdrawn_at: datetime = instant(DataCategory.PRIVACY_PREFERENCES)
    due_at: datetime = instant(DataCategory.PRIVACY_PREFERENCES)
    told_at: datetime | None = instant(DataCategory.PRIVACY_PREFERENCES, nullable=True)
    confirmed_at: datetime | None = instant(DataCategory.PRIVACY_PREFERENCES, nullable=True)
    statement_id: UUID | None = column(
        _OPS, foreign_key="deletion_statement.id", nullable=True, on_delete="SET NULL", index=True
    )

    __table_args__ = (
        CheckConstraint("mask >= 0", name="mask"),
        Index(
            "uq_deletion_open",
            "agreement_id",
            "subject",
            unique=True,
            postgresql_where=text("confirmed_at IS NULL"),
        ),
        Index("ix_deletion_agreement_id_due_at", "agreement_id", "due_at"),
    )


class AppliedPolicy(Table, table=True):
    """One row: by which policy and rules `share` was decided. Another digest at start-up decides it again."""

    __tablename__ = "applied_policy"

    digest: str = column(_OPS, Text, primary_key=True)
    applied_at: datetime = instant(_OPS)
