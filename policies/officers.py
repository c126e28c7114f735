"""Who on the company's staff may do what: roles, acts, and which act needs a stated reason.

In come an officer, the act and the reason; out comes nothing, or the error that refuses it. The command line
and the officer's contract ask here and nowhere else. What is not listed is denied.

INVARIANT (reason-before-profile): no act that shows a member's data is permitted without a reason; whoever
asks here (`resolvers.desk`) writes the reason down before the data is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schema.categories import Basis
from schema.errors import ForbiddenError, InputError


class Role(StrEnum):
    """What an officer is there for.

    PRIVACY_OFFICER runs partners, agreements, policies, cases and requests. SUPPORT works requests off and
    reads a profile with a reason. AUDITOR reads records and changes nothing.
    """

    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    SUPPORT = "SUPPORT"
    AUDITOR = "AUDITOR"


class Channel(StrEnum):
    """By which door an officer came."""

    COMMAND_LINE = "COMMAND_LINE"
    CONTRACT = "CONTRACT"


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody on the staff who acts. `name` is the short name that the log of actions keeps.

    On the command line, whoever can run it holds the keys of the whole gateway, and so has every role.
    """

    name: str
    roles: frozenset[Role]
    channel: Channel


class Act(StrEnum):
    """What officers do: the noun, a dot, the verb, in lower case. The log of actions keeps these words."""

    PARTNER_CREATE = "partner.create"
    PARTNER_READ = "partner.read"
    PARTNER_KEYS = "partner.keys"
    AGREEMENT_CREATE = "agreement.create"
    AGREEMENT_READ = "agreement.read"
    AGREEMENT_CHANGE = "agreement.change"
    AGREEMENT_APPROVE = "agreement.approve"
    AGREEMENT_STATUS = "agreement.status"
    AGREEMENT_QUOTA = "agreement.quota"
    CLIENT_CREATE = "client.create"
    CLIENT_READ = "client.read"
    CLIENT_CREDENTIALS = "client.credentials"
    CLIENT_REVOKE = "client.revoke"
    TOKEN_ISSUE = "token.issue"  # noqa: S105 - the name of an act
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - the name of an act
    DOCUMENT_CHANGE = "document.change"
    WEBHOOK_CHANGE = "webhook.change"
    WEBHOOK_READ = "webhook.read"
    DELETION_READ = "deletion.read"
    DELETION_CONFIRM = "deletion.confirm"
    REQUEST_LIST = "request.list"
    REQUEST_READ = "request.read"
    REQUEST_ANSWER = "request.answer"
    REQUEST_FULFIL = "request.fulfil"
    CONTACT_NUMBER_READ = "contact-number.read"
    PROFILE_READ = "profile.read"
    DECISION_EXPLAIN = "decision.explain"
    DISCLOSURE_READ = "disclosure.read"
    DISCLOSURE_VERIFY = "disclosure.verify"
    SUPPRESSION_CHANGE = "suppression.change"
    NEWSLETTER_SEND = "newsletter.send"
    MEMBER_IMPORT = "member.import"
    KEY_ROTATE = "key.rotate"
    POLICY_READ = "policy.read"
    POLICY_PUBLISH = "policy.publish"
    NOTICE_READ = "notice.read"
    CASE_OPEN = "case.open"
    CASE_APPROVE = "case.approve"
    CASE_READ = "case.read"
    CASE_DEFER = "case.defer"
    CASE_DISCLOSE = "case.disclose"
    CASE_CLOSE = "case.close"
    TRANSFER_OPEN = "transfer.open"
    TRANSFER_APPROVE = "transfer.approve"
    TRANSFER_READ = "transfer.read"
    TRANSFER_CLOSE = "transfer.close"
    AUDIENCE_READ = "audience.read"
    OFFICER_CHANGE = "officer.change"
    OFFICER_READ = "officer.read"
    ACTION_READ = "action.read"
    SESSION_BEGIN = "session.begin"
    SESSION_END = "session.end"
    FACTOR_ENROL = "factor.enrol"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do an act, and whether it needs a reason. `told`: the member that it is about reads of it."""

    roles: frozenset[Role]
    reason: bool = False
    told: bool = False


_OFFICER: Final = frozenset({Role.PRIVACY_OFFICER})
_DESK: Final = frozenset({Role.PRIVACY_OFFICER, Role.SUPPORT})
_RECORDS: Final = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR})
_ALL: Final = frozenset(Role)

RULES: Final[Mapping[Act, Rule]] = MappingProxyType(
    {
        Act.PARTNER_CREATE: Rule(_OFFICER),
        Act.PARTNER_READ: Rule(_ALL),
        Act.PARTNER_KEYS: Rule(_OFFICER),
        Act.AGREEMENT_CREATE: Rule(_OFFICER),
        Act.AGREEMENT_READ: Rule(_ALL),
        Act.AGREEMENT_CHANGE: Rule(_OFFICER),
        Act.AGREEMENT_APPROVE: Rule(_OFFICER),
        Act.AGREEMENT_STATUS: Rule(_OFFICER),
        Act.AGREEMENT_QUOTA: Rule(_OFFICER),
        Act.CLIENT_CREATE: Rule(_OFFICER),
        Act.CLIENT_READ: Rule(_ALL),
        Act.CLIENT_CREDENTIALS: Rule(_OFFICER),
        Act.CLIENT_REVOKE: Rule(_OFFICER),
        Act.TOKEN_ISSUE: Rule(_OFFICER, told=True),
        Act.TOKEN_REVOKE: Rule(_OFFICER),
        Act.DOCUMENT_CHANGE: Rule(_OFFICER),
        Act.WEBHOOK_CHANGE: Rule(_OFFICER),
        Act.WEBHOOK_READ: Rule(_ALL),
        Act.DELETION_READ: Rule(_ALL),
        Act.DELETION_CONFIRM: Rule(_OFFICER),
        Act.REQUEST_LIST: Rule(_ALL),
        # What somebody wrote is personal; working it off is the reason, and the request is named.
        Act.REQUEST_READ: Rule(_DESK),
        Act.REQUEST_ANSWER: Rule(_DESK),
        Act.REQUEST_FULFIL: Rule(_OFFICER),
        Act.CONTACT_NUMBER_READ: Rule(_DESK, reason=True, told=True),
        Act.PROFILE_READ: Rule(_DESK, reason=True, told=True),
        Act.DECISION_EXPLAIN: Rule(_RECORDS),
        Act.DISCLOSURE_READ: Rule(_RECORDS),
        Act.DISCLOSURE_VERIFY: Rule(_RECORDS),
        Act.SUPPRESSION_CHANGE: Rule(_DESK),
        Act.NEWSLETTER_SEND: Rule(_OFFICER),
        Act.MEMBER_IMPORT: Rule(_OFFICER),
        Act.KEY_ROTATE: Rule(_OFFICER),
        Act.POLICY_READ: Rule(_ALL),
        Act.POLICY_PUBLISH: Rule(_OFFICER),
        Act.NOTICE_READ: Rule(_ALL),
        Act.CASE_OPEN: Rule(_OFFICER, reason=True),
        Act.CASE_APPROVE: Rule(_OFFICER),
        Act.CASE_READ: Rule(_RECORDS),
        Act.CASE_DEFER: Rule(_OFFICER),
        Act.CASE_DISCLOSE: Rule(_OFFICER, reason=True),
        Act.CASE_CLOSE: Rule(_OFFICER),
        Act.TRANSFER_OPEN: Rule(_OFFICER, reason=True),
        Act.TRANSFER_APPROVE: Rule(_OFFICER),
        Act.TRANSFER_READ: Rule(_RECORDS),
        Act.TRANSFER_CLOSE: Rule(_OFFICER),
        Act.AUDIENCE_READ: Rule(_RECORDS),
        Act.OFFICER_CHANGE: Rule(_OFFICER),
        Act.OFFICER_READ: Rule(_RECORDS),
        Act.ACTION_READ: Rule(_RECORDS),
        Act.SESSION_BEGIN: Rule(_ALL),
        Act.SESSION_END: Rule(_ALL),
        Act.FACTOR_ENROL: Rule(_ALL),
    }
)


def acts_of(roles: frozenset[Role]) -> frozenset[Act]:
    """What somebody in these roles may do."""
    return frozenset(act for act, rule in RULES.items() if rule.roles & roles)


_TOLD_BY_AGREEMENT: Final = MappingProxyType(
    {Basis.LEGAL: Act.CASE_READ, Basis.INSOLVENCY: Act.TRANSFER_READ}
)
"""An agreement of these tells what it was made for: a deferred case, a transfer not announced."""


def shown_bases(officer: Officer) -> frozenset[Basis]:
    """The bases on which an officer reads agreements. What lies behind the others is not hers to know."""
    acts = acts_of(officer.roles)
    return frozenset(basis for basis in Basis if _TOLD_BY_AGREEMENT.get(basis, Act.AGREEMENT_READ) in acts)


def require(officer: Officer, act: Act, reason: str | None = None, *, called: str = "reason") -> None:
    """Return if this officer may do this, for this reason. `called` is how whoever asks names the reason.

    The caller must still write the action down, in the transaction that does it.

    Raises:
        ForbiddenError: none of the officer's roles may.
        InputError: the act needs a reason, and none was given.
    """
    rule = RULES.get(act)
    if rule is None or not officer.roles & rule.roles:
        raise ForbiddenError(f"none of your roles may do `{act}`")
    if rule.reason and not (reason or "").strip():
        raise InputError(f"`{called}`: `{act}` is done for a reason, which is written down; state it")
