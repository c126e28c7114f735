"""The means that commands work with (`resolvers.means`), made of settings and keys."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final
from uuid import UUID

from gateway.identity.officers import ENTRANCE, OFFICER_TOKEN_SECONDS, officers_audience
from gateway.identity.statements import StatementReader
from gateway.identity.tokens import MintedToken, SubjectKind, mint, own_issuer
from gateway.keys import Keyring
from gateway.settings import Settings
from policies.audience import AudienceRules
from policies.privacy_budget import thousandths
from resolvers.commands.erasure import SETTLING
from resolvers.means import AccountRules, Company, Means
from resolvers.passwords import PasswordHasher
from resolvers.sealing import PhoneSealer
from resolvers.tokens import SealedTokens
from schema.errors import SettingsError

FRONT_END: Final = "front-end"
"""The `client_id` of access tokens that members got by signing in here."""


@contextmanager
def open_means(settings: Settings, keys: Keyring, clock: Callable[[], datetime]) -> Iterator[Means]:
    """The means of one process; the threads that hash passwords run as long as this is open.

    Raises:
        SettingsError: the parameters of Argon2id are below OWASP's floor; or a request may outlast what is
            waited between closing an account and erasing it.
    """
    _require_settling(settings)
    hasher = PasswordHasher(
        memory=settings.password_memory,
        passes=settings.password_passes,
        threads=settings.password_threads,
        queue=settings.password_queue,
    )

    def mint_for(member_id: UUID, session_id: UUID) -> MintedToken:
        return mint(
            settings,
            keys,
            kind=SubjectKind.MEMBER,
            subject=str(member_id),
            client_id=FRONT_END,
            session_id=str(session_id),
        )

    def mint_for_officer(officer_id: UUID, session_id: UUID) -> MintedToken:
        return mint(
            settings,
            keys,
            kind=SubjectKind.OFFICER,
            subject=str(officer_id),
            client_id=ENTRANCE,
            audience=officers_audience(settings),
            lifetime=OFFICER_TOKEN_SECONDS,
            session_id=str(session_id),
        )

    def attempt_key(counted: str) -> bytes:
        return hmac.digest(keys.attempt_key, counted.encode(), "sha256")

    try:
        yield Means(
            sealer=PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id),
            tokens=SealedTokens(keys.token_key),
            passwords=hasher,
            mint=mint_for,
            attempt_key=attempt_key,
            factor_secret=keys.factor_secret,
            mint_for_officer=mint_for_officer,
            suppression_key=keys.suppression_key,
            rules=rules_of(settings),
            company=company_of(settings),
            clock=clock,
            read_statement=StatementReader(own_issuer(settings), settings.token_leeway),
            notice_days=settings.notice_days,
            audience=audience_rules(settings),
        )
    finally:
        hasher.close()


def _require_settling(settings: Settings) -> None:
    """Who saw a member before she left has recorded it before she is erased, and the record is buried."""
    if settings.request_timeout + settings.disclosure_timeout >= SETTLING.total_seconds():
        raise SettingsError(
            "`GATEWAY_REQUEST_TIMEOUT` and `GATEWAY_DISCLOSURE_TIMEOUT` are too long: together they stay"
            f" below {SETTLING.total_seconds():.0f}, because an erasure may follow the closing by that"
        )


def company_of(settings: Settings) -> Company:
    """The company, by what its mails and its address say."""
    name, email = parseaddr(settings.mail_from)
    return Company(name=name or email, email=email, url=str(settings.public_url))


def rules_of(settings: Settings) -> AccountRules:
    """The rules that the settings make."""
    return AccountRules(
        session_lifetime=timedelta(seconds=settings.session_lifetime),
        session_idle=timedelta(seconds=settings.session_idle),
        refresh_grace=timedelta(seconds=settings.refresh_grace),
        sign_in_attempts=settings.sign_in_attempts,
        sign_in_refill=timedelta(seconds=settings.sign_in_refill),
        address_attempts=settings.address_attempts,
        address_refill=timedelta(seconds=settings.address_refill),
        answer_floor=settings.answer_floor,
        erasure_grace=timedelta(days=settings.erasure_grace_days),
    )


def audience_rules(settings: Settings) -> AudienceRules:
    """What these settings decide about aggregates.

    Raises:
        SettingsError: a budget with more than three decimal places.
    """
    everyone = thousandths(settings.aggregate_budget)
    internal = thousandths(settings.aggregate_internal_budget)
    if everyone is None or internal is None:
        raise SettingsError(
            "`GATEWAY_AGGREGATE_BUDGET` and `GATEWAY_AGGREGATE_INTERNAL_BUDGET`: at most three decimal places"
        )
    return AudienceRules(
        regions=settings.aggregate_regions,
        interests=settings.aggregate_interests,
        interests_counted=settings.aggregate_interests_counted,
        minimum_cohort=settings.aggregate_minimum_cohort,
        everyone_budget=everyone,
        internal_budget=internal,
    )
