"""Guessing, flooding, forging and listening at the door through which members come in (C14)."""

from __future__ import annotations

import logging
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import bcrypt
import pytest

from gateway.app import Gateway, Product, compose, utc_now
from gateway.database import Database
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.settings import Settings
from resolvers.means import Means
from resolvers.passwords import PasswordHasher, Verdict
from tests import world
from tests.browsers import PASSWORD, SIGN_IN, Browser, codes, give_hash, give_password

FOREIGN = "https://evil.example"
OURS = "http://127.0.0.1:8000"
FRONT_END = "https://app.example"


@pytest.fixture
async def gateway(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, means: Means
) -> AsyncIterator[Gateway]:
    await give_password(own_world, means, "ada")
    changed = settings.model_copy(update={"answer_floor": 0.0, "cors_origins": (FRONT_END,)})
    async with compose(changed, keys, own_world, product, utc_now) as running:
        yield running


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    return Browser(gateway)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that are looked at, one by one."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    async def watched(self: PasswordHasher, password_hash: str | None, password: str) -> Verdict:
        seen.append(password)
        return await verify(self, password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    return seen


def packed(number: int) -> str:
    """One request with so many attempts in it."""
    fields = " ".join(f"a{n}: signIn(input: $i) {{ errors {{ code }} }}" for n in range(number))
    return f"mutation ($i: SignInInput!) {{ {fields} }}"


def guess(email: str = "ada@example.org", password: str = "wrong") -> dict[str, Any]:
    return {"i": {"email": email, "password": password, "delivery": "PAYLOAD"}}


@pytest.mark.clause("C14")
@pytest.mark.slow
@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
async def test_a_thousand_attempts_in_one_request_are_a_thousand_attempts(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, checked: list[str], email: str
) -> None:
    wide = settings.model_copy(
        update={
            "max_aliases": 1_000,
            "max_root_fields": 1_000,
            "max_tokens": 50_000,
            "max_cost": 1_000_000,
            "request_timeout": 100.0,
            "answer_floor": 0.0,
            "sign_in_refill": 3_600.0,
            "address_refill": 3_600.0,
        }
    )
    async with compose(wide, keys, own_world, product, utc_now) as running:
        browser = Browser(running)
        data = await browser.ask(packed(1_000), guess(email))
        assert len(checked) == wide.sign_in_attempts
        assert Counter(codes(payload)[0] for payload in data.values()) == {
            "INVALID_CREDENTIALS": wide.sign_in_attempts,
            "THROTTLED": 1_000 - wide.sign_in_attempts,
        }
        assert codes(await browser.sign_in(email)) == ["THROTTLED"], "the right password comes too late"
        assert len(checked) == wide.sign_in_attempts


async def test_by_default_so_many_are_refused_as_a_whole_and_nothing_is_counted(
    browser: Browser, checked: list[str], own_world: Database
) -> None:
    answer = await browser.post(packed(1_000), guess())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] in {"TOO_MANY_TOKENS", "TOO_MANY_ALIASES"}
    assert checked == []
    async with own_world.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM attempt") == 0


@pytest.mark.clause("C14")
async def test_who_is_turned_away_is_told_how_long_whether_there_is_an_account_or_not(
    browser: Browser, checked: list[str]
) -> None:
    shown = []
    for email in ("ada@example.org", "nobody@example.org"):
        for _ in range(10):
            assert codes(await browser.sign_in(email, "wrong")) == ["INVALID_CREDENTIALS"]
        payload = await browser.sign_in(email, PASSWORD)
        (error,) = payload["errors"]
        assert (error["code"], error["path"]) == ("THROTTLED", [])
        shown.append(error["message"])
    assert all(message.startswith("too many attempts: try again in ") for message in shown)
    assert len(checked) == 20


async def test_one_address_cannot_try_many_accounts(
    settings: Settings,
    keys: Keyring,
    own_world: Database,
    product: Product,
    means: Means,
    checked: list[str],
) -> None:
    await give_password(own_world, means, "ada")
    narrow = settings.model_copy(
        update={"answer_floor": 0.0, "address_attempts": 4, "address_refill": 3600.0}
    )
    async with compose(narrow, keys, own_world, product, utc_now) as running:
        browser = Browser(running, "2001:db8::1")
        found = [codes(await browser.sign_in(f"{n}@example.org", "x"))[0] for n in range(4)]
        assert set(found) == {"INVALID_CREDENTIALS"}
        neighbour = Browser(running, "2001:db8::2")
        assert codes(await neighbour.sign_in("ada")) == ["THROTTLED"]
        assert codes(await Browser(running, "2001:db8:0:1::1").sign_in("ada")) == []
        assert len(checked) == 5


