"""Withdrawals and erasures reach a real receiver, signed, after their record, at least once and in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.delivery.posting import Answer, Poster
from gateway.delivery.signatures import shown_secret
from gateway.delivery.webhooks import (
    JITTER,
    LEASE,
    LONGEST_RETRY_AFTER,
    PAUSE,
    REST,
    SCHEDULE,
    Dispatcher,
    endpoint_counts,
)
from gateway.egress import Egress
from gateway.keys import Keyring
from policies.destinations import Rules, read_destination
from resolvers import webhook_outbox
from resolvers.commands.partners import set_agreement_status
from resolvers.commands.upkeep import KEEP_DELIVERED, remove_old
from resolvers.commands.webhooks import (
    create_endpoint,
    list_dead_letters,
    list_endpoints,
    post_test,
    retry_dead_letters,
    rotate_secret,
    set_endpoint_status,
)
from resolvers.disclosure_log import DisclosureEntry
from resolvers.share_rows import tell_of_erasure
from resolvers.shares import refresh_shares
from schema.errors import DisclosureUnrecordedError, InputError, NotFoundError
from schema.tables.webhooks import EndpointStatus
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking, RecordedLog
from tests.gateway.delivery.receivers import OK, Receiver, receiving, status
from tests.gateway.http.conftest import Log, log

__all__ = ["log"]

CHOOSE = "mutation ($input: ChooseInput!) { choose(input: $input) { errors { code } } }"
ACME = world.AGREEMENTS["acme"]


class Crash(BaseException):
    """The program ends here."""


class BrokenLog(RecordedLog):
    async def record(self, entry: DisclosureEntry) -> None:  # noqa: ARG002
        raise DisclosureUnrecordedError("the disclosure could not be recorded: try again")


class NoStopPoster(Poster):
    """Sends, and then the program ends."""

    async def post(self, *arguments: Any) -> Answer:
        await super().post(*arguments)
        raise Crash


@dataclass
class Hooks:
    """A world of its own whose withdrawals are told, at a clock that the test moves."""

    asking: Asking
    keys: Keyring
    receiver: Receiver
    log: RecordedLog = field(default_factory=RecordedLog)
    now: datetime = world.NOW

    @property
    def rules(self) -> Rules:
        return Rules.of(["127.0.0.0/8"], [self.receiver.port])

    def dispatcher(self, poster: Poster | None = None, log: RecordedLog | None = None) -> Dispatcher:
        database = self.asking.database
        egress = Egress(log or self.log, endpoint_counts(database))
        return Dispatcher(database, egress, poster or Poster(self.rules), self.keys, lambda: self.now, most=4)

    async def endpoint(self, agreement: str = "acme", url: str | None = None) -> UUID:
        url = url or self.receiver.url
        async with self.asking.database.transaction() as connection:
            return await create_endpoint(
                connection,
                agreement_id=world.AGREEMENTS[agreement].id,
                url=url,
                destination=read_destination(url, self.rules),
                now=self.now,
            )

    async def choose(self, who: str, direction: str = "OUT", **given: Any) -> None:
        self.now += timedelta(seconds=1)
        self.asking.now = self.now
        variables = {"input": {"direction": direction, "requestedAt": self.now.isoformat(), **given}}
        answer = await self.asking.ask(world.CALLERS[who].principal, CHOOSE, variables)
        assert answer.data["choose"]["errors"] == []

    async def drain(self, dispatcher: Dispatcher | None = None) -> int:
        await self.settled()
        return await (dispatcher or self.dispatcher()).drain()

    async def settled(self) -> None:
        """Wait until nobody on the server, tests beside this one included, holds back the feed."""
        async with asyncio.timeout(30):
            while not await self.value(  # noqa: ASYNC110
                "SELECT coalesce(max(transaction), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
                " FROM share_change"
            ):
                await asyncio.sleep(0.02)

    async def value(self, sql: str, *arguments: Any) -> Any:
        async with self.asking.database.transaction() as connection:
            return await connection.fetchval(sql, *arguments)

    async def run(self, command: Callable[..., Any], **given: Any) -> Any:
        async with self.asking.database.transaction() as connection:
            return await command(connection, **given)


@pytest.fixture
async def hooks(asking_alone: Asking, keys: Keyring) -> AsyncIterator[Hooks]:
    async with receiving() as receiver:
        yield Hooks(asking_alone, keys, receiver)


def subject(who: str, partner: str = "acme") -> str:
    return str(world.subject(partner, who))


async def test_a_withdrawal_is_told_by_the_pairwise_id_and_nothing_else(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.choose("ada")

    assert await hooks.drain() == 1
    (got,) = hooks.receiver.got
    assert got.body.decode() == (
        f'{{"type":"members.withdrawn","timestamp":"{hooks.now.isoformat()}",'
        f'"data":{{"ids":["{subject("ada")}"]}}}}'
    )
    assert await hooks.drain() == 0, "once"
    everything = f"{got.target} {got.headers} {got.body.decode()}"
    ada = world.person("ada")
    for other in (ada.email, ada.name, str(ada.id), str(ada.log_id), subject("ada", "bolt"), str(ACME.id)):
        assert other not in everything


async def test_what_is_withdrawn_in_part_is_told_and_what_is_shared_or_corrected_is_not(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.choose("ada", categories=["user.contact.email"])
    await hooks.choose("jon", "IN", categories=["user.contact.email"])
    assert await hooks.drain() == 1
    assert hooks.receiver.got[0].ids == [subject("ada")]

    await hooks.choose("ada", "IN", categories=["user.contact.email"])
    assert await hooks.drain() == 0


async def test_what_was_withdrawn_before_the_endpoint_was_there_is_not_told(hooks: Hooks) -> None:
    await hooks.choose("ada")
    await hooks.settled()
    await hooks.endpoint()
    await hooks.choose("ben")
    assert await hooks.drain() == 1
    assert hooks.receiver.got[0].ids == [subject("ben")]


async def test_each_partner_is_told_its_own_ids_of_its_own_agreement(hooks: Hooks) -> None:
    async with receiving() as other:
        bolt = hooks.receiver.url.replace(str(hooks.receiver.port), str(other.port))
        await hooks.endpoint("acme")
        both = Rules.of(["127.0.0.0/8"], [hooks.receiver.port, other.port])
        await hooks.run(
            create_endpoint,
            agreement_id=world.AGREEMENTS["bolt"].id,
            url=bolt,
            destination=read_destination(bolt, both),
            now=hooks.now,
        )
        await hooks.choose("ada")
        await hooks.choose("ben", partner="acme")
        assert await hooks.drain(hooks.dispatcher(Poster(both))) == 2
        assert hooks.receiver.got[0].ids == sorted([subject("ada"), subject("ben")])
        assert other.got[0].ids == [subject("ada", "bolt")]


async def test_an_erasure_is_told_as_such(hooks: Hooks) -> None:
    await hooks.endpoint()
    async with hooks.asking.database.transaction() as connection:
        await tell_of_erasure(connection, [world.person("ada").id], hooks.now)
        await connection.execute("DELETE FROM member WHERE id = $1", world.person("ada").id)
    assert await hooks.drain() == 1
    (got,) = hooks.receiver.got
    assert (got.kind, got.ids) == ("members.erased", [subject("ada")])
    (entry,) = hooks.log.entries
    assert entry.members == ()
    assert await hooks.value("SELECT told_at FROM deletion WHERE erased AND agreement_id = $1", ACME.id)


async def test_the_end_of_an_agreement_is_told_and_a_suspension_is_not(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.endpoint("bolt")
    matrix = hooks.asking.product.matrix
    for agreement, to in (("acme", AgreementStatus.SUSPENDED), ("bolt", AgreementStatus.ENDED)):
        async with hooks.asking.database.transaction() as connection:
            changes = await set_agreement_status(
                connection,
                matrix,
                agreement_id=world.AGREEMENTS[agreement].id,
                status=to,
                now=hooks.now,
            )
            assert changes.withdrawn
    assert await hooks.drain() == 1
    assert all(each.startswith("b") for each in hooks.receiver.got[0].ids), "bolt's"
    assert subject("ada", "bolt") in hooks.receiver.got[0].ids


async def test_many_are_told_in_messages_of_bounded_size(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_outbox, "MOST_IDS", 2)
    monkeypatch.setattr(webhook_outbox, "LINES", 3)
    await hooks.endpoint()
    async with hooks.asking.database.transaction() as connection:
        await connection.execute("UPDATE agreement SET status = 'ENDED' WHERE id = $1", ACME.id)
        await refresh_shares(connection, hooks.asking.product.matrix, now=hooks.now, agreements=[ACME.id])
    owed = await hooks.value("SELECT count(*) FROM deletion WHERE agreement_id = $1", ACME.id)
    await hooks.drain()
    told = [each for got in hooks.receiver.got for each in got.ids]
    assert len(told) == len(set(told)) == owed > 4
    assert max(len(got.ids) for got in hooks.receiver.got) == 2


@pytest.mark.clause("R2")
async def test_the_record_stands_before_the_first_byte_and_names_the_bytes(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint()
    recorded: list[int] = []

    def answer(_: Any) -> bytes:
        recorded.append(len(hooks.log.entries))
        return status(500) if len(recorded) == 1 else OK

    hooks.receiver.answer = answer
    await hooks.choose("ada")
    await hooks.drain()
    hooks.now += 2 * REST
    await hooks.drain()
    assert recorded == [1, 1], "one record covers the attempts to send the same bytes"
    (entry,) = hooks.log.entries
    assert entry.operation_name == "webhook"
    assert entry.operation_hash == sha256(hooks.receiver.got[0].body).hexdigest()
    assert hooks.receiver.got[0].body == hooks.receiver.got[1].body
    assert {category.value for category in entry.categories} == {"user.unique_id.pseudonymous"}
    assert list(entry.members) == [world.person("ada").log_id]
    assert (entry.principal.agreement_id, entry.principal.token_id) == (ACME.id, str(endpoint))


@pytest.mark.clause("R2")
async def test_without_a_record_nothing_is_sent_and_nothing_is_lost(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.choose("ada")
    assert await hooks.drain(hooks.dispatcher(log=BrokenLog())) == 0
    assert hooks.receiver.connections == 0
    hooks.now += PAUSE
    assert await hooks.drain() == 1
    assert await hooks.value("SELECT attempts FROM webhook_message") == 1


async def test_who_was_told_is_noted_only_after_delivery(hooks: Hooks) -> None:
    told = "SELECT told_at FROM deletion WHERE agreement_id = $1 AND subject = $2"
    ada = world.subject("acme", "ada")
    await hooks.endpoint()
    await hooks.choose("ada")
    hooks.receiver.answer = lambda _: status(500)
    await hooks.drain()
    assert await hooks.value(told, ACME.id, ada) is None
    hooks.receiver.answer = lambda _: OK
    hooks.now += timedelta(seconds=10)
    await hooks.drain()
    assert await hooks.value(told, ACME.id, ada) == hooks.now


async def test_a_message_is_tried_later_each_time_and_then_kept_for_an_officer(
    hooks: Hooks, log: Log
) -> None:
    endpoint = await hooks.endpoint()
    await hooks.choose("ada")
    hooks.receiver.answer = lambda _: status(500)
    waits: list[timedelta] = []
    while await hooks.value("SELECT count(*) FROM webhook_message WHERE status = 'PENDING'") or not waits:
        assert await hooks.drain() == 0
        due_at = await hooks.value("SELECT due_at FROM webhook_message")
        waits.append(due_at - hooks.now)
        hooks.now = max(due_at, hooks.now + REST)
    *waits, _ = waits
    assert all(
        wait * (1 - JITTER) <= waited <= wait * (1 + JITTER)
        for wait, waited in zip(SCHEDULE, waits, strict=True)
    )
    assert len({got.id for got in hooks.receiver.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in hooks.receiver.got}) == len(SCHEDULE) + 1
    (dead,) = await hooks.run(list_dead_letters)
    assert (dead.endpoint_id, dead.members, dead.attempts, dead.answer) == (endpoint, 1, 13, 500)
    assert log()[-1]["event"] == "webhook.given_up"
    assert "s3cret" not in str(log())
    assert "topsecret" not in str(log())
    assert "127.0.0.1" not in str(log())

    hooks.receiver.answer = lambda _: OK
    assert await hooks.drain() == 0
    with pytest.raises(NotFoundError):
        await hooks.run(retry_dead_letters, endpoint_id=endpoint, message_id=endpoint, now=hooks.now)
    assert await hooks.run(retry_dead_letters, endpoint_id=endpoint, message_id=dead.id, now=hooks.now) == 1
    assert await hooks.drain() == 1
    assert await hooks.run(list_dead_letters) == []


@pytest.mark.parametrize(("asked", "waited"), [("60", 60), ("99999999", 3_600), ("-1", 4)])
async def test_a_receiver_may_ask_for_patience_within_bounds(hooks: Hooks, asked: str, waited: int) -> None:
    await hooks.endpoint()
    await hooks.choose("ada")
    hooks.receiver.answer = lambda _: status(429, f"retry-after: {asked}")
    await hooks.drain()
    due_at = await hooks.value("SELECT due_at FROM webhook_message")
    busy_until = await hooks.value("SELECT busy_until FROM webhook_endpoint")
    assert timedelta(seconds=waited) <= due_at - hooks.now <= max(timedelta(seconds=6), LONGEST_RETRY_AFTER)
    assert busy_until - hooks.now == max(REST, timedelta(seconds=waited if waited != 4 else 0))


async def test_one_message_in_trouble_holds_up_the_others_for_a_moment_only(hooks: Hooks) -> None:
    await hooks.endpoint()
    for who in ("ada", "ben", "kim"):
        await hooks.choose(who)
        await hooks.settled()
        async with hooks.asking.database.transaction() as connection:
            endpoint = await connection.fetchval("SELECT id FROM webhook_endpoint")
            await webhook_outbox.make_messages(connection, endpoint, hooks.now)

    hooks.receiver.answer = lambda got: status(400) if got.ids == [subject("ada")] else OK
    assert await hooks.drain() == 0
    hooks.now += REST - timedelta(seconds=2)
    assert await hooks.drain() == 0, "it rests"
    await hooks.value("UPDATE webhook_message SET due_at = $1 WHERE attempts = 1", hooks.now + REST)
    hooks.now += timedelta(seconds=2)
    assert await hooks.drain() == 2
    assert [got.ids for got in hooks.receiver.got] == [[subject(who)] for who in ("ada", "ben", "kim")]


async def test_a_receiver_that_is_gone_is_left_alone_until_an_officer_enables_it(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint()
    await hooks.choose("ada")
    hooks.receiver.answer = lambda _: status(410)
    await hooks.drain()
    (view,) = await hooks.run(list_endpoints)
    assert (view.status, view.waiting, view.dead) == (EndpointStatus.GONE, 1, 0)
    await hooks.choose("ben")
    hooks.now += timedelta(days=1)
    assert await hooks.drain() == 0
    assert len(hooks.receiver.got) == 1

    hooks.receiver.answer = lambda _: OK
    await hooks.run(set_endpoint_status, endpoint_id=endpoint, status=EndpointStatus.ACTIVE)
    assert await hooks.drain() == 2, "nothing was lost meanwhile"


async def test_an_endpoint_that_is_disabled_after_the_claim_gets_nothing_more(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint()
    await hooks.choose("ada")

    class DisablingLog(RecordedLog):
        async def record(self, entry: DisclosureEntry) -> None:  # noqa: ARG002
            await hooks.run(set_endpoint_status, endpoint_id=endpoint, status=EndpointStatus.DISABLED)

    assert await hooks.drain(hooks.dispatcher(log=DisablingLog())) == 0
    assert hooks.receiver.connections == 0


async def test_while_a_rotation_lasts_both_secrets_verify(hooks: Hooks) -> None:
    hooks.now = datetime.now(UTC)
    endpoint = await hooks.endpoint()
    secrets = [shown_secret(hooks.keys, endpoint, generation) for generation in (1, 2, 3)]

    async def verified() -> list[bool]:
        await hooks.run(post_test, endpoint_id=endpoint, now=hooks.now)
        assert await hooks.drain() == 1
        got = hooks.receiver.got[-1]
        moment = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
        signatures = got.headers["webhook-signature"].split(" ")
        return [Webhook(secret).sign(got.id, moment, got.body.decode()) in signatures for secret in secrets]

    assert await verified() == [True, False, False]
    rotated = {"endpoint_id": endpoint, "overlap": timedelta(hours=1)}
    assert await hooks.run(rotate_secret, **rotated, now=hooks.now) == 2
    assert await verified() == [True, True, False]
    hooks.now += timedelta(hours=1)
    assert await verified() == [False, True, False]
    await hooks.run(rotate_secret, endpoint_id=endpoint, overlap=timedelta(0), now=hooks.now)
    assert await verified() == [False, False, True]
    with pytest.raises(InputError):
        await hooks.run(rotate_secret, endpoint_id=endpoint, overlap=timedelta(days=8), now=hooks.now)


async def test_the_stock_verifier_takes_ours_and_refuses_what_was_changed(hooks: Hooks) -> None:
    hooks.now = datetime.now(UTC)
    endpoint = await hooks.endpoint()
    await hooks.choose("ada")
    await hooks.drain()
    (got,) = hooks.receiver.got
    stock = Webhook(shown_secret(hooks.keys, endpoint, 1))
    assert stock.verify(got.body, got.headers)["data"] == {"ids": [subject("ada")]}
    with pytest.raises(WebhookVerificationError):
        stock.verify(got.body.replace(b"withdrawn", b"erased"), got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(hooks.keys, world.person("ada").id, 1)).verify(got.body, got.headers)


async def test_several_dispatchers_send_each_message_once(hooks: Hooks) -> None:
    for number in range(4):
        await hooks.endpoint(url=f"{hooks.receiver.url}{number}")
    for who in ("ada", "ben", "kim"):
        await hooks.choose(who)
        await hooks.settled()
        await asyncio.gather(*(hooks.drain(hooks.dispatcher()) for _ in range(3)))
    told = [(got.target, each) for got in hooks.receiver.got for each in got.ids]
    assert len(told) == len(set(told)) == 12


async def test_who_dies_after_sending_sends_again_under_the_same_id(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.choose("ada")
    with pytest.raises(Crash):
        await hooks.drain(hooks.dispatcher(NoStopPoster(hooks.rules)))
    await hooks.value("UPDATE webhook_endpoint SET busy_until = $1", hooks.now + LEASE)
    assert await hooks.drain() == 0, "nobody knows yet that the first one died"
    hooks.now += LEASE
    assert await hooks.drain() == 1
    first, second = hooks.receiver.got
    assert (first.id, first.body) == (second.id, second.body)


async def test_a_slow_receiver_holds_up_no_other(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.posting.TOTAL_TIMEOUT", 1.0)
    await hooks.endpoint(url=f"{hooks.receiver.url}slow")
    await hooks.endpoint(url=f"{hooks.receiver.url}fast")
    began = time.monotonic()
    arrived: list[float] = []

    def answer(got: Any) -> bytes | None:
        if got.target.endswith("slow"):
            return None
        arrived.append(time.monotonic() - began)
        return OK

    hooks.receiver.answer = answer
    await hooks.choose("ada")
    await hooks.settled()
    began = time.monotonic()
    assert await hooks.drain() == 1
    assert arrived[0] < 0.9 < time.monotonic() - began


async def test_it_runs_beside_the_server_and_stops_after_the_attempt_under_way(hooks: Hooks) -> None:
    await hooks.endpoint()
    dispatcher = hooks.dispatcher()
    async with dispatcher, asyncio.timeout(30):
        await hooks.choose("ada")
        while not hooks.receiver.got:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await hooks.value("SELECT status FROM webhook_message") == "DELIVERED"
    assert await dispatcher.drain() == 0


async def test_a_test_message_tells_of_nobody(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint()
    await hooks.run(post_test, endpoint_id=endpoint, now=hooks.now)
    assert await hooks.drain() == 1
    (got,), (entry,) = hooks.receiver.got, hooks.log.entries
    assert (got.kind, got.ids, entry.members, entry.categories) == ("webhook.test", [], (), frozenset())
    await hooks.run(set_endpoint_status, endpoint_id=endpoint, status=EndpointStatus.DISABLED)
    with pytest.raises(NotFoundError):
        await hooks.run(post_test, endpoint_id=endpoint, now=hooks.now)


async def test_an_agreement_has_few_endpoints_and_none_twice(hooks: Hooks) -> None:
    for number in range(5):
        await hooks.endpoint(url=f"{hooks.receiver.url}{number}")
    with pytest.raises(InputError, match="already") as caught:
        await hooks.endpoint(url=f"{hooks.receiver.url}1")
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match="at most 5"):
        await hooks.endpoint()


async def test_what_was_delivered_long_ago_is_removed_and_what_was_not_is_kept(hooks: Hooks) -> None:
    await hooks.endpoint()
    await hooks.choose("ada")
    await hooks.drain()
    hooks.receiver.answer = lambda _: status(500)
    await hooks.choose("ben")
    await hooks.drain()
    async with hooks.asking.database.transaction() as connection:
        await remove_old(connection, hooks.now + KEEP_DELIVERED)
    assert await hooks.value("SELECT count(*) FROM webhook_message") == 1
