"""What partners owe, over real HTTP: listed, confirmed by a signed statement only, not escaped when late."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.app import Product, compose
from gateway.database import Database
from gateway.identity.tokens import own_issuer
from gateway.keys import Keyring
from gateway.policy_in_force import PolicyInForce
from gateway.serving import listen, served
from gateway.settings import Settings
from gateway.upkeep import Upkeep
from resolvers.commands import deletions
from resolvers.commands.erasure import erase_member
from resolvers.commands.partners import set_agreement_status
from resolvers.commands.statement_keys import add_statement_key, remove_statement_key
from resolvers.shares import refresh_shares
from schema.vocabulary import AgreementStatus
from tests import world
from tests.running import Callers

LIST = (
    "query($confirmed: Boolean! = false) { deletions(confirmed: $confirmed) { totalCount edges { node {"
    " id categories erased toldAt confirmedAt overdue } } } }"
)
CONFIRM = (
    "mutation($statement: String!, $ids: [ID!]) { confirmDeletion(input: {statement: $statement, ids: $ids})"
    " { errors { code message } statement confirmed stillOwed notOwed } }"
)
WITHDRAWALS = (
    "{ me { withdrawals { edges { node { categories toldAt confirmedAt late"
    " agreement { partner { name } } } } } } }"
)
EMAIL = "user.contact.email"
ADA, BEN = str(world.subject("acme", "ada")), str(world.subject("acme", "ben"))
JON_OF_BOLT = str(world.subject("bolt", "jon"))


@dataclass
class Scene:
    """A gateway whose clock the test moves, and partners' keys."""

    callers: Callers
    database: Database
    product: Product
    settings: Settings
    now: datetime = world.NOW
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    async def register(self, partner: str, kid: str) -> None:
        key = self.keys[kid] = Ed25519PrivateKey.generate()
        jwk = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        async with self.database.transaction() as link:
            await add_statement_key(
                link,
                partner=partner,
                kid=kid,
                jwk={**jwk, "kid": kid},
                valid_from=self.now - timedelta(days=1),
                valid_until=None,
                now=self.now,
            )

    def sign(self, deleted: Any, *, kid: str = "acme-1", **other: Any) -> str:
        claims = {
            "iss": "acme",
            "aud": own_issuer(self.settings),
            "iat": self.now.timestamp(),
            "jti": uuid4().hex,
            "deleted": deleted,
            **other,
        }
        return jwt.encode(
            claims,
            self.keys[kid],
            algorithm="EdDSA",
            headers={"typ": "deletion-confirmation+jwt", "kid": kid},
        )

    async def choose(self, name: str, direction: str, *categories: str) -> None:
        async with self.database.transaction() as link:
            await link.execute(
                "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, categories)"
                " VALUES (gen_random_uuid(), $1, $2, $2, $3, 'PROFILE_PAGE', $4)",
                world.person(name).id,
                self.now,
                direction,
                list(categories) or None,
            )
            await refresh_shares(link, self.product.matrix, now=self.now, members=[world.person(name).id])

    async def owed(self, who: str = "acme", *, confirmed: bool = False) -> dict[str, dict[str, Any]]:
        answer = (await self.callers.ask(who, LIST, confirmed=confirmed)).json()
        return {edge["node"]["id"]: edge["node"] for edge in answer["data"]["deletions"]["edges"]}

    async def confirm(self, statement: str, who: str = "acme", **other: Any) -> Mapping[str, Any]:
        answer = (await self.callers.ask(who, CONFIRM, statement=statement, **other)).json()
        payload: Mapping[str, Any] = answer["data"]["confirmDeletion"]
        return payload

    async def upkeep(self) -> None:
        await Upkeep(self.database, PolicyInForce(self.product.matrix), lambda: self.now).round()


