"""What an access archive leaves out (C12), and why: columns of the tables in it, and whole tables.

`tests/schema/test_archive.py` holds that nothing is forgotten: a new table or column has to be thought about,
here or in `schema.archive`.

CLAUSE (C12): what an archive leaves out is listed with its reason; everything else is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COLUMNS_LEFT_OUT: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("member", "log_id"): "after an erasure it would tell whose the records of the log were",
        ("officer_action", "seq"): "orders the lines of all",
        ("officer_action", "told"): "whether the line stands in your account as well",
        ("officer_action", "officer"): "it names somebody on the staff",
        ("officer_action", "member_log_id"): "after an erasure it would tell whose the lines of the log were",
        ("disclosure", "members"): "it names the others whose data were in the same response",
        ("disclosure", "token_id"): "it names a credential of the company that asked",
        ("disclosure", "operation_hash"): "a digest of what the company's program asked",
        ("disclosure", "writer"): "where the record stands in the proof of the log",
        ("disclosure", "position"): "where the record stands in the proof of the log",
        ("disclosure", "digest"): "where the record stands in the proof of the log",
        ("disclosure", "place"): "where the record stands in the proof of the log",
        ("legal_case", "ground"): "it may speak of others whom the case is about",
        ("legal_case", "opened_by"): "it names somebody on the staff",
        ("legal_case", "approved_by"): "it names somebody on the staff",
        ("legal_case", "closed_by"): "it names somebody on the staff",
        ("share_change", "seq"): "orders the feed of one company",
        ("share_change", "transaction"): "orders the feed of one company",
        ("suppression", "digest"): "the address once more, under a key of the company's",
        ("suppression", "generation"): "names that key",
        ("suppression", "transaction"): "orders the feed of one company",
        ("suppression", "seq"): "orders the feed of one company",
        ("done_command", "caller"): "the member's id once more",
        ("done_command", "fingerprint"): "a digest of what was sent",
        ("revocation", "seq"): "orders the lines of all",
        ("revocation", "subject"): "the member's id once more",
    }
)
"""Columns of the tables above that stay out. `member_id` does everywhere: it is the `id` of the profile."""

TABLES_LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attempt": "keyed digests that name nobody; gone in minutes",
        "suppression_due": "that something is to be decided again; gone in a moment",
        "suppression_watch": "what companies brought, under keys of theirs",
        "suppression_key": "that a company has a key",
        "suppression_use": "counts of companies",
        "webhook_endpoint": "addresses of companies",
        "webhook_message": "made of the changes told, and recorded as disclosures",
        "deletion_statement": "a company's signed word; what it confirmed stands in the withdrawals",
        "statement_key": "public keys of companies",
        "disclosure_of": "where the disclosures of each member stand",
        "disclosure_part": "how far the log has been gone through",
        "disclosure_writer": "processes",
        "disclosure_checkpoint": "digests",
        "partner": "companies; their names stand beside their ids",
        "partner_client": "programs of companies",
        "client_key": "public keys of companies",
        "used_jti": "digests of what companies' programs sent",
        "agreement": "companies; what it says of sharing stands beside its id",
        "agreement_category": "companies",
        "quota": "counts of companies",
        "persisted_document": "documents of companies' programs",
        "notice": "announced to everybody; the title stands beside a choice that answers it",
        "newsletter": "sent to everybody",
        "applied_policy": "a digest",
        "agreement_version": "companies",
        "business_transfer": "companies; what was received stands in the disclosures",
        "legal_case_member": "whom a case names; the case itself is told",
        "legal_deferral": "orders of courts; when they end, the case is told",
        "officer": "accounts of our staff",
        "officer_session": "sign-ins of our staff",
        "policy_version": "published to everybody",
        "notice_mailing": "how far a notice has been mailed",
        "aggregate_agreement": "companies",
        "aggregate_release": "counts of groups with noise, of nobody",
        "aggregate_answer": "which company or officer was given which of them",
        "aggregate_ledger": "sums that were spent on them",
        "import_job": "counts; which rows a file had is not kept",
    }
)
"""Tables none of whose rows is a member's own."""

VAULT_LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vault.sealed_phone": "opened with an officer's key, or not shown at all (R1, C10)",
        "vault.credential": "the hash of a password is never read back (R1, C14)",
        "vault.billing_token": "the payment processor's own token: it pays, and tells nothing",
        "vault.client_secret": "companies",
        "vault.officer_credential": "our staff",
        "vault.officer_recovery": "our staff",
    }
)
"""The sealed tables, none of which is read for an archive."""
