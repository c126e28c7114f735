from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest

from gateway.account_means import open_means
from gateway.app import Gateway, Product, compose
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.commands.member_secrets import read_password_hash
from resolvers.commands.sessions import MAX_SESSIONS
from resolvers.commands.upkeep import KEEP_SESSIONS, remove_old
from resolvers.means import Means
from resolvers.tokens import TokenUse
from tests import world
from tests.browsers import PASSWORD, Browser, codes, give_hash, give_password

ADA = world.person("ada").id

SESSIONS = "{ me { sessions(first: 200) { edges { node { id endedAt ipAddress browser } } } } }"


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Answers without a floor."""
    return settings.model_copy(update={"answer_floor": 0.0})


@pytest.fixture
async def gateway(
    quick: Settings, keys: Keyring, own_world: Database, product: Product, clock: Clock, means: Means
) -> AsyncIterator[Gateway]:
    for name in ("ada", "eve", "fay"):
        await give_password(own_world, means, name)
    async with compose(quick, keys, own_world, product, clock) as running:
        yield running


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    return Browser(gateway)


async def rows(database: Database) -> list[Any]:
    async with database.connection() as connection:
        return list(await connection.fetch("SELECT * FROM session ORDER BY created_at, id"))


@pytest.mark.clause("C14")
async def test_a_browser_gets_the_refresh_token_in_a_cookie_that_no_script_reads(browser: Browser) -> None:
    payload = await browser.sign_in("ada")
    assert codes(payload) == []
    assert payload["refreshToken"] is None
    (cookie,) = browser.set_cookies
    assert cookie.startswith("__Host-refresh=")
    attributes = cookie.split("; ")[1:]
    assert attributes == ["Path=/", f"Max-Age={30 * 86_400}", "Secure", "HttpOnly", "SameSite=Strict"]
    assert (await browser.ask("{ me { email } }"))["me"]["email"] == "ada@example.org"


async def test_a_program_gets_the_refresh_token_in_the_payload(browser: Browser) -> None:
    payload = await browser.sign_in("ada", delivery="PAYLOAD")
    assert browser.set_cookies == []
    renewed = await browser.refresh(payload["refreshToken"])
    assert browser.set_cookies == []
    assert renewed["sessionId"] == payload["sessionId"]
    assert renewed["refreshToken"] not in {None, payload["refreshToken"]}
    assert await browser.status() == 200


async def test_an_invited_member_signs_in_and_a_member_who_left_does_not(browser: Browser) -> None:
    assert codes(await browser.sign_in("eve")) == []
    assert codes(await browser.sign_in("fay")) == ["INVALID_CREDENTIALS"]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "violet harbour seven kettle"),
        ("ada@example.org", ""),
        ("ada@example.org", "v" * 90_000),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("ada@example.org\x01", PASSWORD),
        ("gus@example.org", PASSWORD),
    ],
    ids=["wrong", "empty", "endless", "unknown", "none", "control character", "no password"],
)
async def test_what_does_not_fit_is_refused_in_the_same_words(
    browser: Browser, email: str, password: str
) -> None:
    data = await browser.ask(
        "mutation ($i: SignInInput!) { signIn(input: $i) { errors { path code message } accessToken"
        " sessionId refreshToken expiresAt } }",
        {"i": {"email": email, "password": password}},
    )
    message = "e-mail address or password is wrong: try again, or ask for a link to set a password"
    assert data["signIn"] == {
        "errors": [{"path": [], "code": "INVALID_CREDENTIALS", "message": message}],
        "accessToken": None,
        "sessionId": None,
        "refreshToken": None,
        "expiresAt": None,
    }
    assert browser.set_cookies == []


async def test_an_address_may_be_typed_in_capitals_and_with_spaces(browser: Browser) -> None:
    assert codes(await browser.sign_in("  ADA@Example.ORG ")) == []


async def test_the_member_sees_when_and_where_from_and_with_what(
    gateway: Gateway,
) -> None:
    browser = Browser(gateway, "198.51.100.7")
    payload = await browser.sign_in("ada")
    shown = (await browser.ask(SESSIONS))["me"]["sessions"]
    assert [edge["node"] for edge in shown["edges"]] == [
        {
            "id": payload["sessionId"],
            "endedAt": None,
            "ipAddress": "198.51.100.7",
            "browser": "Firefox 143, Linux",
        }
    ]


async def test_each_renewal_gives_another_token(browser: Browser, own_world: Database) -> None:
    await browser.sign_in("ada")
    seen = {browser.cookie}
    for _ in range(3):
        payload = await browser.refresh()
        assert codes(payload) == []
        assert await browser.status() == 200
        seen.add(browser.cookie)
    assert len(seen) == 4
    (session,) = await rows(own_world)
    assert session["generation"] == 3


async def test_two_tabs_that_renew_at_once_both_go_on_with_the_same_token(
    gateway: Gateway, browser: Browser, own_world: Database
) -> None:
    await browser.sign_in("ada")
    tabs = [Browser(gateway) for _ in range(6)]
    for tab in tabs:
        tab.cookie = browser.cookie
    payloads = await asyncio.gather(*(tab.refresh() for tab in tabs))
    assert [codes(payload) for payload in payloads] == [[]] * 6
    assert len({tab.cookie for tab in tabs}) == 1
    assert tabs[0].cookie != browser.cookie
    assert {await tab.status() for tab in tabs} == {200}
    (session,) = await rows(own_world)
    assert session["generation"] == 1


async def test_a_lost_answer_can_be_had_again_for_a_while(browser: Browser, clock: Clock) -> None:
    await browser.sign_in("ada")
    first = browser.cookie
    await browser.refresh()
    second = browser.cookie
    browser.cookie = first
    clock.ahead += timedelta(seconds=25)
    assert codes(await browser.refresh()) == []
    assert browser.cookie == second


@pytest.mark.parametrize("late", [False, True])
async def test_a_token_that_was_used_before_ends_the_session_for_whoever_has_it(
    gateway: Gateway, browser: Browser, clock: Clock, own_world: Database, late: bool
) -> None:
    """A thief renews, then the member does: or the other way round. It is the same."""
    await browser.sign_in("ada")
    stolen = browser.cookie
    await browser.refresh()
    if late:
        clock.ahead += timedelta(seconds=31)
    else:
        await browser.refresh()
    thief = Browser(gateway)
    thief.cookie = stolen
    assert codes(await thief.refresh()) == ["SESSION_OVER"]
    assert thief.cookie is None
    assert await browser.status() == 401
    assert codes(await browser.refresh()) == ["SESSION_OVER"]
    (session,) = await rows(own_world)
    assert session["ended_at"] is not None


async def test_a_session_ends_when_it_is_not_used_and_when_its_time_is_over(
    browser: Browser, clock: Clock
) -> None:
    await browser.sign_in("ada")
    for _ in range(3):
        clock.ahead += timedelta(days=29)
        assert codes(await browser.refresh()) == []
    assert f"Max-Age={3 * 86_400 - 1}" in browser.set_cookies[0]
    clock.ahead += timedelta(days=3)
    assert codes(await browser.refresh()) == ["SESSION_OVER"]
    await browser.sign_in("ada")
    clock.ahead += timedelta(days=30, seconds=1)
    assert codes(await browser.refresh()) == ["SESSION_OVER"]


async def test_what_is_no_refresh_token_of_ours_renews_nothing(browser: Browser, means: Means) -> None:
    payload = await browser.sign_in("ada", delivery="PAYLOAD")
    other_use = means.tokens.seal(TokenUse.LINK, means.tokens.open(TokenUse.REFRESH, payload["refreshToken"])
                                  or b"")  # fmt: skip
    future = means.tokens.seal(TokenUse.REFRESH, world.person("ada").id.bytes + b"\0\0\0\0")
    short = means.tokens.seal(TokenUse.REFRESH, b"short")
    for token in ("", "x", "\u00e9", payload["refreshToken"] + "A", other_use, future, short, "A" * 500):
        assert codes(await browser.refresh(token)) == ["SESSION_OVER"]
    assert codes(await browser.refresh(payload["refreshToken"])) == []


async def test_a_token_of_a_generation_that_was_never_given_out_ends_the_session(
    browser: Browser, means: Means
) -> None:
    """It can only come from a database that was put back."""
    payload = await browser.sign_in("ada", delivery="PAYLOAD")
    name = means.tokens.open(TokenUse.REFRESH, payload["refreshToken"])
    assert name is not None
    ahead = means.tokens.seal(TokenUse.REFRESH, name[:-1] + b"\x05")
    assert codes(await browser.refresh(ahead)) == ["SESSION_OVER"]
    assert codes(await browser.refresh(payload["refreshToken"])) == ["SESSION_OVER"]


async def test_signing_out_ends_the_session_at_once_and_takes_the_cookie(
    browser: Browser, own_world: Database
) -> None:
    await browser.sign_in("ada")
    kept = browser.cookie
    assert await browser.run("signOut") == []
    assert browser.set_cookies == ["__Host-refresh=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"]
    assert await browser.status() == 401
    browser.cookie = kept
    assert codes(await browser.refresh()) == ["SESSION_OVER"]
    (session,) = await rows(own_world)
    ended_at = session["ended_at"]
    browser.cookie = kept
    assert await browser.run("signOut") == [], "again"
    assert (await rows(own_world))[0]["ended_at"] == ended_at


async def test_the_cookie_alone_signs_out_as_well(browser: Browser) -> None:
    await browser.sign_in("ada")
    token, browser.token = browser.token, None
    assert await browser.run("signOut") == []
    browser.token = token
    assert await browser.status() == 401


async def test_signing_out_without_being_signed_in_changes_nothing(browser: Browser) -> None:
    assert await browser.run("signOut") == []
    browser.cookie = "nonsense"
    assert await browser.run("signOut") == []
    assert browser.cookie is None


async def test_one_session_is_ended_from_another(gateway: Gateway, browser: Browser) -> None:
    other = Browser(gateway)
    await browser.sign_in("ada")
    ended = (await other.sign_in("ada"))["sessionId"]
    document = "mutation ($i: EndSessionInput!) { endSession(input: $i) { errors { path code } me { sessions"
    document += " { edges { node { id endedAt } } } } } }"
    data = await browser.ask(document, {"i": {"id": ended}})
    assert data["endSession"]["errors"] == []
    nodes = [edge["node"] for edge in data["endSession"]["me"]["sessions"]["edges"]]
    over = {node["id"] for node in nodes if node["endedAt"]}
    assert over == {ended}
    assert await other.status() == 401
    assert await browser.status() == 200
    again = await browser.ask(document, {"i": {"id": ended}})
    assert again["endSession"]["errors"] == []


async def test_another_members_session_is_nobody_elses_to_end(gateway: Gateway, browser: Browser) -> None:
    other = Browser(gateway)
    await browser.sign_in("ada")
    theirs = (await other.sign_in("eve"))["sessionId"]
    for session_id in (theirs, "00000000-0000-7000-8000-000000000000", "nonsense"):
        data = await browser.ask(
            "mutation ($i: EndSessionInput!) { endSession(input: $i) { errors { path code } } }",
            {"i": {"id": session_id}},
        )
        assert data["endSession"]["errors"] == [{"path": ["id"], "code": "UNKNOWN"}]
    assert await other.status() == 200


@pytest.mark.clause("C14")
async def test_signing_out_everywhere_counts_at_once_in_every_replica(
    quick: Settings, keys: Keyring, own_world: Database, product: Product, gateway: Gateway, clock: Clock
) -> None:
    async with compose(quick, keys, own_world, product, clock) as replica:
        here, there, elsewhere = Browser(gateway), Browser(replica), Browser(replica)
        await here.sign_in("ada")
        await there.sign_in("ada")
        await elsewhere.sign_in("eve")
        moved = Browser(replica)
        moved.token = here.token
        assert {await b.status() for b in (here, there, elsewhere, moved)} == {200}
        assert await here.run("signOutEverywhere") == []
        assert here.cookie is None
        async with asyncio.timeout(2 * quick.revocation_staleness):
            while await there.status() == 200 or await moved.status() == 200:
                pass
        assert await here.status() == 401
        assert codes(await there.refresh()) == ["SESSION_OVER"]
        assert await elsewhere.status() == 200
        await here.sign_in("ada")
        assert await here.status() == 200


async def test_a_renewal_that_races_signing_out_everywhere_leaves_no_token(
    gateway: Gateway,
) -> None:
    for _ in range(5):
        here, there = Browser(gateway), Browser(gateway)
        await here.sign_in("ada")
        await there.sign_in("ada")
        await asyncio.gather(there.refresh(), here.run("signOutEverywhere"))
        assert there.token is None or await there.status() == 401
        if there.cookie is not None:
            assert codes(await there.refresh()) == ["SESSION_OVER"]


async def test_of_more_than_a_hundred_sessions_the_oldest_end(
    browser: Browser, gateway: Gateway, own_world: Database
) -> None:
    first = await browser.sign_in("ada")
    async with own_world.transaction() as connection:
        await connection.execute(
            "INSERT INTO session (id, member_id, created_at, last_used_at, expires_at, generation,"
            " rotated_at) SELECT gen_random_uuid(), member_id, created_at + make_interval(secs => n / 1e4),"
            " last_used_at, expires_at, 0, rotated_at FROM session, generate_series(1, $1) AS n",
            MAX_SESSIONS - 1,
        )
    other = Browser(gateway)
    await other.sign_in("ada")
    ended = [row for row in await rows(own_world) if row["ended_at"] is not None]
    assert [str(row["id"]) for row in ended] == [first["sessionId"]]
    assert await browser.status() == 401
    assert await other.status() == 200


async def test_a_session_says_when_it_ends_if_it_is_not_renewed(
    browser: Browser, own_world: Database, clock: Clock, quick: Settings
) -> None:
    """The earlier one of both ends, at the beginning and after each renewal."""
    idle, lifetime = timedelta(seconds=quick.session_idle), timedelta(seconds=quick.session_lifetime)
    await browser.sign_in("ada")
    shown = (await browser.ask("{ me { sessions { edges { node { createdAt expiresAt } } } } }"))["me"]
    (node,) = (edge["node"] for edge in shown["sessions"]["edges"])
    created = datetime.fromisoformat(node["createdAt"])
    assert datetime.fromisoformat(node["expiresAt"]) == created + idle
    while clock.ahead + idle / 2 < lifetime:
        clock.ahead += idle / 2
        assert codes(await browser.refresh()) == []
        (row,) = await rows(own_world)
        assert row["expires_at"] == min(row["last_used_at"] + idle, created + lifetime)
    assert row["expires_at"] == created + lifetime


async def test_a_session_that_nobody_renews_is_forgotten(
    browser: Browser, own_world: Database, quick: Settings
) -> None:
    await browser.sign_in("ada")
    (row,) = await rows(own_world)
    forgotten = row["created_at"] + timedelta(seconds=quick.session_idle) + KEEP_SESSIONS
    async with own_world.transaction() as connection:
        await remove_old(connection, forgotten - timedelta(seconds=1))
        assert len(await rows(own_world)) == 1
        await remove_old(connection, forgotten)
    assert await rows(own_world) == []


async def test_a_shorter_lifetime_holds_for_sessions_there_are(
    browser: Browser,
    own_world: Database,
    clock: Clock,
    quick: Settings,
    keys: Keyring,
    product: Product,
) -> None:
    await browser.sign_in("ada")
    shorter = quick.model_copy(update={"session_lifetime": quick.session_idle // 2})
    clock.ahead += timedelta(seconds=shorter.session_lifetime)
    async with compose(shorter, keys, own_world, product, clock) as gateway:
        later = Browser(gateway)
        later.cookie = browser.cookie
        assert codes(await later.refresh()) == ["SESSION_OVER"]


async def test_what_the_client_brings_along_is_no_part_of_the_session(
    gateway: Gateway, browser: Browser
) -> None:
    """Session fixation: a cookie that somebody else planted neither names nor opens the new session."""
    attacker = Browser(gateway)
    planted = (await attacker.sign_in("eve"))["sessionId"]
    browser.cookie = attacker.cookie
    payload = await browser.sign_in("ada")
    assert payload["sessionId"] != planted
    assert browser.cookie != attacker.cookie
    await attacker.refresh()
    shown = await attacker.ask("{ me { email } }")
    assert shown["me"]["email"] == "eve@example.org"


async def test_an_imported_hash_is_made_anew_at_the_first_sign_in(
    browser: Browser, own_world: Database
) -> None:
    imported = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await give_hash(own_world, "gus", imported)
    assert codes(await browser.sign_in("gus", "wrong")) == ["INVALID_CREDENTIALS"]
    assert await hash_of(own_world, "gus") == imported
    assert codes(await browser.sign_in("gus")) == []
    renewed = await hash_of(own_world, "gus")
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert codes(await browser.sign_in("gus")) == []
    assert await hash_of(own_world, "gus") == renewed


async def test_other_parameters_make_the_hash_anew(
    browser: Browser, own_world: Database, settings: Settings, keys: Keyring
) -> None:
    stronger = settings.model_copy(update={"password_passes": 3})
    with open_means(stronger, keys, lambda: world.NOW) as means:
        await give_password(own_world, means, "gus")
    assert "t=3" in await hash_of(own_world, "gus")
    assert codes(await browser.sign_in("gus")) == []
    assert "t=2" in await hash_of(own_world, "gus")


async def hash_of(database: Database, name: str) -> str:
    async with database.transaction() as connection:
        found = await read_password_hash(connection, world.person(name).id)
    assert found is not None
    return found


@pytest.mark.clause("C4")
@pytest.mark.parametrize(("headers", "written"), [({"sec-gpc": "1"}, ["GPC"]), ({}, [])])
async def test_signing_in_with_global_privacy_control_opts_out(
    browser: Browser, own_world: Database, headers: dict[str, str], written: list[str]
) -> None:
    browser.headers |= headers
    await browser.sign_in("ada", "wrong")
    async with own_world.connection() as connection:
        question = "SELECT source FROM choice WHERE member_id = $1 AND source = 'GPC'"
        assert await connection.fetch(question, ADA) == []
        assert codes(await browser.sign_in("ada")) == []
        noted = await connection.fetch(question, ADA)
        shares = await connection.fetchval(
            "SELECT count(*) FROM share JOIN agreement ON agreement.id = agreement_id"
            " WHERE member_id = $1 AND basis <> 'LEGAL'",
            ADA,
        )
    assert [row["source"] for row in noted] == written
    assert (shares == 0) == bool(written)