@pytest.fixture
async def scene(
    settings: Settings, keys: Keyring, own_world: Database, product: Product
) -> AsyncIterator[Scene]:
    made: list[Scene] = []
    async with (
        compose(settings, keys, own_world, product, lambda: made[0].now if made else world.NOW) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
    ):
        callers = Callers(url, settings, keys)
        async with callers.http:
            made.append(Scene(callers, own_world, product, settings))
            # What the world's ended agreement is owed.
            await own_world.app.execute("DELETE FROM deletion")
            await made[0].register("acme", "acme-1")
            await made[0].register("bolt", "bolt-1")
            yield made[0]


async def test_a_withdrawal_is_listed_told_confirmed_and_followed_by_its_member(scene: Scene) -> None:
    await scene.choose("ada", "OUT", EMAIL)
    before = await scene.database.app.fetchval("SELECT count(*) FROM disclosure")
    owed = await scene.owed("acme-nothing")
    assert await scene.database.app.fetchval("SELECT count(*) FROM disclosure") == before + 1
    assert (owed[ADA]["categories"], owed[ADA]["overdue"], owed[ADA]["erased"]) == ([EMAIL], False, False)

    scene.now += timedelta(days=31)
    (mine,) = [
        edge["node"]
        for edge in (await scene.callers.ask("ada", WITHDRAWALS)).json()["data"]["me"]["withdrawals"]["edges"]
        if edge["node"]["agreement"]["partner"]["name"] == "acme"
    ]
    assert (mine["toldAt"] is not None, mine["confirmedAt"], mine["late"]) == (True, None, True)
    statement = scene.sign({ADA: [EMAIL]})
    done = await scene.confirm(statement, ids=[ADA])
    assert (done["errors"], done["confirmed"], done["stillOwed"], done["notOwed"]) == ([], [ADA], [], [])
    assert await scene.confirm(statement) == done
    assert await scene.owed() == {}
    assert (await scene.owed(confirmed=True))[ADA]["confirmedAt"] is not None
    (kept,) = await scene.database.app.fetch("SELECT jws, kid FROM deletion_statement")
    assert (kept["jws"], kept["kid"]) == (statement, "acme-1")


async def test_a_statement_confirms_what_it_says_as_it_stood_at_its_date(scene: Scene) -> None:
    await scene.choose("ada", "OUT", EMAIL)
    scene.now += timedelta(hours=1)
    early = scene.sign({ADA: [EMAIL, "user.location.imprecise"]})
    partial = scene.sign({ADA: ["user.demographic.profile"]})
    scene.now += timedelta(hours=1)
    await scene.choose("ada", "OUT", "user.location.imprecise")
    assert (await scene.confirm(partial))["stillOwed"] == [ADA]
    assert (await scene.confirm(early))["stillOwed"] == [ADA]
    owed = await scene.owed()
    assert owed[ADA]["categories"] == ["user.location.imprecise"]
    assert (await scene.owed(confirmed=True))[ADA]["categories"] == [EMAIL]
    due = await scene.database.app.fetchval(
        "SELECT due_at FROM deletion WHERE confirmed_at IS NULL AND subject = $1",
        world.subject("acme", "ada"),
    )
    assert due == scene.now + timedelta(days=30)


async def test_of_an_erased_member_the_id_has_to_go_as_well(scene: Scene) -> None:
    async with scene.database.transaction() as link:
        await link.execute("UPDATE member SET status = 'CLOSED' WHERE id = $1", world.person("ada").id)
        await refresh_shares(link, scene.product.matrix, now=scene.now, members=[world.person("ada").id])
        await link.execute(
            "INSERT INTO member_request (id, member_id, kind, status, subject, body, target_kind, opened_at,"
            " due_at) VALUES (gen_random_uuid(), $1, 'ERASURE', 'OPEN', 's', '', 'ACTIVE', $2, $2)",
            world.person("ada").id,
            scene.now,
        )
        await erase_member(link, world.person("ada").id, scene.now)
    keys = (await scene.owed())[ADA]["categories"]
    assert "user.unique_id.pseudonymous" in keys
    without = [key for key in keys if key != "user.unique_id.pseudonymous"]
    assert (await scene.confirm(scene.sign({ADA: without})))["stillOwed"] == [ADA]
    assert (await scene.owed())[ADA]["categories"] == ["user.unique_id.pseudonymous"]
    assert (await scene.confirm(scene.sign({ADA: ["user.unique_id.pseudonymous"]})))["confirmed"] == [ADA]


