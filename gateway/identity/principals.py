"""From the credentials of a request to a `Principal`: the one way to one (with `client_tokens`).

What was verified is cached until the token expires; what was looked up (a client with its agreement, a
member's standing) until the revocation log speaks of it. Every request asks the log and the clock again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import httpx

from gateway.cache import BoundedCache
from gateway.database import Database
from gateway.http.messages import RESOURCE_METADATA, CredentialRefusedError, Credentials
from gateway.identity.authority import Authority, Revocable, Subscriber, follow_revocations, revocable
from gateway.identity.client_tokens import binding_of, client_principal
from gateway.identity.dpop import verify_proof
from gateway.identity.issuers import ExternalIssuer
from gateway.identity.jws import TokenRefusedError
from gateway.identity.proofs import DatabaseProofs
from gateway.identity.public_keys import ALGORITHMS
from gateway.identity.tokens import (
    MAX_CLAIM_LENGTH,
    KeySource,
    OwnKeys,
    SubjectKind,
    VerifiedToken,
    own_keys,
    refuse,
    verify_token,
)
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.settings import Settings
from gateway.telemetry import event
from policies.aggregate_agreement import AggregateTerms
from policies.principal import (
    ClientPrincipal,
    MemberPrincipal,
    Principal,
    Visitor,
)
from resolvers.callers import ClientFacts, MemberStanding, find_member, read_client, read_standing
from resolvers.revocations import RevocationKind
from schema.errors import PolicyChangedError, UnauthenticatedError
from schema.ids import parse_uuid
from schema.vocabulary import Restriction

_VISITOR: Final = Visitor()

REALM: Final = "graphql"
_SCHEME_WANTED: Final = "the header `Authorization` is `Bearer` and a token, or `DPoP` and one that is bound"
_SCHEMES: Final = frozenset({"bearer", "dpop"})


@dataclass(slots=True)
class _Known:
    """A verified token and what was made of it. `member` is set for members only, the rest for partners."""

    token: VerifiedToken
    revocable: Revocable
    member: MemberPrincipal | None = None
    facts: ClientFacts | None = None
    principal: ClientPrincipal | None = None


def _of_member(token: VerifiedToken, member_id: UUID, session_id: UUID | None) -> _Known:
    member = MemberPrincipal(member_id, token.client_id, token.token_id, session_id)
    return _Known(token, revocable(token, str(member_id)), member)


class _ProofRefusedError(UnauthenticatedError):
    """The token may count; the proof that came with it does not."""


class Authenticator:
    """Authenticates every request of a process. Made by `open_authenticator`. Not for several threads."""

    def __init__(
        self,
        settings: Settings,
        own: OwnKeys,
        external: Sequence[ExternalIssuer],
        database: Database,
        authority: Authority,
        policy: PolicyInForce | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._leeway = settings.token_leeway
        self._own = own
        self._external = {source.issuer: source for source in external}
        self._sources: Sequence[KeySource] = (own, *external)
        self._database = database
        self._authority = authority
        self._policy = policy
        self._clock = clock
        self._keys_seen = own.keyring.signing_keys.version
        self._known: BoundedCache[bytes, _Known] = BoundedCache(settings.token_cache_size)
        self._clients: BoundedCache[str, ClientFacts] = BoundedCache(settings.token_cache_size)
        self._members: BoundedCache[UUID, MemberStanding] = BoundedCache(settings.token_cache_size)
        self._proofs = DatabaseProofs(database)
        authority.subscribe(self._forget)

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Who sent these; a visitor if there are none and none are required.

        1. the credential is a token, as a bearer's or with a DPoP proof, and nothing else;
        2. the revocation log is known up to a moment ago;
        3. the token was verified before, or is verified now;
        4. it has not expired, and neither it nor its session, client or member has been revoked since;
        5. a token that is bound to a key comes with a proof of that key for this request, no other does;
        6. the member may sign in, or the client may and its agreement is in force this second.

        Raises:
            UnauthenticatedError: the credential is not valid now; the reason goes to the log.
            UnavailableError: what is needed to find out does not answer.
        """
        if credentials.authorization is None:
            if credentials.required:
                raise CredentialRefusedError("send an access token", self._challenges(None))
            return _VISITOR
        try:
            return await self._principal_of(credentials, credentials.authorization)
        except UnauthenticatedError as error:
            event("token refused", logging.INFO, reason=str(error.__cause__))
            code = "invalid_dpop_proof" if isinstance(error, _ProofRefusedError) else "invalid_token"
            raise CredentialRefusedError(str(error), self._challenges(code)) from error.__cause__

    async def confirm(self, principal: ClientPrincipal) -> None:
        """Return if the credential behind `principal` counts at this moment, under the same terms and policy.

        For what leaves later than the request began: the end of a page, each chunk of a stream.

        Raises:
            UnauthenticatedError: it expired or was revoked, or its agreement ended or changed.
            PolicyChangedError: another policy decides by now about its basis and purpose (C16).
            UnavailableError: the database does not answer.
        """
        await self._authority.ensure_fresh()
        if self._clock() >= principal.expires_at + self._leeway:
            raise refuse("expired")
        if self._authority.is_revoked(revocable(principal)):
            raise refuse("revoked")
        facts = await self._client_facts(principal.client_id)
        if facts.terms.version != principal.agreement_version:
            raise refuse("agreement has changed")
        if self._policy is not None:
            # INVARIANT (closed-before-released): what was read before a cell closed does not leave after it.
            await self._policy.settled()
            if self._mark(facts) != principal.policy:
                raise PolicyChangedError("the sharing policy has just changed: ask again")

    def _mark(self, facts: ClientFacts) -> object:
        if self._policy is None or isinstance(facts.terms, AggregateTerms):
            return None
        return self._policy.mark(facts.terms.basis, facts.terms.purpose)

    def _challenges(self, code: str | None) -> list[str]:
        """How to authenticate here, and where it is written (RFC 6750, 3; RFC 9728, 5.1)."""
        failed = "" if code is None else f', error="{code}"'
        where = f'resource_metadata="{self._own.issuer}{RESOURCE_METADATA}"'
        algorithms = f'algs="{" ".join(ALGORITHMS)}"'
        if code == "invalid_dpop_proof":
            return [f'DPoP realm="{REALM}"{failed}, {algorithms}, {where}']
        return [f'Bearer realm="{REALM}"{failed}, {where}', f'DPoP realm="{REALM}"{failed}, {algorithms}']

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with kind and subject of each line of the revocation log from now on."""
        self._authority.subscribe(subscriber)

    def was_revoked(self, token: VerifiedToken) -> bool:
        """Whether this token was taken back by itself, as far as this process has heard."""
        return self._authority.is_revoked(revocable(token))

    async def hear(self) -> None:
        """Know what was revoked up to this moment, unless the database does not answer."""
        await self._authority.catch_up()

    async def inspect(self, text: str) -> VerifiedToken | None:
        """The partner's token in a text, if it counts now; whoever sends it has proved nothing by it.

        Raises:
            UnavailableError: what is needed to find out does not answer.
        """
        try:
            known = await self._known_token(text)
            if known.member is not None:
                return None
            await self._client(known)
        except UnauthenticatedError:
            return None
        return known.token

    async def verify(self, text: str) -> VerifiedToken | None:
        """The token in a text, if its signature and times are right, whether or not it still counts."""
        try:
            return (await self._verify(text)).token
        except UnauthenticatedError:
            return None

    async def _principal_of(self, credentials: Credentials, authorization: str) -> Principal:
        scheme, _, token = authorization.partition(" ")
        token = token.strip(" ")
        if scheme.lower() not in _SCHEMES or not token:  # 1
            raise refuse("not a token", _SCHEME_WANTED)
        known = await self._known_token(token)
        bound = binding_of(known.token)
        if (scheme.lower() == "dpop") is not (bound is not None):  # 5
            raise refuse("bound and not bound are not the same")
        if bound is not None:
            await self._require_proof(credentials, token, bound)
        if known.member is not None:  # 6
            return await self._member(known.member)
        return await self._client(known)

    async def _require_proof(self, credentials: Credentials, token: str, bound: str) -> None:
        """Go on only with a proof of the key that the token is bound to, for this very request."""
        try:
            proof = verify_proof(
                credentials.proof or "",
                method=credentials.method,
                url=self._own.issuer + credentials.path,
                token=token,
                now=self._clock(),
                leeway=self._leeway,
            )
            if proof.thumbprint != bound:
                raise TokenRefusedError("proof of another key")  # noqa: TRY301 - one way out for all proofs
            await self._proofs.use(proof)
        except TokenRefusedError as error:
            message = "the `DPoP` proof does not count: make a new one for this request"
            raise _ProofRefusedError(message) from error

    async def _known_token(self, token: str) -> _Known:
        """The token, verified, alive and not revoked."""
        await self._authority.ensure_fresh()  # 2
        self._forget_removed_keys()
        key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is None:  # 3
            known = await self._verify(token)
            self._known.put(key, known)
        if self._clock() >= known.token.expires_at + self._leeway:  # 4
            self._known.discard(key)
            raise refuse("expired")
        if self._authority.is_revoked(known.revocable):
            raise refuse("revoked")
        return known

    def _forget_removed_keys(self) -> None:
        """Verify every token anew once the signing keys have changed: one may have been taken away."""
        version = self._own.keyring.signing_keys.version
        if version != self._keys_seen:
            self._keys_seen = version
            self._known.clear()

    async def _verify(self, text: str) -> _Known:
        token = await verify_token(text, self._sources, leeway=self._leeway)
        if token.issuer != self._own.issuer:
            # An issuer elsewhere may name sessions of its own, which are none of ours.
            return _of_member(token, await self._external_member(token), None)
        match token.claims.get("kind"):
            case SubjectKind.MEMBER:
                member_id = parse_uuid(token.subject)
                if member_id is None:
                    raise refuse("subject is no member id")
                return _of_member(token, member_id, parse_uuid(token.session_id))
            case SubjectKind.PARTNER if token.subject == token.client_id:
                return _Known(token, revocable(token))
            case _:
                raise refuse("kind of subject is unknown")

    async def _external_member(self, token: VerifiedToken) -> UUID:
        """An external issuer speaks for members only, by member number; partners have tokens of ours."""
        number = token.claims.get(self._external[token.issuer].trusted.member_number_claim)
        if not isinstance(number, str) or not 0 < len(number) <= MAX_CLAIM_LENGTH or "\0" in number:
            raise refuse("no member number")
        async with self._database.connection() as connection:
            member_id = await find_member(connection, number)
        if member_id is None:
            raise refuse("no such member")
        return member_id

    async def _member(self, member: MemberPrincipal) -> MemberPrincipal:
        member_id = member.member_id
        standing = self._members.get(member_id)
        if standing is None:
            position = self._authority.position
            async with self._database.connection() as connection:
                standing = await read_standing(connection, member_id)
            if standing is None:
                raise refuse("no such member")
            if position == self._authority.position:
                self._members.put(member_id, standing)
        if not standing.active:
            raise refuse("member has left")
        return member

    async def _client(self, known: _Known) -> ClientPrincipal:
        facts = await self._client_facts(known.token.client_id)
        if facts.dpop and binding_of(known.token) is None:
            raise refuse("the client's tokens have to be bound")
        mark = self._mark(facts)
        if known.principal is None or known.facts is not facts or known.principal.policy != mark:
            known.facts, known.principal = facts, client_principal(known.token, facts, mark)
        return known.principal

    async def _client_facts(self, client_id: str) -> ClientFacts:
        """The client with its agreement, both of which count now.

        Raises:
            UnauthenticatedError: one of them does not.
        """
        facts = self._clients.get(client_id)
        if facts is None:
            position = self._authority.position
            async with self._database.connection() as connection:
                facts = await read_client(connection, client_id)
            if facts is None:
                raise refuse("no such client")
            # What was read before a line of the log arrived may be what the line has ended.
            if position == self._authority.position:
                self._clients.put(client_id, facts)
        if not facts.active:
            raise refuse("client is revoked")
        if not facts.terms.in_force(datetime.fromtimestamp(self._clock(), UTC)):
            raise refuse("agreement is not in force")
        if facts.restriction is Restriction.SUSPENDED:
            raise refuse("deletions are long overdue")
        return facts

    def _forget(self, kind: RevocationKind, subject: str) -> None:
        match kind:
            case RevocationKind.CLIENT:
                self._clients.discard(subject)
            case RevocationKind.AGREEMENT:
                # Rare, and cheap to read again: no index from agreements to their clients is kept.
                self._clients.clear()
            case RevocationKind.MEMBER:
                member_id = parse_uuid(subject)
                if member_id is not None:
                    self._members.discard(member_id)
            case RevocationKind.TOKEN | RevocationKind.SESSION | RevocationKind.POLICY:
                pass


@asynccontextmanager
async def open_authenticator(
    settings: Settings, keyring: Keyring, database: Database, policy: PolicyInForce | None = None
) -> AsyncIterator[Authenticator]:
    """An authenticator that follows the revocation log as long as this is open.

    Without `policy` nothing is asked about it: for those who release nothing to partners.

    Raises:
        SettingsError: a trusted issuer cannot be trusted as it is written.
        UnavailableError: the database does not answer.
    """
    async with httpx.AsyncClient() as client, _following(settings, database) as authority:
        external = [ExternalIssuer(trusted, client) for trusted in settings.trusted_issuers]
        yield Authenticator(settings, own_keys(settings, keyring), external, database, authority, policy)


def _following(settings: Settings, database: Database) -> AbstractAsyncContextManager[Authority]:
    return follow_revocations(database, staleness=settings.revocation_staleness, leeway=settings.token_leeway)
