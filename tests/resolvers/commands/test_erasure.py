"""A member leaves: closed at once, erased when due, back again if the link in the mail is followed before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from gateway.app import Product, compose, utc_now
from gateway.database import Database
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.settings import Settings
from gateway.upkeep import Upkeep
from policies.principal import MemberPrincipal
from resolvers.commands.choosing import choose
from resolvers.commands.correction import correct_profile
from resolvers.commands.erasure import SETTLING, cancel, close_account, due_erasures, erase_member
from resolvers.commands.letters import follow_link
from resolvers.commands.member_records import MemberRecord
from resolvers.commands.member_secrets import write_password_hash
from resolvers.commands.members import ConflictReason, upsert_members
from resolvers.context import Work
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.shares import refresh_shares, take_turn
from resolvers.tokens import TokenUse
from schema.errors import FieldErrors, GatewayError, UnauthenticatedError
from schema.ids import new_id
from schema.tables.account import LinkKind
from schema.vocabulary import ChoiceSource, Direction
from tests import browsers, world
from tests.asking import Asking

ERASE: Final = (
    "mutation($input: EraseAccountInput!) { eraseAccount(input: $input)"
    " { errors { path code message } dueAt } }"
)
PAGE: Final = "{ members(first: 100) { totalCount edges { node { id name email } } } }"
LOOKUP: Final = "query($id: ID!) { member(id: $id) { id name } }"
FEED: Final = "query($since: DateTime!) { members(where: {changedSince: $since}) { edges { node { id } } } }"
PASSWORD: Final = "correct horse battery staple"
ADA: Final = world.person("ada")
EVE: Final = world.person("eve")
ASKS: Final = world.member("ada").principal
SUBJECT: Final = world.subject("acme", "ada")
ACME: Final = world.partner("acme").principal


def work_of(
    connection: Any, product: Product, means: Means, now: datetime = world.NOW, member: UUID = ADA.id
) -> Work:
    return Work(connection, product.matrix, MemberPrincipal(member, "web", "t"), now, means, Exchange())


async def give_password(database: Database, means: Means, member: UUID = ADA.id) -> None:
    hashed = await means.passwords.hash(PASSWORD)
    async with database.transaction() as connection:
        await write_password_hash(connection, member, hashed, world.NOW)


async def erase(
    asking: Asking, password: str = PASSWORD, principal: Any = ASKS, key: str | None = None
) -> Any:
    exchange, given = Exchange(idempotency_key=key), {"input": {"password": password}}
    return (await asking.ask(principal, ERASE, given, exchange=exchange)).data["eraseAccount"]


async def close(database: Database, product: Product, means: Means, member: UUID = ADA.id) -> datetime:
    async with database.transaction() as connection:
        return await close_account(work_of(connection, product, means, member=member), None)


async def carry_out(database: Database, now: datetime, member: UUID = ADA.id) -> bool:
    async with database.transaction() as connection:
        return await erase_member(connection, member, now)


async def shares(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.app.fetch(
        "SELECT agreement_id, subject, mask FROM share WHERE member_id = $1 ORDER BY agreement_id", ADA.id
    )
    return [tuple(row) for row in rows]


async def status(database: Database, member: UUID = ADA.id) -> str | None:
    found: str | None = await database.app.fetchval("SELECT status FROM member WHERE id = $1", member)
    return found


async def mails(database: Database) -> list[tuple[str, str, UUID | None]]:
    rows = await database.app.fetch("SELECT kind, recipient, member_id FROM outgoing_mail ORDER BY id")
    return [tuple(row) for row in rows]


@pytest.mark.clause("C14")
async def test_only_the_password_closes_an_account(asking_alone: Asking, means: Means) -> None:
    await give_password(asking_alone.database, means)
    refused = await erase(asking_alone, "not it")
    assert [(e["path"], e["code"]) for e in refused["errors"]] == [(["password"], "WRONG_PASSWORD")]
    assert refused["dueAt"] is None
    assert await status(asking_alone.database) == "ACTIVE"
    done = await erase(asking_alone)
    assert done["errors"] == []
    due_at = datetime.fromisoformat(done["dueAt"])
    assert due_at == world.NOW + means.rules.erasure_grace
    assert await status(asking_alone.database) == "CLOSED"


async def test_a_closing_that_is_repeated_late_with_its_key_closes_nothing_again(
    asking_alone: Asking, product: Product, means: Means
) -> None:
    await give_password(asking_alone.database, means)
    at_once = await asyncio.gather(*(erase(asking_alone, key="one") for _ in range(3)))
    assert at_once[0]["dueAt"] is not None
    assert at_once == [at_once[0]] * 3
    async with asking_alone.database.transaction() as connection:
        await cancel(work_of(connection, product, means), ADA.id)
    assert await erase(asking_alone, key="one") == {"errors": [], "dueAt": None}
    assert await status(asking_alone.database) == "ACTIVE"


async def test_closing_ends_sessions_revokes_tokens_and_mails_the_way_back(
    own_world: Database, product: Product, means: Means
) -> None:
    session = new_id()
    await own_world.app.execute(
        "INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, generation, rotated_at)"
        " VALUES ($1, $2, $3, $3, $4, 1, $3)",
        session,
        ADA.id,
        world.NOW,
        world.NOW + timedelta(days=9),
    )
    due_at = await close(own_world, product, means)
    assert await own_world.app.fetchval("SELECT ended_at FROM session WHERE id = $1", session) == world.NOW
    lines = await own_world.app.fetch("SELECT kind, subject FROM revocation ORDER BY seq")
    assert [tuple(line) for line in lines] == [("SESSION", str(session)), ("MEMBER", str(ADA.id))]
    assert await mails(own_world) == [("ERASURE_SCHEDULED", ADA.email, ADA.id)]
    (link,) = await own_world.app.fetch("SELECT kind, expires_at FROM one_time_link")
    assert tuple(link) == ("CANCEL_ERASURE", due_at)


async def test_closing_twice_keeps_the_first_date(
    own_world: Database, product: Product, means: Means
) -> None:
    dates = await asyncio.gather(*(close(own_world, product, means) for _ in range(4)))
    assert set(dates) == {world.NOW + means.rules.erasure_grace}
    assert await own_world.app.fetchval("SELECT count(*) FROM member_request") == 1
    assert len(await mails(own_world)) == 1


@pytest.mark.clause("C8")
async def test_for_partners_the_member_is_gone_at_once_and_the_feed_says_so(
    asking_alone: Asking, means: Means
) -> None:
    await give_password(asking_alone.database, means)
    before = (await asking_alone.ask(ACME, PAGE)).data["members"]
    assert str(SUBJECT) in {edge["node"]["id"] for edge in before["edges"]}
    lines = await asking_alone.database.app.fetchval("SELECT max(seq) FROM share_change")
    await erase(asking_alone)
    after = (await asking_alone.ask(ACME, PAGE)).data["members"]
    assert after["totalCount"] == before["totalCount"] - 1
    assert str(SUBJECT) not in {edge["node"]["id"] for edge in after["edges"]}
    gone = await asking_alone.ask(ACME, LOOKUP, {"id": str(SUBJECT)})
    never = await asking_alone.ask(ACME, LOOKUP, {"id": str(new_id())})
    assert gone.body == never.body
    told = await asking_alone.database.app.fetch(
        "SELECT agreement_id, mask FROM share_change WHERE subject = $1 AND seq > $2", SUBJECT, lines
    )
    assert [row["agreement_id"] for row in told] == [world.AGREEMENTS["acme"].id]
    assert told[0]["mask"] > 0
    assert await shares(asking_alone.database) == []


async def test_coming_back_restores_exactly_what_was_shared(
    own_world: Database, product: Product, means: Means
) -> None:
    before = await shares(own_world)
    assert before
    await close(own_world, product, means)
    link = await own_world.app.fetchval("SELECT id FROM one_time_link")
    token = means.tokens.seal(TokenUse.LINK, link.bytes)
    async with own_world.transaction() as connection:
        work = work_of(connection, product, means, world.NOW + timedelta(days=1))
        followed = await follow_link(work, token, LinkKind.CANCEL_ERASURE)
        await cancel(work, followed["member_id"])
    assert await shares(own_world) == before
    assert await status(own_world) == "ACTIVE"
    (request,) = await own_world.app.fetch("SELECT status, outcome, closed_at FROM member_request")
    assert tuple(request) == ("CANCELLED", "You cancelled it.", world.NOW + timedelta(days=1))
    assert [kind for kind, *_ in await mails(own_world)] == ["ERASURE_SCHEDULED", "ERASURE_CANCELLED"]
    assert await own_world.app.fetchval("SELECT count(*) FROM revocation WHERE kind = 'MEMBER'") == 2
    assert not await carry_out(own_world, world.NOW + timedelta(days=40))
    async with own_world.transaction() as connection:
        with pytest.raises(FieldErrors) as refused:
            await cancel(work_of(connection, product, means), ADA.id)
    assert refused.value.problems[0].code == "LINK_EXPIRED"


async def test_who_was_invited_comes_back_invited(
    own_world: Database, product: Product, means: Means
) -> None:
    await close(own_world, product, means, EVE.id)
    assert await status(own_world, EVE.id) == "CLOSED"
    async with own_world.transaction() as connection:
        await cancel(work_of(connection, product, means, member=EVE.id), EVE.id)
    assert await status(own_world, EVE.id) == "INVITED"


async def test_a_refusal_meanwhile_counts_after_coming_back(
    own_world: Database, product: Product, means: Means
) -> None:
    """Coming back decides by the choices as they stand then: a link to unsubscribe works meanwhile."""
    await close(own_world, product, means)
    async with own_world.transaction() as connection:
        await choose(
            work_of(connection, product, means), {"direction": Direction.OUT}, ChoiceSource.UNSUBSCRIBE_LINK
        )
    async with own_world.transaction() as connection:
        await cancel(work_of(connection, product, means), ADA.id)
    assert await shares(own_world) == []


async def test_nothing_is_erased_before_its_time(own_world: Database, product: Product, means: Means) -> None:
    due_at = await close(own_world, product, means)
    assert not await carry_out(own_world, due_at - timedelta(seconds=1))
    assert not await carry_out(own_world, due_at, world.person("ben").id)
    assert await status(own_world) == "CLOSED"
    async with own_world.connection() as connection:
        assert await due_erasures(connection, due_at - timedelta(seconds=1)) == []
        assert await due_erasures(connection, due_at) == [ADA.id]
    assert await carry_out(own_world, due_at)
    assert await status(own_world) is None
    assert await mails(own_world) == [("ERASURE_DONE", ADA.email, None)]


async def test_upkeep_erases_who_is_due_one_by_one(
    own_world: Database, product: Product, means: Means
) -> None:
    ben = world.person("ben").id
    due_at = max([await close(own_world, product, means, member) for member in (ADA.id, ben, EVE.id)])
    upkeep = Upkeep(own_world, PolicyInForce(product.matrix), lambda: due_at)
    await asyncio.gather(upkeep.round(), upkeep.round())
    assert [await status(own_world, member) for member in (ADA.id, ben, EVE.id)] == [None] * 3
    assert sorted(kind for kind, *_ in await mails(own_world)) == ["ERASURE_DONE"] * 3


async def test_who_cannot_be_erased_now_keeps_nobody_waiting(
    own_world: Database, product: Product, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = world.person("ben").id
    await close(own_world, product, means)
    due_at = await close(own_world, product, means, ben)

    async def failing(connection: Any, member_id: UUID, now: datetime) -> bool:
        if member_id == ADA.id:
            raise GatewayError("not now")
        return await erase_member(connection, member_id, now)

    with monkeypatch.context() as patched:
        patched.setattr("gateway.upkeep.erase_member", failing)
        await Upkeep(own_world, PolicyInForce(product.matrix), lambda: due_at).round()
    assert (await status(own_world), await status(own_world, ben)) == ("CLOSED", None)
    await Upkeep(own_world, PolicyInForce(product.matrix), lambda: due_at).round()
    assert await status(own_world) is None


async def test_old_rows_go_and_others_stay(own_world: Database, product: Product) -> None:
    now, day = world.NOW, timedelta(days=1)
    for table, columns, old, young in (
        ("done_command", "caller, path, fingerprint, key, done_at", now - day, now - day / 2),
        ("attempt", "key, empty_at", now, now + day),
    ):
        for number, moment in enumerate((old, young)):
            texts = [name for name in columns.split(", ") if name not in {"done_at", "empty_at"}]
            values = ", ".join(f"'{number}'" for _ in texts)
            await own_world.app.execute(f"INSERT INTO {table} ({columns}) VALUES ({values}, $1)", moment)
    for ends in (now - 7 * day, now - 6 * day):
        await own_world.app.execute(
            "INSERT INTO one_time_link (id, member_id, kind, created_at, expires_at)"
            " VALUES ($1, $2, 'RESET_PASSWORD', $3, $3)",
            new_id(),
            ADA.id,
            ends,
        )
    for ended, expires in ((now - 90 * day, now), (now - 89 * day, now), (None, now - 90 * day), (None, now)):
        await own_world.app.execute(
            "INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, ended_at, generation,"
            " rotated_at) VALUES ($1, $2, $3, $3, $4, $5, 1, $3)",
            new_id(),
            ADA.id,
            now - 200 * day,
            expires,
            ended,
        )
    await Upkeep(own_world, PolicyInForce(product.matrix), lambda: now).round()
    left = [
        await own_world.app.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("done_command", "attempt", "one_time_link", "session")
    ]
    assert left == [1, 1, 1, 2]


RECORD: Final = MemberRecord(
    row=1, number="M-001", complete=False, email=ADA.email, given_name="Ada", family_name="Lovelace"
)


async def upsert(database: Database, product: Product) -> Any:
    async with database.transaction() as connection:
        await take_turn(connection)
        outcome = await upsert_members(connection, [RECORD], stated=frozenset(), key_id="k", now=world.NOW)
        members = [*outcome.created, *(m for touched in outcome.touched.values() for m in touched)]
        await refresh_shares(connection, product.matrix, now=world.NOW, members=members)
        return outcome


async def test_an_import_does_not_bring_a_leaving_member_back_and_makes_a_new_one_of_the_erased(
    own_world: Database, product: Product, means: Means
) -> None:
    due_at = await close(own_world, product, means)
    (conflict,) = (await upsert(own_world, product)).conflicts
    assert conflict.reason is ConflictReason.MEMBER_CLOSED
    await carry_out(own_world, due_at)
    (new,) = (await upsert(own_world, product)).created
    assert new != ADA.id
    assert not await own_world.app.fetchval("SELECT count(*) FROM choice WHERE member_id = $1", new)


async def leftovers(database: Database) -> dict[str, int]:
    """Rows of hers, in the vault as well, which has no foreign key that would refuse one."""
    owner = await asyncpg.connect(database.url)
    tables = await owner.fetch(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.columns"
        " WHERE column_name = 'member_id' AND table_schema IN ('public', 'vault')"
    )
    found = {
        row["name"]: await owner.fetchval(f"SELECT count(*) FROM {row['name']} WHERE member_id = $1", ADA.id)
        for row in tables
    }
    await owner.close()
    return {name: count for name, count in found.items() if count}


async def _correct(work: Work) -> None:
    await correct_profile(work, {"given_name": "Augusta"})


async def _choose(work: Work) -> None:
    await choose(work, {"direction": Direction.IN}, ChoiceSource.PROFILE_PAGE)


async def _cancel(work: Work) -> None:
    await cancel(work, ADA.id)


async def _come_back(work: Work) -> None:
    link = await work.connection.fetchval("SELECT id FROM one_time_link")
    await follow_link(work, work.means.tokens.seal(TokenUse.LINK, link.bytes), LinkKind.CANCEL_ERASURE)
    await cancel(work, ADA.id)


async def _sign_in(work: Work) -> None:
    """What a sign-in writes: a session, and a password hashed anew."""
    await work.connection.execute(
        "INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, generation, rotated_at)"
        " VALUES ($1, $2, $3, $3, $3, 1, $3)",
        new_id(),
        ADA.id,
        work.now,
    )
    await write_password_hash(work.connection, ADA.id, "$argon2id$", work.now)


async def _decide_everybody(work: Work) -> None:
    await refresh_shares(work.connection, work.matrix, now=work.now)


RACERS: Final[dict[str, Callable[[Work], Awaitable[None]]]] = {
    "correcting": _correct,
    "choosing": _choose,
    "cancelling": _cancel,
    "following the link": _come_back,
    "signing in": _sign_in,
    "deciding every share again": _decide_everybody,
}


@pytest.mark.parametrize("racer", RACERS)
@pytest.mark.parametrize("first", ["erasure", "other"])
async def test_an_erasure_leaves_no_survivor_whoever_comes_first(
    own_world: Database, product: Product, means: Means, racer: str, first: str
) -> None:
    """Each waits for the other at its first lock; the one that comes second sees what the first did."""
    due_at = await close(own_world, product, means)
    written, go_on = asyncio.Event(), asyncio.Event()

    async def erasing() -> bool:
        async with own_world.transaction() as connection:
            done = await erase_member(connection, ADA.id, due_at)
            if first == "erasure":
                written.set()
                await go_on.wait()
            return done

    async def other() -> None:
        async with own_world.transaction() as connection:
            await RACERS[racer](work_of(connection, product, means, world.NOW + timedelta(hours=1)))
            if first == "other":
                written.set()
                await go_on.wait()

    runs = (erasing, other) if first == "erasure" else (other, erasing)
    tasks = [asyncio.create_task(runs[0]())]
    await written.wait()
    tasks.append(asyncio.create_task(runs[1]()))
    await asyncio.sleep(0.2)
    go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    erased, told = results if first == "erasure" else reversed(results)
    cancelled = first == "other" and racer in {"cancelling", "following the link"}
    assert erased is not cancelled
    if cancelled:
        assert await status(own_world) == "ACTIVE"
        assert await shares(own_world) != []
    else:
        assert await leftovers(own_world) == {}
        assert await status(own_world) is None
    if first == "erasure" and racer != "deciding every share again":
        assert isinstance(told, FieldErrors | UnauthenticatedError | GatewayError)
    else:
        assert told is None


async def test_a_link_that_is_being_followed_is_waited_for_before_the_member_is_locked(
    own_world: Database, product: Product, means: Means
) -> None:
    """The other way round, each would hold what the other waits for."""
    due_at = await close(own_world, product, means)
    async with own_world.transaction() as connection:
        work = work_of(connection, product, means, due_at - timedelta(seconds=1))
        link = await connection.fetchval("SELECT id FROM one_time_link")
        await follow_link(work, means.tokens.seal(TokenUse.LINK, link.bytes), LinkKind.CANCEL_ERASURE)
        erasing = asyncio.create_task(carry_out(own_world, due_at))
        await asyncio.sleep(0.2)
        await cancel(work, ADA.id)
    assert await erasing is False
    assert await status(own_world) == "ACTIVE"


async def test_an_import_under_way_leaves_nothing_of_the_erased(
    own_world: Database, product: Product, means: Means
) -> None:
    due_at = await close(own_world, product, means)
    erased, *_ = await asyncio.gather(
        carry_out(own_world, due_at), *(upsert(own_world, product) for _ in range(3)), return_exceptions=True
    )
    assert erased is True
    assert await leftovers(own_world) == {}
    numbers = await own_world.app.fetchval("SELECT count(*) FROM member WHERE number = 'M-001'")
    assert numbers <= 1


def test_the_grace_is_never_shorter_than_requests_take(settings: Settings) -> None:
    """A partner's read that saw the member has recorded its disclosure by then, and names nobody."""
    assert timedelta(seconds=2 * settings.request_timeout + settings.disclosure_timeout) < SETTLING


