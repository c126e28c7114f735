"""Every setting, its bounds and its default. Read once at start; environment variables `GATEWAY_*`.

`tests/gateway/test_settings.py` holds that docs/settings.md describes each of them.
"""

from __future__ import annotations

import os
from enum import StrEnum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final

import pydantic_settings
from pydantic import AfterValidator, AnyHttpUrl, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schema.errors import SettingsError


class DocumentPolicy(StrEnum):
    """Which GraphQL documents are admitted: any, or only those registered for the client."""

    ANY = "any"
    REGISTERED = "registered"


class TrustedIssuer(BaseModel):
    """An external issuer whose tokens are accepted for members (RFC 7519, keys by RFC 7517).

    `member_number_claim` names the claim that holds the member number.
    """

    issuer: str
    jwks_url: AnyHttpUrl
    audience: str
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("EdDSA", "ES256", "RS256")
    member_number_claim: str = "sub"


def _a_network(text: str) -> str:
    """The text, if it names a network, such as 10.20.0.0/16; raises what pydantic expects."""
    ip_network(text)
    return text


DEFAULT_PORT: Final = 8000


def _own_address(known: dict[str, Any]) -> AnyHttpUrl:
    """Where the gateway listens, as this machine reaches it. A port that is taken free is not known yet."""
    host, port = known.get("host", "127.0.0.1"), known.get("port", DEFAULT_PORT) or DEFAULT_PORT
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - it is compared, and not listened on
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return AnyHttpUrl(f"{'http' if known.get('tls_certificate') is None else 'https'}://{shown}:{port}")


