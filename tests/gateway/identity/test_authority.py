"""What ends a credential: which lines of the log, and of which moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.identity.authority import Authority, Credential, revocable
from gateway.identity.tokens import SubjectKind, VerifiedToken
from policies.principal import PartnerPrincipal
from resolvers.revocations import Revocation, RevocationKind
from schema.categories import Basis, Purpose

ISSUED = datetime(2026, 3, 1, tzinfo=UTC)
MEMBER = "00000000-0000-0000-0000-000000000001"
CLIENT, TOKEN, SESSION = "acme-api", "a-token", "a-session"


def token(kind: SubjectKind) -> VerifiedToken:
    claims = {"kind": kind, "sid": SESSION}
    at = ISSUED.timestamp()
    return VerifiedToken("https://gateway.example", "s", CLIENT, TOKEN, at, at + 900, claims)


PRINCIPAL = PartnerPrincipal(
    UUID(int=1),
    UUID(int=2),
    1,
    CLIENT,
    TOKEN,
    Basis.STRATEGIC,
    Purpose.JOINT_SERVICE,
    0,
    issued_at=ISSUED.timestamp(),
)
MEMBERS, PARTNERS = token(SubjectKind.MEMBER), token(SubjectKind.PARTNER)


def is_revoked(credential: Credential, member: str | None, kind: RevocationKind, about: str, at: Any) -> bool:
    nowhere: Any = None
    authority = Authority(nowhere, staleness=1, leeway=0)
    authority._apply(Revocation(seq=1, kind=kind, subject=about, revoked_at=at, expires_at=None))
    return authority.is_revoked(revocable(credential, member))


@pytest.mark.parametrize(
    ("kind", "about", "ended"),
    [
        (RevocationKind.TOKEN, TOKEN, {"member", "partner", "principal"}),
        (RevocationKind.SESSION, SESSION, {"member", "partner"}),
        # A front-end may go by the id of a partner's client.
        (RevocationKind.CLIENT, CLIENT, {"partner", "principal"}),
        (RevocationKind.MEMBER, MEMBER, {"member"}),
        (RevocationKind.AGREEMENT, CLIENT, set()),
        (RevocationKind.SESSION, "", set()),
        (RevocationKind.MEMBER, TOKEN, set()),
    ],
)
def test_a_line_ends_what_it_is_about_and_nothing_else(
    kind: RevocationKind, about: str, ended: set[str]
) -> None:
    found = {
        name
        for name, credential, member in (
            ("member", MEMBERS, MEMBER),
            ("partner", PARTNERS, None),
            ("principal", PRINCIPAL, None),
        )
        if is_revoked(credential, member, kind, about, ISSUED)
    }
    assert found == ended


@pytest.mark.parametrize(
    ("kind", "about", "whenever"),
    [
        (RevocationKind.TOKEN, TOKEN, True),
        (RevocationKind.SESSION, SESSION, True),
        (RevocationKind.MEMBER, MEMBER, False),
    ],
)
def test_what_is_of_the_same_moment_is_ended_and_what_came_later_only_by_itself(
    kind: RevocationKind, about: str, *, whenever: bool
) -> None:
    tick = timedelta(microseconds=1)
    moments = {at: is_revoked(MEMBERS, MEMBER, kind, about, ISSUED + at) for at in (-tick, 0 * tick, tick)}
    assert moments == {-tick: whenever, 0 * tick: True, tick: True}