async def test_what_is_unknown_anothers_or_never_owed_is_answered_alike(scene: Scene) -> None:
    await scene.choose("jon", "OUT")
    unknown = str(uuid4())
    done = await scene.confirm(scene.sign({unknown: [EMAIL], JON_OF_BOLT: [EMAIL], BEN: [EMAIL]}))
    assert set(done["notOwed"]) == {unknown, JON_OF_BOLT, BEN}
    assert done["confirmed"] == done["stillOwed"] == []
    assert JON_OF_BOLT in await scene.owed("bolt")


async def test_no_other_word_counts(scene: Scene) -> None:
    await scene.choose("ada", "OUT", EMAIL)
    told, typ = {ADA: [EMAIL]}, {"typ": "deletion-confirmation+jwt", "kid": "acme-1"}
    good = jwt.decode(scene.sign(told), options={"verify_signature": False})
    aud = own_issuer(scene.settings)
    wrong = {
        "another partner's key": scene.sign(told, kid="bolt-1"),
        "another key under its name": jwt.encode(good, scene.keys["bolt-1"], algorithm="EdDSA", headers=typ),
        "another content under its signature": _with_claims(scene.sign(told), {**good, "jti": uuid4().hex}),
        "another client": scene.sign(told, iss="bolt"),
        "another gateway": scene.sign(told, aud="https://elsewhere.example"),
        "several audiences": scene.sign(told, aud=[aud, "https://elsewhere.example"]),
        "a date ahead": scene.sign(told, iat=(scene.now + timedelta(hours=1)).timestamp()),
        "before its key": scene.sign(told, iat=(scene.now - timedelta(days=2)).timestamp()),
        "no date": scene.sign(told, iat=True),
        "no algorithm": jwt.encode(good, "", algorithm="none", headers=typ),
        "a shared secret": jwt.encode(good, "x" * 64, algorithm="HS256", headers=typ),
        "another type": jwt.encode(
            good, scene.keys["acme-1"], algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "acme-1"}
        ),
        "another name of the key": jwt.encode(
            good, scene.keys["acme-1"], algorithm="EdDSA", headers={**typ, "kid": "no-such"}
        ),
        "a claim too many": scene.sign(told, exp=1),
        "nothing": scene.sign({}),
        "too many": scene.sign({str(uuid4()): [EMAIL] for _ in range(1_001)}),
        "no id": scene.sign({"ada": [EMAIL]}),
        "no category": scene.sign({ADA: ["user.nonsense"]}),
        "no statement": "x.y.z",
    }
    for name, statement in wrong.items():
        done = await scene.confirm(statement)
        assert [error["code"] for error in done["errors"]] == ["STATEMENT_REFUSED"], name
        assert ADA not in str(done), name
    done = await scene.confirm(scene.sign(told), ids=[BEN])
    assert [error["code"] for error in done["errors"]] == ["IDS_DIFFER"]
    done = await scene.confirm(scene.sign(told), who="bolt")
    assert [error["code"] for error in done["errors"]] == ["STATEMENT_REFUSED"]
    member = (await scene.callers.ask("ada", CONFIRM, statement=scene.sign(told))).json()
    assert member["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    async with scene.database.transaction() as link:
        await remove_statement_key(link, partner="acme", kid="acme-1", now=scene.now)
    assert (await scene.confirm(scene.sign(told)))["errors"]
    assert set(await scene.owed()) == {ADA}


async def test_statements_do_not_fill_the_disk(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is kept for good, also one of which nothing was owed."""
    monkeypatch.setattr(deletions, "MAX_STATEMENTS_A_DAY", 2)
    for _ in range(2):
        assert (await scene.confirm(scene.sign({str(uuid4()): [EMAIL]})))["errors"] == []
    done = await scene.confirm(scene.sign({str(uuid4()): [EMAIL]}))
    assert [error["code"] for error in done["errors"]] == ["STATEMENT_REFUSED"]
    assert "tomorrow" in done["errors"][0]["message"]


def _with_claims(statement: str, claims: Mapping[str, Any]) -> str:
    header, _, signature = statement.split(".")
    return ".".join((header, jwt.utils.base64url_encode(json.dumps(claims).encode()).decode(), signature))


async def test_two_statements_and_a_new_withdrawal_at_once_leave_what_is_owed(scene: Scene) -> None:
    await scene.choose("ada", "OUT", EMAIL)
    first, second = scene.sign({ADA: [EMAIL]}), scene.sign({ADA: [EMAIL]})
    scene.now += timedelta(seconds=1)
    await asyncio.gather(
        scene.confirm(first), scene.confirm(second), scene.choose("ada", "OUT", "user.location.imprecise")
    )
    assert (await scene.owed())[ADA]["categories"] == ["user.location.imprecise"]
    last = scene.sign({ADA: ["user.location.imprecise"]})
    scene.now += timedelta(seconds=1)
    await asyncio.gather(scene.confirm(last), scene.choose("ada", "IN"))
    assert await scene.owed() == {}


async def test_who_is_late_is_narrowed_then_suspended_and_free_again_when_it_is_done(scene: Scene) -> None:
    members = "{ members(first: 1) { totalCount } }"
    await scene.choose("ada", "OUT", EMAIL)
    scene.now += timedelta(days=37)
    await scene.upkeep()
    await _until(scene, members, 400)
    terms = (
        await scene.callers.ask(
            "acme", "{ agreement { restriction inForce deletionDays } viewer { scopes } }"
        )
    ).json()["data"]
    assert terms["agreement"] == {"restriction": "NARROWED", "inForce": True, "deletionDays": 30}
    assert terms["viewer"] == {"scopes": []}
    assert (await scene.owed())[ADA]["overdue"]
    assert (await scene.callers.ask("wish", members)).status_code == 200

    assert (await scene.confirm(scene.sign({ADA: [EMAIL]})))["confirmed"] == [ADA]
    await _until(scene, members, 200)

    await scene.choose("ben", "OUT", EMAIL)
    scene.now += timedelta(days=51)
    await scene.upkeep()
    await _until(scene, members, 401)
    assert (await scene.callers.ask("acme", LIST)).status_code == 401


async def _until(scene: Scene, query: str, status: int) -> None:
    """A replica follows within a second."""
    deadline = time.monotonic() + 1.5
    while (found := (await scene.callers.ask("acme", query)).status_code) != status:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)


async def test_what_was_refused_during_a_suspension_is_owed_when_it_is_lifted(scene: Scene) -> None:
    acme = world.AGREEMENTS["acme"].id

    async def status(wanted: AgreementStatus) -> list[Any]:
        scene.now += timedelta(hours=1)
        async with scene.database.transaction() as link:
            await set_agreement_status(
                link, scene.product.matrix, agreement_id=acme, status=wanted, now=scene.now
            )
            return await link.fetch("SELECT subject FROM deletion WHERE agreement_id = $1", acme)

    assert await status(AgreementStatus.SUSPENDED) == []
    await scene.choose("ada", "OUT")
    assert [str(row["subject"]) for row in await status(AgreementStatus.ACTIVE)] == [ADA]
    await status(AgreementStatus.SUSPENDED)
    assert len(await status(AgreementStatus.ENDED)) > 5