class Settings(BaseSettings):
    """The gateway's settings. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="forbid", frozen=True)

    # Where things are
    data_dir: Path = Path(".data")
    """The private PostgreSQL, the keys and the secret live here, readable by the service's user only."""
    secret_file: Path | None = None
    """A file with the 32 bytes of the master secret, as a secret store mounts it. Unset: `data_dir/keys`."""
    database_url: str | None = None
    """A PostgreSQL 15 or newer of yours, as its owner. Unset: a private one in `data_dir`."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    tls_certificate: Path | None = None
    """PEM chain to serve HTTPS with; `tls_key` goes with it."""
    tls_key: Path | None = None
    behind_tls: bool = False
    """A proxy ends TLS, and only it reaches this port. Without it or a certificate: loopback only."""
    public_url: Annotated[AnyHttpUrl, Field(default_factory=_own_address)]
    """How clients reach the gateway: the issuer of its tokens and their audience. Unset: where it listens."""
    policy_dir: Path | None = None
    """A folder with `sharing.cedar` and `sharing.cedarschema`. Unset: the policy that ships."""

    # Identity
    token_lifetime: Annotated[int, Field(ge=60, le=86_400)] = 900
    token_leeway: Annotated[int, Field(ge=0, le=120)] = 30
    """Clock difference tolerated on `exp`, `nbf` and `iat`."""
    token_cache_size: Annotated[int, Field(ge=0)] = 10_000
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    revocation_staleness: Annotated[float, Field(gt=0, le=5)] = 1.0
    """For how long a cached token is believed without hearing from the revocation log."""

    # Accounts
    password_memory: Annotated[int, Field(ge=7_168, le=4_194_304)] = 19_456
    """KiB that one Argon2id hash takes; with `password_passes` never below OWASP's floor."""
    password_passes: Annotated[int, Field(ge=1, le=100)] = 2
    password_threads: Annotated[int, Field(ge=1, le=64)] = 2
    password_queue: Annotated[int, Field(ge=0)] = 64
    """Passwords that may wait to be hashed or checked; more are turned away."""
    session_lifetime: Annotated[int, Field(ge=3_600)] = 90 * 86_400
    """A session ends after this long, however much it is used."""
    session_idle: Annotated[int, Field(ge=600)] = 30 * 86_400
    """A session ends when it was not renewed for this long."""
    refresh_grace: Annotated[int, Field(ge=0, le=300)] = 30
    """For how long the refresh token before the newest one still counts: its answer may have been lost."""
    sign_in_attempts: Annotated[int, Field(ge=1)] = 10
    """Attempts in a row on one account, whoever makes them; one more every `sign_in_refill`."""
    sign_in_refill: Annotated[float, Field(gt=0)] = 60.0
    address_attempts: Annotated[int, Field(ge=1)] = 100
    """Attempts in a row from one network address (IPv6: one /64); one more every `address_refill`."""
    address_refill: Annotated[float, Field(gt=0)] = 6.0
    answer_floor: Annotated[float, Field(ge=0, le=5)] = 0.5
    """How long an answer takes at least which must not tell whether an account exists."""
    erasure_grace_days: Annotated[int, Field(ge=0, le=30)] = 14
    """How long an erasure can be cancelled; the law wants it done within a month (GDPR, Art. 12)."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-For` is believed. Empty: nobody's."""

    # Mail
    mail_url: SecretStr | None = None
    """`smtp://user:password@host:587` (STARTTLS) or `smtps://...`. Unset: .eml files in `data_dir/mail`."""
    mail_from: str = "Member services <members@localhost.localdomain>"
    front_end_url: AnyHttpUrl | None = None
    """Where links in mails lead: to this front-end, at `/confirm` and `/reset`. Unset: to pages of ours."""

    # HTTP
    max_body_bytes: Annotated[int, Field(ge=1_024)] = 100_000
    request_timeout: Annotated[float, Field(gt=0)] = 10.0
    cors_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    """Origins that browsers may call from. Empty: none."""
    documents: DocumentPolicy = DocumentPolicy.ANY
    introspection: bool = True
    feed_streams_per_client: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Subscriptions that one client may have open on one replica."""
    feed_stream_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    """A subscription ends after this long; the caller goes on from its last cursor."""

    # GraphQL limits
    max_tokens: Annotated[int, Field(ge=10)] = 2_000
    max_depth: Annotated[int, Field(ge=2)] = 12
    max_aliases: Annotated[int, Field(ge=0)] = 50
    max_root_fields: Annotated[int, Field(ge=1)] = 10
    max_directives: Annotated[int, Field(ge=0)] = 100
    max_cost: Annotated[int, Field(ge=1)] = 20_000
    """Leaf fields that a response may hold, lists multiplied by their page size."""
    max_page_size: Annotated[int, Field(ge=1, le=5_000)] = 500
    max_filter_values: Annotated[int, Field(ge=1, le=1_000)] = 100
    """Values that one list in `where` may hold: the database compares each with those of every member."""
    default_page_size: Annotated[int, Field(ge=1, le=500)] = 20
    document_cache_size: Annotated[int, Field(ge=1)] = 1_000
    plan_cache_size: Annotated[int, Field(ge=1)] = 1_000

    # Quotas of partners, where officers have set none
    quota_requests_per_minute: Annotated[int, Field(ge=0)] = 60_000
    """Requests of all clients of an agreement together."""
    quota_members_per_day: Annotated[int, Field(ge=0)] = 10_000_000
    """Members delivered under an agreement, each time that they are."""
    quota_client_requests_per_minute: Annotated[int | None, Field(ge=0)] = None
    """Of one client, within the agreement's. Unset: the agreement's alone count."""
    quota_client_members_per_day: Annotated[int | None, Field(ge=0)] = None

    # Webhooks
    webhook_networks: tuple[Annotated[str, AfterValidator(_a_network)], ...] = ()
    """Networks that webhooks may go to besides public addresses: of partners in a private network."""
    webhook_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443,)
    webhook_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Endpoints that one process sends to at the same time."""

    # Suppressions
    suppression_digests_per_day: Annotated[int, Field(ge=1)] = 2_000_000
    """Digests that a partner may bring in a day of UTC without having brought them before."""
    suppression_keep_days: Annotated[int, Field(ge=8, le=400)] = 90
    """For how long the feed goes on about a digest that is not brought again."""

    # Notices
    notice_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days between announcing a new practice, or a transfer of the business, and its beginning."""

    # Aggregates
    aggregate_regions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")], ...] = ()
    """Regions that counts tell apart (ISO 3166); the rest is `OTHER`. Empty: the countries of ISO 3166-1."""
    aggregate_interests: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=500)
    ] = ()
    """Interests that counts tell apart. Empty: nobody can ask by interest."""
    aggregate_interests_counted: Annotated[int, Field(ge=1, le=10)] = 3
    """In how many of them one member counts at most: more of them, more noise on each."""
    aggregate_minimum_cohort: Annotated[int, Field(ge=10, le=100_000)] = 50
    """A group that may be smaller is not shown."""
    aggregate_budget: Annotated[float, Field(gt=0, le=20)] = 4.0
    """Epsilon of all that is answered in a month, to all recipients together."""
    aggregate_internal_budget: Annotated[float, Field(ge=0, le=20)] = 2.0
    """Epsilon that the company's own officers may spend of it in a month."""

    # Officers
    officer_contract: bool = False
    """Serve the officer's contract at `/officer/graphql`. Without it, officers work at the command line."""
    officer: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9._-]{0,39}$")] = None
    """Who runs commands, for the log of officers' actions. Unset: the name of the account at this machine."""

    # Database
    reader_connections: Annotated[int, Field(ge=1)] = 8
    app_connections: Annotated[int, Field(ge=1)] = 4
    statement_timeout: Annotated[float, Field(gt=0)] = 5.0

    # Disclosure log
    disclosure_flush_interval: Annotated[float, Field(ge=0, le=1)] = 0.002
    """How long a record waits for others to share its commit."""
    disclosure_timeout: Annotated[float, Field(gt=0)] = 2.0
    """After this long without a durable record the request fails and nothing leaves (R2)."""
    disclosure_checkpoint_interval: Annotated[float, Field(ge=1)] = 3_600.0
    """Between two signed checkpoints of the log, while something is recorded."""


