"""Who must not be mailed: what was asked for addresses of no member, and what follows for each partner.

`suppression` holds keyed digests of addresses, under a key of each partner's, and only of addresses for which
somebody asked not to be mailed. Written by `resolvers.suppressions` alone.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Identity, Index, Integer, LargeBinary, Text, text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, row_id

_OPS = DataCategory.OPERATIONS
_PREFERENCES = DataCategory.PRIVACY_PREFERENCES


class RefusedAddress(Table, table=True):
    """What was asked for an address, by an officer's list or by a link: no membership is needed (C9).

    `address` is in the form of `policies.email_addresses.comparable_email`. Of each direction the latest
    date of a request is kept: the later one decides, at equal dates the refusal (C11). `source` says by which
    door the last request came. Goes when a member with this address is erased.
    """

    __tablename__ = "refused_address"

    id: UUID = row_id()
    address: str = column(DataCategory.EMAIL, Text, unique=True)
    refused_at: datetime | None = instant(_PREFERENCES, nullable=True)
    allowed_at: datetime | None = instant(_PREFERENCES, nullable=True)
    received_at: datetime = instant(_PREFERENCES)
    source: str = column(_OPS, Text)

    __table_args__ = (
        CheckConstraint("num_nonnulls(refused_at, allowed_at) > 0", name="asked"),
        CheckConstraint("source IN ('OFFICER', 'LINK')", name="source"),
    )


class SuppressionKey(Table, table=True):
    """That a partner has a key, the `generation`th. The key itself is derived and stands nowhere.

    It counts until `retires_at`: for as long as two overlap, digests under either are answered.
    """

    __tablename__ = "suppression_key"

    partner_id: UUID = column(_OPS, foreign_key="partner.id", primary_key=True)
    generation: int = column(_OPS, Integer, primary_key=True)
    created_at: datetime = instant(_OPS)
    retires_at: datetime | None = instant(_OPS, nullable=True)


class Suppression(Table, table=True):
    """That an address, given by its digest, must not be mailed under an agreement; or must not any more.

    `suppressed` false: it was refused once and is allowed again; only the feed reads such a row. `since` is
    the date of the request that decided. `member_id` is the member who has the address, `refused_id` what was
    asked for the address itself. A row with neither is *kept*: whoever refused has left the address or us,
    and a refusal does not end with that. `kept_since` is the date of such a refusal, where somebody has the
    address again.

    `transaction` and `seq` order the feed, as in `share_change`: a row that changes moves to the end.
    """

    __tablename__ = "suppression"

    agreement_id: UUID = column(_OPS, foreign_key="agreement.id", primary_key=True)
    digest: bytes = column(DataCategory.PSEUDONYM, LargeBinary, primary_key=True)
    generation: int = column(_OPS, Integer)
    member_id: UUID | None = column(
        _OPS, foreign_key="member.id", nullable=True, on_delete="SET NULL", index=True
    )
    refused_id: UUID | None = column(
        _OPS, foreign_key="refused_address.id", nullable=True, on_delete="SET NULL", index=True
    )
    suppressed: bool = column(_PREFERENCES, Boolean)
    since: datetime = instant(_PREFERENCES)
    kept_since: datetime | None = instant(_PREFERENCES, nullable=True)
    changed_at: datetime = instant(_OPS)
    transaction: int = column(
        _OPS, BigInteger, server_default=text("pg_current_xact_id()::text::bigint"), default=None
    )
    seq: int = column(_OPS, BigInteger, server_default=text("nextval('suppression_seq')"), default=None)

    __table_args__ = (Index("ix_suppression_feed", "agreement_id", "transaction", "seq"),)


class SuppressionDue(Table, table=True):
    """What has to be decided again: written by triggers in the transaction that changes it, whoever does.

    Exactly one of the three is set.
    """

    __tablename__ = "suppression_due"

    seq: int = column(_OPS, BigInteger, primary_key=True, sa_column_args=(Identity(always=True),))
    member_id: UUID | None = column(_OPS, foreign_key="member.id", nullable=True, index=True)
    refused_id: UUID | None = column(_OPS, foreign_key="refused_address.id", nullable=True, index=True)
    agreement_id: UUID | None = column(_OPS, foreign_key="agreement.id", nullable=True, index=True)


class SuppressionWatch(Table, table=True):
    """That a partner brought a digest, and since when: of no other does the feed tell anything.

    `first_at` bounds what it tells: that something was allowed again which this partner could never have been
    told of is none of its business. `brought_on` is the day of the last time, by which a row runs out. No
    foreign key: for a million rows, checking each would cost as much as writing it.
    """

    __tablename__ = "suppression_watch"

    agreement_id: UUID = column(_OPS, primary_key=True)
    digest: bytes = column(_OPS, LargeBinary, primary_key=True)
    first_at: datetime = instant(_OPS)
    brought_on: date = column(_OPS, index=True)


class SuppressionUse(Table, table=True):
    """How many digests a partner has brought, on this day of UTC, that it had not brought before."""

    __tablename__ = "suppression_use"

    partner_id: UUID = column(_OPS, foreign_key="partner.id", primary_key=True)
    day: date = column(_OPS, primary_key=True)
    brought: int = column(_OPS, BigInteger)