@pytest.mark.clause("C14")
@pytest.mark.slow
async def test_no_account_is_told_from_another_by_the_time_of_the_answer(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, means: Means
) -> None:
    """Known, unknown, without a password, left, and imported with bcrypt: all within the floor."""
    for name in ("ada", "fay"):
        await give_password(own_world, means, name)
    await give_hash(own_world, "ben", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode())
    patient = settings.model_copy(update={"sign_in_attempts": 1_000, "address_attempts": 1_000})
    times: dict[str, list[float]] = {}
    async with compose(patient, keys, own_world, product, utc_now) as running:
        browser = Browser(running)
        for _ in range(6):
            for name in ("ada", "ben", "fay", "gus", "nobody@example.org"):
                began_at = time.perf_counter()
                assert codes(await browser.sign_in(name, "wrong")) == ["INVALID_CREDENTIALS"]
                times.setdefault(name, []).append(time.perf_counter() - began_at)
    medians = [statistics.median(values) for values in times.values()]
    assert min(medians) >= settings.answer_floor
    assert max(medians) - min(medians) < 0.05


@pytest.mark.clause("C14")
@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
async def test_a_request_for_a_link_takes_its_time_whoever_it_is_for(
    settings: Settings, keys: Keyring, own_world: Database, product: Product, email: str
) -> None:
    async with compose(settings, keys, own_world, product, utc_now) as running:
        began_at = time.perf_counter()
        data = await Browser(running).ask(
            "mutation ($i: RequestPasswordResetInput!) {"
            " requestPasswordReset(input: $i) { errors { code } } }",
            {"i": {"email": email}},
        )
        assert data == {"requestPasswordReset": {"errors": []}}
        assert time.perf_counter() - began_at >= settings.answer_floor


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=["origin", "null", "cross-site", "same-site"],
)
async def test_a_foreign_page_can_use_no_cookie(browser: Browser, headers: dict[str, str]) -> None:
    """CSRF: neither renew, nor sign out, nor sign somebody in as somebody else."""
    await browser.sign_in("ada")
    cookie, browser.token = browser.cookie, None
    browser.headers |= headers
    for command in ("refreshSession", "signOut"):
        answer = (await browser.post(f"mutation {{ {command} {{ errors {{ code }} }} }}")).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert answer["data"] is None
        assert browser.set_cookies == []
    given = {"input": {"email": "ada@example.org", "password": PASSWORD}}
    answer = (await browser.post(SIGN_IN, given)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert browser.set_cookies == []
    browser.headers = {}
    assert browser.cookie == cookie
    assert codes(await browser.refresh()) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": OURS},
        {"origin": FRONT_END},
        {"sec-fetch-site": "same-origin"},
        {"origin": FRONT_END.upper()},
    ],
    ids=["none", "ours", "admitted", "same-origin", "capitals"],
)
async def test_pages_of_ours_and_programs_use_cookies(browser: Browser, headers: dict[str, str]) -> None:
    browser.headers |= headers
    assert codes(await browser.sign_in("ada")) == []
    assert codes(await browser.refresh()) == []
    assert await browser.run("signOut") == []


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(browser: Browser) -> None:
    payload = await browser.sign_in("ada", delivery="PAYLOAD")
    access, refresh = payload["accessToken"], payload["refreshToken"]
    browser.token = refresh
    assert await browser.status() == 401
    assert codes(await browser.refresh(access)) == ["SESSION_OVER"]


@pytest.mark.clause("C14")
async def test_no_password_or_token_is_in_a_log_or_table(
    browser: Browser, own_world: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    typed = "correct-horse-canary-9431"
    await browser.sign_in("ada", typed)
    await browser.post(
        f'mutation {{ signIn(input: {{email: "ada@example.org", password: "{typed}"}}) {{ x }} }}'
    )
    payload = await browser.sign_in("ada", delivery="PAYLOAD")
    renewed = await browser.refresh(payload["refreshToken"])
    secrets = [typed, PASSWORD]
    secrets += [p[key] for p in (payload, renewed) for key in ("accessToken", "refreshToken")]
    logged = "\n".join(str(record.__dict__) for record in caplog.records if record.name != "httpx")
    async with own_world.connection() as connection:
        tables = ("session", "attempt", "revocation", "done_command", "outgoing_mail", "one_time_link")
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table} AS t")
            logged += "\n".join(row["row"] for row in rows)
    assert not [secret for secret in secrets if secret in logged]


async def test_an_idempotency_key_makes_no_second_sign_in_the_first(browser: Browser) -> None:
    browser.headers["idempotency-key"] = "one"
    first = await browser.sign_in("ada")
    second = await browser.sign_in("ada")
    assert codes(second) == []
    assert first["sessionId"] != second["sessionId"]
    assert codes(await browser.sign_in("ada", "wrong")) == ["INVALID_CREDENTIALS"]


async def test_a_partner_has_no_door_here(browser: Browser, settings: Settings, keys: Keyring) -> None:
    scopes = world.CALLERS["acme"].scopes or ()
    browser.token = mint(
        settings, keys, kind=SubjectKind.PARTNER, subject="acme", client_id="acme", scopes=scopes
    ).token
    answer = (await browser.post("mutation { signOut { errors { code } } }")).json()
    assert "data" not in answer
