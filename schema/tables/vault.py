"""Sealed tables, in the PostgreSQL schema `vault`: what can be stored and never read back by a contract.

The role of the projections has no grant here at all, and the role that writes may not select a
sealed number's ciphertext (`schema.migrations`). Numbers are HPKE ciphertexts (RFC 9180) to a public
key whose private half the service does not hold.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text

from schema.categories import DataCategory
from schema.tables.base import VaultTable, column, instant, row_id


class SealedPhone(VaultTable, table=True):
    """A telephone number, encrypted on arrival. `phone_id` names the row of `phone` with its label."""

    __tablename__ = "sealed_phone"

    phone_id: UUID = column(DataCategory.OPERATIONS, primary_key=True)
    member_id: UUID = column(DataCategory.OPERATIONS, index=True)
    key_id: str = column(DataCategory.OPERATIONS, Text)
    ciphertext: bytes = column(DataCategory.PHONE_NUMBER, LargeBinary)


class Credential(VaultTable, table=True):
    """A member's password hash in PHC string form (Argon2id), or bcrypt as imported."""

    __tablename__ = "credential"

    member_id: UUID = column(DataCategory.OPERATIONS, primary_key=True)
    password_hash: str = column(DataCategory.PASSWORD, Text)
    changed_at: datetime = instant(DataCategory.CREDENTIALS)


class BillingToken(VaultTable, table=True):
    """The payment processor's opaque token for a billing method."""

    __tablename__ = "billing_token"

    billing_method_id: UUID = column(DataCategory.OPERATIONS, primary_key=True)
    member_id: UUID = column(DataCategory.OPERATIONS, index=True)
    token: str = column(DataCategory.CREDENTIALS, Text)


class ClientSecret(VaultTable, table=True):
    """The SHA-256 of a secret of a partner's client: 256 random bits, so there is nothing to guess by trying.

    Counts until `expires_at`; a client has at most two, so that it changes its secret without a gap.
    """

    __tablename__ = "client_secret"

    id: UUID = row_id()
    client_id: str = column(DataCategory.OPERATIONS, Text, index=True)
    digest: bytes = column(DataCategory.CREDENTIALS, LargeBinary)
    created_at: datetime = instant(DataCategory.OPERATIONS)
    expires_at: datetime | None = instant(DataCategory.OPERATIONS, nullable=True)


class OfficerCredential(VaultTable, table=True):
    """An officer's password hash, in PHC string form (Argon2id). The second factor stands nowhere."""

    __tablename__ = "officer_credential"

    officer_id: UUID = column(DataCategory.OPERATIONS, primary_key=True)
    password_hash: str = column(DataCategory.PASSWORD, Text)
    changed_at: datetime = instant(DataCategory.CREDENTIALS)


class OfficerRecovery(VaultTable, table=True):
    """The SHA-256 of a recovery code that was not used yet: 80 random bits, so there is nothing to guess."""

    __tablename__ = "officer_recovery"

    officer_id: UUID = column(DataCategory.OPERATIONS, primary_key=True)
    digest: bytes = column(DataCategory.CREDENTIALS, LargeBinary, primary_key=True)