FOLLOW: Final = "mutation($input: FollowLinkInput!) { followLink(input: $input) { errors { code } } }"


@pytest.mark.clause("C14")
async def test_leaving_ends_every_way_in_and_the_link_opens_them_again(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, means: Means
) -> None:
    """By HTTP and by the real clock, as a front-end does it."""
    await browsers.give_password(own_world, means, "ada")
    async with compose(settings, keys, own_world, product, utc_now) as gateway:
        here, elsewhere = browsers.Browser(gateway), browsers.Browser(gateway)
        await here.sign_in("ada")
        await elsewhere.sign_in("ada")
        given = {"input": {"password": browsers.PASSWORD}}
        assert (await here.ask(ERASE, given))["eraseAccount"]["errors"] == []
        assert here.cookie is None
        for browser in (here, elsewhere):
            refused = await browser.post("{ me { number } }")
            assert refused.status_code == 401
            browser.token = None
        renewed = (await elsewhere.ask(browsers.REFRESH))["refreshSession"]
        assert [error["code"] for error in renewed["errors"]] == ["SESSION_OVER"]
        unknown = await browsers.Browser(gateway).sign_in("nobody@example.org")
        assert (await browsers.Browser(gateway).sign_in("ada")) == unknown

        link = await own_world.app.fetchval("SELECT id FROM one_time_link")
        token = {"input": {"token": means.tokens.seal(TokenUse.LINK, link.bytes)}}
        assert (await browsers.Browser(gateway).ask(FOLLOW, token))["followLink"]["errors"] == []
        again = await browsers.Browser(gateway).ask(FOLLOW, token)
        assert again["followLink"]["errors"] == [{"code": "LINK_EXPIRED"}]
        await here.sign_in("ada")
        assert (await here.ask("{ me { number } }"))["me"] == {"number": "M-001"}
