from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from gateway.database import Database
from gateway.http.messages import CredentialRefusedError, Credentials
from gateway.identity.principals import Authenticator, open_authenticator
from gateway.identity.tokens import SubjectKind
from policies.principal import MemberPrincipal, PartnerPrincipal, Visitor
from resolvers.commands.clients import revoke_client, revoke_token
from resolvers.commands.partners import set_agreement_status
from resolvers.revocations import RevocationKind, revoke, revoke_sessions
from schema.categories import DataCategory, categories_of
from schema.errors import UnauthenticatedError, UnavailableError
from schema.ids import new_id
from schema.vocabulary import AgreementStatus
from tests.gateway.identity.conftest import World

SESSION = new_id()

AT_ONCE = 0.5
"""Seconds: less than half the poll of the patient settings, so only a notification is as quick."""


async def refused(authenticator: Authenticator, header: str, within: float = AT_ONCE) -> bool:
    """Whether the header is refused before the time is up."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            await authenticator.authenticate(Credentials(header))
        except UnauthenticatedError:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_without_a_header_a_visitor(authenticator: Authenticator) -> None:
    assert await authenticator.authenticate(Credentials(None)) == Visitor()


async def test_without_a_header_where_one_is_required_the_caller_is_told_where_to_get_one(
    authenticator: Authenticator,
) -> None:
    with pytest.raises(CredentialRefusedError) as refusal:
        await authenticator.authenticate(Credentials(required=True))
    metadata = 'resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource"'
    assert refusal.value.challenges[0] == f'Bearer realm="graphql", {metadata}'


async def test_a_members_token_makes_that_member(authenticator: Authenticator, world: World) -> None:
    principal = await authenticator.authenticate(Credentials(world.bearer()))
    assert isinstance(principal, MemberPrincipal)
    assert (principal.member_id, principal.client_id) == (world.member_id, "web")


async def test_a_partners_token_makes_its_agreement_and_scopes(
    authenticator: Authenticator, world: World
) -> None:
    principal = await authenticator.authenticate(Credentials(world.bearer(SubjectKind.PARTNER)))
    assert isinstance(principal, PartnerPrincipal)
    assert principal.agreement_id == world.agreement_id
    assert categories_of(principal.mask) == {
        DataCategory.NAME,
        DataCategory.FIRST_NAME,
        DataCategory.LAST_NAME,
    }
    assert await authenticator.authenticate(Credentials(world.bearer(SubjectKind.PARTNER))) != principal


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], set()),
        (["user.contact.phone_number"], set()),
        (["nonsense"], set()),
        (["user.financial.credit_card"], set()),
        (["user.contact"], {DataCategory.EMAIL}),
    ],
)
async def test_scopes_never_give_more_than_the_agreement(
    authenticator: Authenticator, world: World, scopes: list[str], expected: set[DataCategory]
) -> None:
    principal = await authenticator.authenticate(
        Credentials(world.bearer(SubjectKind.PARTNER, scopes=scopes))
    )
    assert isinstance(principal, PartnerPrincipal)
    assert categories_of(principal.mask) == expected


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer ..", "é"])
async def test_what_is_no_bearer_token_is_refused(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(header))


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": str(new_id())},
        {"subject": "M-1"},
        {"subject": "acme-api", "client_id": "web", "kind": SubjectKind.PARTNER},
        {"subject": "nobody", "client_id": "nobody", "kind": SubjectKind.PARTNER},
    ],
)
async def test_a_subject_that_does_not_exist_is_refused(
    authenticator: Authenticator, world: World, changes: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(world.bearer(**changes)))


async def test_a_token_ends_at_its_expiry_though_it_is_cached(
    authenticator: Authenticator, world: World
) -> None:
    header = world.bearer()
    await authenticator.authenticate(Credentials(header))
    authenticator._clock = lambda: time.time() + world.settings.token_lifetime + world.settings.token_leeway
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(header))


async def test_an_agreement_ends_at_its_second_though_it_is_cached(
    authenticator: Authenticator, world: World
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=60)
    await world.until(end)
    header = world.bearer(SubjectKind.PARTNER)
    await authenticator.authenticate(Credentials(header))
    authenticator._clock = lambda: end.timestamp() - 0.001
    await authenticator.authenticate(Credentials(header))
    authenticator._clock = end.timestamp
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(header))


async def revoke_the_token(world: World, header: str) -> None:
    claims = jwt.decode(header[7:], options={"verify_signature": False})
    async with world.database.transaction() as connection:
        await revoke_token(connection, token_id=claims["jti"], now=datetime.now(UTC), expires_at=None)


async def revoke_the_client(world: World, _: str) -> None:
    async with world.database.transaction() as connection:
        await revoke_client(connection, client_id="acme-api", now=datetime.now(UTC))


async def suspend_the_agreement(world: World, _: str) -> None:
    async with world.database.transaction() as connection:
        await set_agreement_status(
            connection,
            world.matrix,
            agreement_id=world.agreement_id,
            status=AgreementStatus.SUSPENDED,
            now=datetime.now(UTC),
        )


async def sign_the_member_out(world: World, _: str) -> None:
    async with world.database.transaction() as connection:
        await revoke(connection, RevocationKind.MEMBER, str(world.member_id), now=datetime.now(UTC))


async def end_the_session(world: World, _: str) -> None:
    async with world.database.transaction() as connection:
        await revoke_sessions(connection, [SESSION], now=datetime.now(UTC))


async def close_the_member(world: World, _: str) -> None:
    async with world.database.transaction() as connection:
        await connection.execute("UPDATE member SET status = 'CLOSED'")
        await revoke(connection, RevocationKind.MEMBER, str(world.member_id), now=datetime.now(UTC))


REVOCATIONS: list[tuple[SubjectKind, Callable[[World, str], Awaitable[None]]]] = [
    (SubjectKind.MEMBER, revoke_the_token),
    (SubjectKind.PARTNER, revoke_the_token),
    (SubjectKind.PARTNER, revoke_the_client),
    (SubjectKind.PARTNER, suspend_the_agreement),
    (SubjectKind.MEMBER, sign_the_member_out),
    (SubjectKind.MEMBER, end_the_session),
    (SubjectKind.MEMBER, close_the_member),
]


@pytest.mark.parametrize(("kind", "act"), REVOCATIONS)
async def test_what_is_revoked_is_refused_at_once_by_every_replica(
    authenticator: Authenticator,
    world: World,
    kind: SubjectKind,
    act: Callable[[World, str], Awaitable[None]],
) -> None:
    header = world.bearer(kind, session_id=None if kind is SubjectKind.PARTNER else str(SESSION))
    async with open_authenticator(world.settings, world.keys, world.database) as replica:
        for each in (authenticator, replica):
            await each.authenticate(Credentials(header))
        await act(world, header)
        assert await refused(replica, header)
        assert await refused(authenticator, header)
    async with open_authenticator(world.settings, world.keys, world.database) as started_later:
        with pytest.raises(UnauthenticatedError):
            await started_later.authenticate(Credentials(header))


async def test_a_token_that_lives_longer_than_a_day_is_refused(
    authenticator: Authenticator, world: World
) -> None:
    """The revocation log forgets members and sessions after that."""
    await authenticator.authenticate(Credentials(world.bearer(lifetime=86_400)))
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(world.bearer(lifetime=86_402)))


async def test_the_end_of_a_session_concerns_no_other(authenticator: Authenticator, world: World) -> None:
    other = new_id()
    await end_the_session(world, "")
    principal = await authenticator.authenticate(Credentials(world.bearer(session_id=str(other))))
    assert isinstance(principal, MemberPrincipal)
    assert principal.session_id == other
    principal = await authenticator.authenticate(Credentials(world.bearer()))
    assert isinstance(principal, MemberPrincipal)
    assert principal.session_id is None


async def test_a_line_that_comes_late_ends_what_is_cached_and_is_forgotten(
    authenticator: Authenticator, world: World
) -> None:
    """Of a member who left while this replica heard nothing for a day: no old token is left to refuse."""
    await authenticator.authenticate(Credentials(world.bearer()))
    long_ago = datetime.now(UTC) - timedelta(days=2)
    async with world.database.transaction() as connection:
        await connection.execute("UPDATE member SET status = 'CLOSED'")
        await revoke(connection, RevocationKind.MEMBER, str(world.member_id), now=long_ago)
        await revoke_sessions(connection, [SESSION], now=long_ago)
    await authenticator.hear()
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(world.bearer()))
    assert authenticator._authority._over == {}
    assert authenticator._authority._not_before == {}


async def test_a_process_has_heard_of_what_it_revoked_once_it_has_listened(
    authenticator: Authenticator, world: World
) -> None:
    header = world.bearer()
    await authenticator.authenticate(Credentials(header))
    await sign_the_member_out(world, header)
    await authenticator.hear()
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(Credentials(header))


async def test_a_member_who_signed_out_everywhere_may_sign_in_again(
    authenticator: Authenticator, world: World
) -> None:
    before = world.bearer()
    await authenticator.authenticate(Credentials(before))
    await sign_the_member_out(world, before)
    assert await refused(authenticator, before)
    await authenticator.authenticate(Credentials(world.bearer()))


async def test_a_reactivated_agreement_counts_again(authenticator: Authenticator, world: World) -> None:
    header = world.bearer(SubjectKind.PARTNER)
    await suspend_the_agreement(world, header)
    assert await refused(authenticator, header)
    async with world.database.transaction() as connection:
        await set_agreement_status(
            connection,
            world.matrix,
            agreement_id=world.agreement_id,
            status=AgreementStatus.ACTIVE,
            now=datetime.now(UTC),
        )
    deadline = time.monotonic() + AT_ONCE
    while await refused(authenticator, header, within=0.01):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
    principal = await authenticator.authenticate(Credentials(header))
    assert isinstance(principal, PartnerPrincipal)
    assert principal.agreement_version == 3


async def cut_listeners(database: Database) -> None:
    """End the connections that listen, as a broken network would. A role may end its own connections."""
    connection = await database.listen()
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'gateway_app'"
    )
    await connection.close()


async def test_a_listener_that_is_cut_off_for_good_leaves_no_stale_belief(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = world.settings.model_copy(update={"revocation_staleness": 0.2})
    header = world.bearer()
    async with open_authenticator(quick, world.keys, world.database) as authenticator:
        await authenticator.authenticate(Credentials(header))

        async def no_listening(_: Database) -> None:
            raise UnavailableError("cut off")

        await cut_listeners(world.database)
        monkeypatch.setattr(Database, "listen", no_listening)
        await asyncio.sleep(0.3)
        await revoke_the_token(world, header)
        await asyncio.sleep(0.2)
        with pytest.raises(UnauthenticatedError):
            await authenticator.authenticate(Credentials(header))


async def test_a_notification_that_is_missed_is_caught_by_the_poll(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.identity.authority.CHANNEL", "nothing is ever said here")
    quick = world.settings.model_copy(update={"revocation_staleness": 0.2})
    header = world.bearer()
    async with open_authenticator(quick, world.keys, world.database) as authenticator:
        await authenticator.authenticate(Credentials(header))
        await revoke_the_token(world, header)
        assert await refused(authenticator, header, within=0.3)


async def test_a_listener_that_was_cut_off_once_comes_back(world: World) -> None:
    quick = world.settings.model_copy(update={"revocation_staleness": 0.2})
    async with open_authenticator(quick, world.keys, world.database) as authenticator:
        await cut_listeners(world.database)
        await asyncio.sleep(0.3)
        heard = authenticator._authority._heard_at
        await asyncio.sleep(0.3)
        assert authenticator._authority._heard_at > heard


async def test_with_a_dead_database_nobody_is_believed_and_nobody_waits_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = world.settings.model_copy(update={"revocation_staleness": 0.2})
    header = world.bearer()
    async with open_authenticator(quick, world.keys, world.database) as authenticator:
        await authenticator.authenticate(Credentials(header))

        async def hang(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr("gateway.identity.authority.READ_TIMEOUT", 0.2)
        monkeypatch.setattr("gateway.identity.authority.read_revocations", hang)
        await asyncio.sleep(0.5)
        started = time.monotonic()
        results = await asyncio.gather(
            *(authenticator.authenticate(Credentials(header)) for _ in range(50)), return_exceptions=True
        )
        assert {type(result) for result in results} == {UnavailableError}
        assert time.monotonic() - started < 2


async def test_the_cache_has_a_bound(world: World) -> None:
    small = world.settings.model_copy(update={"token_cache_size": 3})
    async with open_authenticator(small, world.keys, world.database) as authenticator:
        for _ in range(10):
            await authenticator.authenticate(Credentials(world.bearer()))
        assert len(authenticator._known) == 3