def require_tls(settings: Settings) -> None:
    """Refuse to be reached without TLS from anywhere but this machine (C14).

    CLAUSE (C14): nobody but this machine is served without TLS.

    Raises:
        SettingsError: `host` is not loopback, and neither a certificate nor a proxy that ends TLS is set;
            or a certificate stands without its key.
    """
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("`GATEWAY_TLS_CERTIFICATE` and `GATEWAY_TLS_KEY` go together: set both or none")
    if settings.behind_tls or settings.tls_certificate is not None or is_loopback(settings.host):
        return
    raise SettingsError(
        "`GATEWAY_HOST` can be reached from outside: set `GATEWAY_TLS_CERTIFICATE` and `GATEWAY_TLS_KEY`,"
        " or `GATEWAY_BEHIND_TLS=true` where a proxy ends TLS"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine is reached at `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable is unknown or out of bounds; names the variables, never their values.
    """
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith("GATEWAY_") and name[8:].lower() not in Settings.model_fields
    )
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise SettingsError(f"there is no setting {listed}: see docs/settings.md for those there are")
    try:
        return Settings()
    except pydantic_settings.SettingsError as error:
        # Its text names the field and nothing else that we could build on.
        named = [name for name in Settings.model_fields if f'"{name}"' in str(error)]
        listed = ", ".join(f"`GATEWAY_{name.upper()}`" for name in named) or "the settings"
        message = f'check {listed}: a list is written as JSON, such as `["https://app.example.org"]`'
        raise SettingsError(message) from None
    except ValidationError as error:
        names = sorted({f"GATEWAY_{e['loc'][0]}".upper() for e in error.errors()})
        listed = ", ".join(f"`{name}`" for name in names)
        raise SettingsError(f"check {listed}: see docs/settings.md for what each admits") from error
