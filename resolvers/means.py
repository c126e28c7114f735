"""What commands have at hand besides the database: keys that seal, a hasher, a mint, rules of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from policies.audience import AudienceRules
from policies.principal import PartnerPrincipal
from policies.quotas import Budget
from resolvers.passwords import PasswordHasher
from resolvers.sealing import PhoneSealer
from resolvers.statements import ReadStatement, Statement, StatementKeyFacts, refused_statement
from resolvers.tokens import SealedTokens
from schema.vocabulary import QuotaUnit


class AccessToken(Protocol):
    """A new access token. `expires_at` in Unix seconds."""

    @property
    def token(self) -> str:
        """What the caller sends as a bearer token."""

    @property
    def expires_at(self) -> float:
        """When it ends by itself."""


@dataclass(frozen=True, slots=True)
class AccountRules:
    """How long things last, and how often they may be tried. See docs/settings.md."""

    session_lifetime: timedelta
    session_idle: timedelta
    refresh_grace: timedelta
    sign_in_attempts: int
    sign_in_refill: timedelta
    address_attempts: int
    address_refill: timedelta
    answer_floor: float
    """Seconds that an answer takes at least which must not tell whether an account exists."""
    erasure_grace: timedelta


@dataclass(frozen=True, slots=True)
class Company:
    """Who runs this gateway, as receipts name it: the controller of the data."""

    name: str
    email: str
    url: str


async def _nobody_listens() -> None:
    """Where nobody authenticates, nobody needs to hear."""


async def _nobody_counts(_: PartnerPrincipal) -> Mapping[QuotaUnit, Budget]:
    """Where nothing is counted, nothing is limited."""
    return {}


def _nobody_reads(
    text: str,  # noqa: ARG001 - the signature is `ReadStatement`'s
    keys: Sequence[StatementKeyFacts],  # noqa: ARG001
    *,
    client_id: str,  # noqa: ARG001
    now: datetime,  # noqa: ARG001
) -> Statement:
    raise refused_statement("nobody here reads statements")


_USUAL: Final = AudienceRules()


@dataclass(frozen=True, slots=True)
class Means:
    """One for a process.

    `mint` makes an access token for a member and a session of hers. `attempt_key` names what is counted,
    so that the count tells nobody whose it is.
    """

    sealer: PhoneSealer
    tokens: SealedTokens
    passwords: PasswordHasher
    mint: Callable[[UUID, UUID], AccessToken]
    attempt_key: Callable[[str], bytes]
    factor_secret: Callable[[UUID, UUID], bytes]
    """The secret of an officer's second factor, by officer and factor."""
    mint_for_officer: Callable[[UUID, UUID], AccessToken]
    """An access token for an officer and a session, at the officers' entrance alone."""
    suppression_key: Callable[[UUID, int], bytes]
    """The key of a partner, by its generation, under which addresses are compared."""
    rules: AccountRules
    company: Company
    clock: Callable[[], datetime]
    hear: Callable[[], Awaitable[None]] = _nobody_listens
    """Let this process know at once what a committed command has revoked; others hear of it by themselves."""
    read_statement: ReadStatement = _nobody_reads
    """Verifies a partner's statement of deletion."""
    budget: Callable[[PartnerPrincipal], Awaitable[Mapping[QuotaUnit, Budget]]] = _nobody_counts
    """What a partner may still use; what nothing limits is absent."""
    notice_days: int = 30
    """How long before what is new begins it is announced, where an officer says nothing else (C16)."""
    audience: AudienceRules = _USUAL
    """What the company decides about aggregates."""
