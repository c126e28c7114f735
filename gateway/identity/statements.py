"""Reads statements of deletion: a strict JWS (RFC 7515) in the form of a JWT, signed by a partner.

In: the text, and the keys that the partner registered for statements. Out: a `Statement`, or one error whose
reason is fixed words. No key is ever taken from the statement itself. A statement does not expire: it is
evidence. What it may still confirm is for `resolvers.commands.deletions` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import jwt

from gateway.identity.jws import TokenRefusedError, read_claims, read_header
from gateway.identity.public_keys import strong_key
from gateway.identity.tokens import MAX_CLAIM_LENGTH, TrustedKey
from policies.agreement import parse_categories
from resolvers.statements import MOST_IDS, Statement, StatementKeyFacts, refused_statement
from schema.categories import DataCategory
from schema.errors import InputError
from schema.ids import parse_uuid

TYPES: Final = frozenset({"deletion-confirmation+jwt", "application/deletion-confirmation+jwt"})
"""Of its own, so that no other token is taken for a statement, and no statement for another token."""

MAX_BYTES: Final = 262_144
"""A statement on 1,000 members with a handful of categories each has about 150,000."""

CLAIMS: Final = frozenset({"iss", "aud", "iat", "jti", "deleted"})


class StatementReader:
    """Reads statements that are meant for this `issuer`. `leeway` in seconds, on a date that lies ahead."""

    def __init__(self, issuer: str, leeway: int) -> None:
        self._issuer = issuer
        self._leeway = timedelta(seconds=leeway)

    def issuer_of(self, text: str) -> str:
        """The client that a statement names. Not believed: it only tells with whose keys to read it.

        Raises:
            FieldErrors: it is no statement.
        """
        try:
            read_header(text, TYPES, longest=MAX_BYTES)
            name = read_claims(text).get("iss")
        except TokenRefusedError as error:
            raise refused_statement(str(error)) from None
        if not isinstance(name, str) or not 0 < len(name) <= MAX_CLAIM_LENGTH or "\0" in name:
            raise refused_statement("it names no client")
        return name

    def __call__(
        self, text: str, keys: Sequence[StatementKeyFacts], *, client_id: str, now: datetime
    ) -> Statement:
        """The verified statement.

        1. size, shape, header: of its own type, without anything that changes what is verified;
        2. one registered key has its `kid`, and `alg` is that key's own algorithm;
        3. the signature;
        4. exactly the claims that it has to have: this client, this gateway, a date, an id;
        5. the date does not lie ahead, and the key counted at it;
        6. of at most `MOST_IDS` members, which categories are deleted.

        Raises:
            FieldErrors: STATEMENT_REFUSED, with the reason.
        """
        try:
            header = read_header(text, TYPES, longest=MAX_BYTES)  # 1
            registered, key = _key_of(header, keys)  # 2
            claims = self._verified(text, key.algorithm, key.public_key)  # 3
            stated_at = self._checked(claims, client_id, now)  # 4
            _require_counted(registered, stated_at)  # 5
            deleted = _deleted(claims["deleted"])  # 6
        except TokenRefusedError as error:
            raise refused_statement(str(error)) from None
        digest = sha256(text.encode()).hexdigest()
        return Statement(text, digest, registered.kid, claims["jti"], stated_at, deleted)

    @staticmethod
    def _verified(text: str, algorithm: str, public_key: Any) -> dict[str, Any]:
        try:
            jwt.PyJWS().decode(text, public_key, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise TokenRefusedError("signature") from None
        # Of what was verified, the object without a name twice.
        return read_claims(text)

    def _checked(self, claims: dict[str, Any], client_id: str, now: datetime) -> datetime:
        if claims.keys() != CLAIMS:
            raise TokenRefusedError("its claims are `iss`, `aud`, `iat`, `jti` and `deleted`")
        if claims["iss"] != client_id:
            raise TokenRefusedError("`iss` is not this client")
        if claims["aud"] != self._issuer:
            raise TokenRefusedError("`aud` is not this gateway")
        jti, issued = claims["jti"], claims["iat"]
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_CLAIM_LENGTH or "\0" in jti:
            raise TokenRefusedError("`jti` is no text of sensible length")
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise TokenRefusedError("`iat` is no number")
        try:
            stated_at = datetime.fromtimestamp(issued, UTC)
        except (OverflowError, ValueError, OSError):
            raise TokenRefusedError("`iat` is no date") from None
        if stated_at > now + self._leeway:
            raise TokenRefusedError("`iat` lies ahead")
        return min(stated_at, now)


def _key_of(
    header: dict[str, Any], keys: Sequence[StatementKeyFacts]
) -> tuple[StatementKeyFacts, TrustedKey]:
    found = [key for key in keys if key.kid == header.get("kid")]
    key = strong_key(found[0].jwk) if len(found) == 1 else None
    if key is None or header["alg"] != key.algorithm:
        raise TokenRefusedError("no registered key of its name and algorithm")
    return found[0], key


def _require_counted(key: StatementKeyFacts, stated_at: datetime) -> None:
    if stated_at < key.valid_from or (key.valid_until is not None and stated_at >= key.valid_until):
        raise TokenRefusedError("its key did not count at its date")


def _deleted(claim: Any) -> dict[UUID, frozenset[DataCategory]]:
    if not isinstance(claim, dict) or not 0 < len(claim) <= MOST_IDS:
        raise TokenRefusedError(f"`deleted` holds 1 to {MOST_IDS} ids")
    deleted = {}
    for name, keys in claim.items():
        subject = parse_uuid(name)
        if subject is None or not isinstance(keys, list) or not 0 < len(keys) <= len(DataCategory):
            raise TokenRefusedError("`deleted` maps ids to lists of categories")
        try:
            deleted[subject] = parse_categories([str(key) for key in keys])
        except InputError:
            raise TokenRefusedError("`deleted` names what is no category") from None
    return deleted
