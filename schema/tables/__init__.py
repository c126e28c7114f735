"""SQLModel tables by noun. Importing this package registers every table with its metadata."""

from __future__ import annotations

from schema.tables.account import Attempt, DoneCommand, OneTimeLink, Session
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
from schema.tables.aggregates import (
    AggregateAgreement,
    AggregateAnswer,
    AggregateLedger,
    AggregateRelease,
)
from schema.tables.base import VAULT_SCHEMA, Table, VaultTable
from schema.tables.cases import BusinessTransfer, LegalCase, LegalCaseMember, LegalDeferral
from schema.tables.clients import ClientKey, UsedJti
from schema.tables.compliance import AgreementCategory, DeletionStatement, StatementKey
from schema.tables.disclosures import (
    Disclosure,
    DisclosureCheckpoint,
    DisclosureOf,
    DisclosurePart,
    DisclosureWriter,
)
from schema.tables.mail import Newsletter, OutgoingMail
from schema.tables.member import BillingMethod, Member, Phone, PostalAddress
from schema.tables.officers import OfficerAccount, OfficerAction, OfficerSession
from schema.tables.operations import ImportJob, PersistedDocument, Revocation
from schema.tables.policy import NoticeMailing, PolicyVersion
from schema.tables.quotas import Quota
from schema.tables.requests import RequestRecord
from schema.tables.sharing import (
    Agreement,
    AgreementVersion,
    AppliedPolicy,
    ChoiceRecord,
    Deletion,
    Notice,
    PairwiseSubject,
    Partner,
    PartnerClient,
    Share,
    ShareChange,
)
from schema.tables.suppression import (
    RefusedAddress,
    Suppression,
    SuppressionDue,
    SuppressionKey,
    SuppressionUse,
    SuppressionWatch,
)
from schema.tables.vault import (
    BillingToken,
    ClientSecret,
    Credential,
    OfficerCredential,
    OfficerRecovery,
    SealedPhone,
)
from schema.tables.webhooks import WebhookEndpoint, WebhookMessage

__all__ = [
    "VAULT_SCHEMA",
    "AggregateAgreement",
    "AggregateAnswer",
    "AggregateLedger",
    "AggregateRelease",
    "Agreement",
    "AgreementCategory",
    "AgreementVersion",
    "AppliedPolicy",
    "Attempt",
    "BillingMethod",
    "BillingToken",
    "BusinessTransfer",
    "Cart",
    "CartItem",
    "ChoiceRecord",
    "ClientKey",
    "ClientSecret",
    "Communication",
    "Credential",
    "Deletion",
    "DeletionStatement",
    "Disclosure",
    "DisclosureCheckpoint",
    "DisclosureOf",
    "DisclosurePart",
    "DisclosureWriter",
    "DoneCommand",
    "ImportJob",
    "Interaction",
    "LegalCase",
    "LegalCaseMember",
    "LegalDeferral",
    "Member",
    "Newsletter",
    "Notice",
    "NoticeMailing",
    "OfficerAccount",
    "OfficerAction",
    "OfficerCredential",
    "OfficerRecovery",
    "OfficerSession",
    "OneTimeLink",
    "Order",
    "OrderLine",
    "OutgoingMail",
    "PageView",
    "PairwiseSubject",
    "Partner",
    "PartnerClient",
    "PersistedDocument",
    "Phone",
    "PolicyVersion",
    "PostalAddress",
    "Quota",
    "RefusedAddress",
    "RequestRecord",
    "Revocation",
    "SealedPhone",
    "Session",
    "Share",
    "ShareChange",
    "StatementKey",
    "Suppression",
    "SuppressionDue",
    "SuppressionKey",
    "SuppressionUse",
    "SuppressionWatch",
    "Table",
    "UsedJti",
    "VaultTable",
    "Visit",
    "WebhookEndpoint",
    "WebhookMessage",
]
