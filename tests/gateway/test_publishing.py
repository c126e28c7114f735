"""A policy is published in two gateways on one database, by a clock that moves (C16)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from gateway.app import Gateway, Product, compose
from gateway.database import Database
from gateway.delivery.letters import compose as compose_mail
from gateway.delivery.letters import read_letterhead
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.policy_source import load_shipped_directory
from gateway.serving import listen, served
from gateway.settings import Settings
from gateway.web.addresses import addresses_of
from policies.directory import PolicyDirectory, read_directory
from policies.officers import Channel, Officer, Role
from resolvers.announcing import mail_notices
from resolvers.desk import Desk
from resolvers.means import Means
from resolvers.officers.policies import (
    list_notices,
    list_versions,
    publish,
    read_version,
    roll_back,
)
from resolvers.outbox import read_mail
from resolvers.policy_publishing import Publication
from resolvers.policy_versions import Compiler
from resolvers.shares import refresh_shares
from schema.errors import InputError, PolicyError
from schema.ids import new_id
from tests import world
from tests.running import Callers

NOTICE = timedelta(days=30)
USERNAMES = """
@id("usernames")
@clause("C8")
@text("Strategic partners receive the user name until the member opts out.")
permit (principal == Basis::"STRATEGIC", action in [Action::"share", Action::"presume"], resource)
when {
  context.purpose == Purpose::"PARTNER_OFFERS" && !context.protected &&
  resource in DataCategory::"user.account.username"
};
"""
PERMIT = (
    '@id("p") @clause("C8") @text("x") permit (principal, action, resource in DataCategory::"{category}");'
)
FORBID = '@id("p") @clause("C8") @text("x") forbid (principal == Basis::"STRATEGIC", action, resource);'
PAGE = "{ members(first: 50) { edges { node { id } } } }"
NAMES = "{ members(first: 50) { edges { node { id username } } } }"
CHOOSE = "mutation ($input: ChooseInput!) { choose(input: $input) { errors { code } } }"
NOTICES = "{ notices { id title basis purpose categories publishedAt effectiveAt } }"
OLGA = Officer("olga", frozenset({Role.PRIVACY_OFFICER}), Channel.CONTRACT)
COMPILED = Compiler()


def directory(**files: str) -> PolicyDirectory:
    return read_directory({**load_shipped_directory().files, **files})


def with_usernames() -> PolicyDirectory:
    shipped = load_shipped_directory().files
    german = shipped["texts/de.toml"] + 'usernames = "Strategische Partner erhalten den Benutzernamen."\n'
    return directory(**{"sharing.cedar": shipped["sharing.cedar"] + USERNAMES, "texts/de.toml": german})


@dataclass
class Clock:
    now: datetime = world.NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Scene:
    """Two replicas, their callers, and an officer."""

    clock: Clock
    database: Database
    gateways: tuple[Gateway, Gateway]
    callers: tuple[Callers, Callers]
    settings: Settings
    keys: Keyring
    means: Means

    def desk(self, connection: object) -> Desk:
        return Desk(connection, OLGA, self.clock(), self.gateways[0].policy)  # type: ignore[arg-type]

    async def publish(self, wanted: PolicyDirectory, **other: object) -> Publication:
        options = {"notice_days": NOTICE.days, "effective_at": None, "mailed": True} | other
        async with self.database.transaction() as connection:
            return await publish(self.desk(connection), wanted, compiled=COMPILED, **options)  # type: ignore[arg-type]

    async def roll_back(self, number: int) -> Publication:
        async with self.database.transaction() as connection:
            return await roll_back(
                self.desk(connection), number, notice_days=NOTICE.days, mailed=True, compiled=COMPILED
            )

    async def move(self, by: timedelta) -> None:
        """The clock, and time for both replicas to look at it."""
        self.clock.now += by
        await asyncio.sleep(1.2)

    async def opened(self) -> Mapping[str, str | None]:
        """What acme sees, once both replicas have opened the field: they show the same."""
        for _ in range(50):
            first, second = await self.names()
            if first is not None and second is not None:
                assert first == second
                return first
            await asyncio.sleep(0.2)
        raise AssertionError("it did not open")

    async def names(self) -> tuple[Mapping[str, str | None] | None, ...]:
        """User names that acme sees, in each replica; None where its contract has no such field."""
        return tuple([await self._names(callers) for callers in self.callers])

    async def acme(self, callers: Callers, query: str) -> httpx.Response:
        """A request of acme, whose token may see all that the agreement names."""
        minted = mint(
            self.settings, self.keys, kind=SubjectKind.PARTNER, subject="acme", client_id="acme",
            scopes=(*sorted(world.AGREEMENTS["acme"].categories), "user.account.username"),
        )  # fmt: skip
        headers = {
            "authorization": f"Bearer {minted.token}",
            "accept": "application/graphql-response+json",
        }
        return await callers.http.post("/graphql", json={"query": query}, headers=headers)

    async def _names(self, callers: Callers) -> Mapping[str, str | None] | None:
        answer = await self.acme(callers, NAMES)
        if "POLICY_CHANGED" in answer.text:  # it was read before, and would have left after
            answer = await self.acme(callers, NAMES)
        if answer.status_code == 400:
            assert "username" in answer.text
            return None
        assert answer.status_code == 200, answer.text
        named = {str(world.subject("acme", p.name.lower())): p.name.lower() for p in world.PEOPLE}
        return {
            named.get(edge["node"]["id"], "newcomer"): edge["node"]["username"]
            for edge in answer.json()["data"]["members"]["edges"]
        }


@pytest.fixture
async def scene(
    own_world: Database, settings: Settings, keys: Keyring, product: Product, means: Means
) -> AsyncIterator[Scene]:
    async with own_world.transaction() as connection:
        await connection.execute(
            "UPDATE agreement SET categories = categories || '{user.account.username}' WHERE id = $1",
            world.AGREEMENTS["acme"].id,
        )
        await connection.execute("UPDATE member SET username = lower(given_name)")
    clock = Clock()
    async with (
        compose(settings, keys, own_world, product, clock) as one,
        compose(settings, keys, own_world, product, clock) as other,
        served(one.app, listen("127.0.0.1", 0)) as first,
        served(other.app, listen("127.0.0.1", 0)) as second,
    ):
        callers = (Callers(first, settings, keys), Callers(second, settings, keys))
        async with callers[0].http, callers[1].http:
            yield Scene(clock, own_world, (one, other), callers, settings, keys, means)


async def letter(scene: Scene, person: str) -> str:
    """The announcement in the outbox for this member, as it would be sent."""
    async with scene.database.transaction() as connection:
        mail_id: UUID = await connection.fetchval(
            "SELECT id FROM outgoing_mail WHERE member_id = $1 AND kind = 'NEW_PRACTICE'",
            world.person(person).id,
        )
        facts = await read_mail(connection, mail_id, scene.clock())
    assert facts is not None
    head = read_letterhead(scene.settings.mail_from, addresses_of(scene.settings, scene.means.tokens))
    return compose_mail(facts, head, scene.clock()).data.decode()


async def join(scene: Scene, name: str) -> None:
    """Somebody new, while a notice stands."""
    async with scene.database.transaction() as connection:
        member = new_id()
        await connection.execute(
            "INSERT INTO member (id, number, status, email, given_name, family_name, username, birth_date,"
            " region, interests, purchase_categories, joined_at, updated_at, version)"
            " VALUES ($1, 'M-new', 'ACTIVE', 'new@example.org', 'New', 'Comer', $2, '1980-01-01',"
            " 'US-CA', '{}', '{}', now(), now(), 1)",
            member,
            name,
        )
        await refresh_shares(connection, scene.gateways[0].policy(), now=scene.clock(), members=[member])


@pytest.mark.clause("C16", "C11", "C17")
async def test_what_is_new_is_announced_then_opened_and_never_for_who_refused(
    scene: Scene,
) -> None:
    began = scene.clock()
    assert await scene.names() == (None, None)

    done = await scene.publish(with_usernames())

    assert (done.number, done.opens_at) == (2, began + NOTICE)
    assert [(group.basis, group.purpose.name) for group in done.opened] == [("STRATEGIC", "PARTNER_OFFERS")]
    assert await scene.names() == (None, None)  # not yet
    for callers in scene.callers:
        home = (await callers.http.get("/")).text
        assert "New: offers that suit you (strategic partners)" in home
        (told,) = [n for n in (await callers.ask("ada", NOTICES)).json()["data"]["notices"]
                   if n["id"] == str(done.notices[0])]  # fmt: skip
        assert told["categories"] == ["user.account.username"]
        assert told["effectiveAt"].startswith(f"{began + NOTICE:%Y-%m-%dT%H:%M}")

    queued = await mail_notices(scene.database.transaction, scene.clock)
    async with scene.database.transaction() as connection:
        active = await connection.fetchval("SELECT count(*) FROM member WHERE status = 'ACTIVE'")
    assert queued == active
    mail = await letter(scene, "ben")
    assert "user name" in mail
    (link,) = re.findall(r"/refuse/\S+", mail)

    # Ada refuses by her account, Ben by the link in the mail; looking at the link refuses nothing.
    refusal = {"direction": "OUT", "notice": str(done.notices[0])}
    answer = await scene.callers[0].ask("ada", CHOOSE, input=refusal)
    assert answer.json()["data"]["choose"]["errors"] == []
    assert (await scene.callers[1].http.get(link)).status_code == 200
    assert (await scene.callers[1].http.post(link)).status_code == 200
    await join(scene, "newcomer")

    await scene.move(NOTICE - timedelta(seconds=1))
    assert await scene.names() == (None, None)
    await scene.move(timedelta(seconds=1))
    first = await scene.opened()
    assert (first["ada"], first["ben"]) == (None, None)
    assert (first["jon"], first["kim"], first["newcomer"]) == ("jon", "kim", "newcomer")
    assert not {"cid", "dot", "gus", "ida"} & first.keys()  # C17, and who opted out of acme or of everything

    # Kim refuses afterwards: at once, in both.
    answer = await scene.callers[1].ask("kim", CHOOSE, input=refusal)
    assert answer.json()["data"]["choose"]["errors"] == []
    assert (await scene.opened())["kim"] is None
    async with scene.database.transaction() as connection:
        (notice, *_) = await list_notices(scene.desk(connection))
    assert (notice.version, notice.refused) == (2, 3)

    # Roll-back closes at once, in both; going forward again is a new announcement.
    await scene.roll_back(1)
    assert await scene.names() == (None, None)
    again = await scene.roll_back(2)
    assert again.opens_at == scene.clock() + NOTICE
    assert await scene.names() == (None, None)
    await scene.move(NOTICE)
    first = await scene.opened()
    assert (first["ada"], first["ben"], first["kim"], first["jon"]) == (None, None, None, "jon")
    async with scene.database.transaction() as connection:
        versions = await list_versions(scene.desk(connection))
    assert [(v.number, v.rolled_back_to) for v in versions] == [(4, 2), (3, 1), (2, None), (1, None)]


@pytest.mark.clause("C16")
async def test_what_is_taken_back_before_it_began_never_opens(scene: Scene) -> None:
    done = await scene.publish(with_usernames())
    await scene.move(timedelta(days=1))
    await scene.roll_back(1)
    for callers in scene.callers:
        assert "New: offers" not in (await callers.http.get("/")).text
    await scene.move(NOTICE)
    assert await scene.names() == (None, None)
    assert done.notices


@pytest.mark.clause("C16")
async def test_what_was_announced_keeps_its_date_and_is_announced_once(scene: Scene) -> None:
    done = await scene.publish(with_usernames())
    await scene.move(timedelta(days=10))
    reworded = with_usernames()
    rules = reworded.files["sharing.cedar"].replace("receive the user name until", "get the user name until")
    second = await scene.publish(read_directory({**reworded.files, "sharing.cedar": rules}))
    assert (second.notices, second.opens_at) == ((), None)
    await scene.move(timedelta(days=20))
    assert (await scene.opened())["jon"] == "jon"
    assert done.opens_at == scene.clock()


@pytest.mark.clause("C16", "R1", "C17")
@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (PERMIT.format(category="user.contact.phone_number"), "C10"),
        (PERMIT.format(category="user.name"), "under 18"),
        (FORBID, "expected allow"),
    ],
)
async def test_what_may_not_be_used_is_not_published(scene: Scene, rules: str, said: str) -> None:
    shipped = load_shipped_directory().files
    text = shipped["sharing.cedar"]
    if "C10" in said or "under" in said:  # a file that relies on the program's own prohibitions
        text = text[
            : text.index("// ---------------------------------------------------------------- prohibitions")
        ]
    files = {**shipped, "sharing.cedar": f"{text}\n{rules}\n"}
    del files["texts/de.toml"]
    with pytest.raises(PolicyError) as caught:
        await scene.publish(read_directory(files))
    assert said in str(caught.value)
    async with scene.database.transaction() as connection:
        assert [v.number for v in await list_versions(scene.desk(connection))] == [1]


async def test_two_publications_at_once_follow_each_other(scene: Scene) -> None:
    other = directory(**{"sharing.cedar": load_shipped_directory().files["sharing.cedar"] + "\n// other\n"})
    done = await asyncio.gather(scene.publish(with_usernames()), scene.publish(other), return_exceptions=True)
    numbers = sorted(each.number for each in done if isinstance(each, Publication))
    assert numbers == [2, 3]
    async with scene.database.transaction() as connection:
        files = (await read_version(scene.desk(connection), 3)).files
        versions = await list_versions(scene.desk(connection))
    assert files["sharing.cedar"] in {with_usernames().files["sharing.cedar"], other.files["sharing.cedar"]}
    assert [v.number for v in versions] == [3, 2, 1]


async def test_the_policy_in_force_is_not_published_again(scene: Scene) -> None:
    with pytest.raises(InputError, match="version 1 already"):
        await scene.publish(directory())


async def test_a_date_that_nobody_lives_to_see_is_refused(scene: Scene) -> None:
    files = load_shipped_directory().files
    other = read_directory({**files, "sharing.cedar": files["sharing.cedar"] + "// another\n"})
    for begins in (scene.clock() + timedelta(days=366), datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(InputError, match="within 365 days"):
            await scene.publish(other, effective_at=begins)


@pytest.mark.clause("C16")
async def test_a_version_with_a_date_closes_and_opens_by_it(scene: Scene) -> None:
    shipped = load_shipped_directory().files
    closing = """
    @id("no-purchases") @clause("C8") @text("x")
    forbid (
      principal == Basis::"STRATEGIC", action, resource in DataCategory::"user.behavior.purchase_history"
    );
    """
    files = {**shipped, "sharing.cedar": shipped["sharing.cedar"] + closing}
    # Of the shipped tables, those that say otherwise go.
    files["decisions/bases.yaml"] = "rows:\n" + "".join(
        "  - name:" + row
        for row in shipped["decisions/bases.yaml"].split("  - name:")[1:]
        if "purchase" not in row
    )
    files["texts/de.toml"] += 'no-purchases = "x"\n'
    begins = scene.clock() + timedelta(days=7)
    done = await scene.publish(read_directory(files), effective_at=begins)
    assert (done.effective_at, done.notices) == (begins, ())
    bought = "{ members(first: 1) { edges { node { purchaseCategories } } } }"
    assert [(await scene.acme(callers, bought)).status_code for callers in scene.callers] == [200, 200]
    await scene.move(timedelta(days=7))
    assert [(await scene.acme(callers, bought)).status_code for callers in scene.callers] == [400, 400]
    assert [(await scene.acme(callers, PAGE)).status_code for callers in scene.callers] == [200, 200]
