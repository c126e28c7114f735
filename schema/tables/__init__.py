"""SQLModel tables by noun. Importing this package registers every table with its metadata."""

from __future__ import annotations

from schema.tables.activity import (
    Cart,
    CartItem,
    Communication,
    Interaction,
    Order,
    OrderLine,
    PageView,
    Visit,
)
from schema.tables.base import VAULT_SCHEMA, Table, VaultTable
from schema.tables.member import BillingMethod, Member, Phone, PostalAddress
from schema.tables.operations import Disclosure, ImportJob, PersistedDocument, Revocation
from schema.tables.sharing import (
    Agreement,
    AppliedPolicy,
    ChoiceRecord,
    PairwiseSubject,
    Partner,
    PartnerClient,
    Share,
    ShareChange,
)
from schema.tables.vault import BillingToken, Credential, SealedPhone

__all__ = [
    "VAULT_SCHEMA",
    "Agreement",
    "AppliedPolicy",
    "BillingMethod",
    "BillingToken",
    "Cart",
    "CartItem",
    "ChoiceRecord",
    "Communication",
    "Credential",
    "Disclosure",
    "ImportJob",
    "Interaction",
    "Member",
    "Order",
    "OrderLine",
    "PageView",
    "PairwiseSubject",
    "Partner",
    "PartnerClient",
    "PersistedDocument",
    "Phone",
    "PostalAddress",
    "Revocation",
    "SealedPhone",
    "Share",
    "ShareChange",
    "Table",
    "VaultTable",
    "Visit",
]
