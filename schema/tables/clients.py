"""How partners' clients prove who they are: their public keys, and what they have used once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, Text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant

_OPS = DataCategory.OPERATIONS


class ClientKey(Table, table=True):
    """A public key that a client signs its assertions with, as a JWK (RFC 7517).

    Counts until `expires_at`; a client may have several, so that it changes keys without a gap.
    """

    __tablename__ = "client_key"

    client_id: str = column(_OPS, Text, foreign_key="partner_client.client_id", primary_key=True)
    kid: str = column(_OPS, Text, primary_key=True)
    jwk: str = column(_OPS, Text)
    added_at: datetime = instant(_OPS)
    expires_at: datetime | None = instant(_OPS, nullable=True)


class UsedJti(Table, table=True):
    """That an assertion or a DPoP proof was used: it counts once, in whichever replica.

    `key` is a digest of who made it and of its `jti`.
    """

    __tablename__ = "used_jti"

    key: bytes = column(_OPS, LargeBinary, primary_key=True)
    expires_at: datetime = instant(_OPS, index=True)
