from __future__ import annotations

import asyncio
from datetime import timedelta
from smtplib import SMTPDataError
from typing import Any
from uuid import UUID

import pytest

from gateway.delivery.letters import Mail, UndeliverableError
from gateway.delivery.sender import FIRST_WAIT, GIVEN_UP_AFTER, LEASE, LONGEST_WAIT, Sender
from resolvers.commands.letters import follow_link, post
from resolvers.tokens import TokenUse
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from tests import world
from tests.gateway.delivery.conftest import Outbox, Postbox
from tests.gateway.http.conftest import Log, log

__all__ = ["log"]

ADA = world.person("ada")


class Crash(BaseException):
    """The program ends here."""


def busy(_: Mail) -> None:
    raise SMTPDataError(451, b"try again later, ada@example.org")


async def test_what_was_posted_is_sent_once_and_is_gone(outbox: Outbox) -> None:
    await outbox.post(LetterKind.WELCOME)
    await outbox.post(LetterKind.PASSWORD_CHANGED, "ben")

    assert await outbox.drain() == 2
    assert await outbox.drain() == 0
    assert {message["To"] for message in outbox.postbox.messages} == {"ada@example.org", "ben@example.org"}
    assert await outbox.waiting() == 0


async def test_without_its_reason_no_mail_is_sent(outbox: Outbox) -> None:
    async def command() -> None:
        async with outbox.database.transaction() as connection:
            await post(outbox.work(connection), LetterKind.WELCOME, ADA.email, ADA.id)
            # Nobody sees a mail before the commit.
            assert await outbox.drain() == 0
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await command()
    assert await outbox.drain() == 0


async def test_a_crash_after_sending_repeats_the_mail_under_the_same_id(outbox: Outbox) -> None:
    await outbox.post(LetterKind.WELCOME)

    async def die(_: Mail) -> None:
        raise Crash

    with pytest.raises(Crash):
        await outbox.sender(Postbox(outbox.postbox.mails, after=die)).drain()
    assert await outbox.drain() == 0, "nobody knows yet that the first one died"
    outbox.now += LEASE
    assert await outbox.drain() == 1
    first, second = outbox.postbox.mails
    assert first.id == second.id
    assert len({message["Message-ID"] for message in outbox.postbox.messages}) == 1


async def test_two_senders_never_send_the_same_mail(outbox: Outbox) -> None:
    for _ in range(100):
        await outbox.post(LetterKind.WELCOME)

    async def others_first(_: Mail) -> None:
        await asyncio.sleep(0)

    boxes = [Postbox(after=others_first) for _ in range(4)]
    sent = await asyncio.gather(*(outbox.sender(box).drain() for box in boxes))

    assert sum(sent) == 100
    assert len({mail.id for box in boxes for mail in box.mails}) == 100
    assert sum(1 for count in sent if count) > 1, "they worked at the same time"
    assert await outbox.waiting() == 0


async def test_a_mail_that_is_not_taken_waits_longer_each_time_and_is_given_up(
    outbox: Outbox, log: Log
) -> None:
    await outbox.post(LetterKind.WELCOME)
    outbox.postbox.trouble = busy
    began = outbox.now
    waits = []
    while await outbox.waiting():
        assert await outbox.drain() == 0
        async with outbox.database.transaction() as connection:
            due_at = await connection.fetchval("SELECT due_at FROM outgoing_mail")
        if due_at is not None:
            assert due_at > outbox.now
            waits.append(due_at - outbox.now)
            outbox.now = due_at

    assert waits[0] == FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert GIVEN_UP_AFTER <= outbox.now - began < GIVEN_UP_AFTER + LONGEST_WAIT
    lines = log()
    assert lines[-1]["event"] == "mail.given_up"
    assert lines[-1]["kind"] == "WELCOME"
    assert "example.org" not in str(lines)


async def test_one_mail_in_trouble_holds_up_no_other(outbox: Outbox) -> None:
    for to in ("ada", "ben", "gus"):
        await outbox.post(LetterKind.WELCOME, to)

    def busy_for_ben(mail: Mail) -> None:
        if mail.recipient.startswith("ben"):
            busy(mail)

    outbox.postbox.trouble = busy_for_ben
    assert await outbox.drain() == 2
    assert await outbox.waiting() == 1


async def test_a_mail_that_nobody_will_take_is_not_tried_again(outbox: Outbox, log: Log) -> None:
    await outbox.post(LetterKind.WELCOME)

    def refuse(_: Mail) -> None:
        raise UndeliverableError

    outbox.postbox.trouble = refuse
    assert await outbox.drain() == 0
    assert await outbox.waiting() == 0
    assert [line["event"] for line in log()] == ["mail.given_up"]


async def test_a_broken_mail_is_put_off_and_does_not_stop_the_others(outbox: Outbox) -> None:
    await outbox.post(LetterKind.WELCOME)
    await outbox.execute("UPDATE outgoing_mail SET kind = 'NEWSLETTER'")
    await outbox.post(LetterKind.WELCOME, "ben")

    assert await outbox.drain() == 1
    assert await outbox.waiting() == 1


async def test_a_server_that_is_away_leaves_every_mail_for_later(outbox: Outbox) -> None:
    class Away:
        def session(self) -> Any:
            raise ConnectionRefusedError

    for to in ("ada", "ben"):
        await outbox.post(LetterKind.WELCOME, to)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await outbox.sender(Away()).drain()
    assert await outbox.waiting() == 2
    assert await outbox.sender(Away()).drain() == 0, "both wait"
    outbox.now += FIRST_WAIT
    assert await outbox.drain() == 2


async def test_a_link_that_was_used_or_expired_meanwhile_is_not_sent(outbox: Outbox) -> None:
    used = await outbox.post(LetterKind.RESET_PASSWORD, link=LinkKind.RESET_PASSWORD)
    assert used is not None
    async with outbox.database.transaction() as connection:
        token = outbox.means.tokens.seal(TokenUse.LINK, used.bytes)
        await follow_link(outbox.work(connection), token, LinkKind.RESET_PASSWORD)
    await outbox.post(LetterKind.CONFIRM_EMAIL, "ben", LinkKind.CONFIRM_EMAIL)
    await outbox.post(LetterKind.CONFIRM_EMAIL, "ben", LinkKind.CONFIRM_EMAIL)
    assert await outbox.drain() == 1, "the newer of the two"
    await outbox.post(LetterKind.CONFIRM_EMAIL, "ben", LinkKind.CONFIRM_EMAIL)
    outbox.now += timedelta(days=14)
    assert await outbox.drain() == 0
    assert await outbox.waiting() == 0


async def test_the_link_in_the_mail_is_the_one_that_was_made(outbox: Outbox) -> None:
    link_id = await outbox.post(LetterKind.RESET_PASSWORD, link=LinkKind.RESET_PASSWORD)
    assert isinstance(link_id, UUID)
    await outbox.drain()

    (message,) = outbox.postbox.messages
    assert outbox.head.addresses.reset(link_id) in message.get_content()
    async with outbox.database.transaction() as connection:
        dump = str([dict(row) for row in await connection.fetch("SELECT * FROM one_time_link")])
    assert outbox.means.tokens.seal(TokenUse.LINK, link_id.bytes) not in dump


async def test_an_erased_member_gets_no_more_mail(outbox: Outbox) -> None:
    await outbox.post(LetterKind.WELCOME)
    await outbox.execute("DELETE FROM member WHERE id = $1", ADA.id)

    assert await outbox.drain() == 0
    assert await outbox.waiting() == 0


async def test_a_mail_to_who_is_no_member_is_sent(outbox: Outbox) -> None:
    async with outbox.database.transaction() as connection:
        await post(outbox.work(connection), LetterKind.ERASURE_DONE, "gone@example.org", None)

    assert await outbox.drain() == 1
    assert outbox.postbox.messages[0].get_content().startswith("Hello,")


async def test_letters_go_before_newsletters(outbox: Outbox) -> None:
    await outbox.execute("UPDATE member SET email_verified_at = joined_at")
    await outbox.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
        " VALUES (gen_random_uuid(), $1, $2, $2, 'NEWSLETTER', 'IN', 'PROFILE_PAGE')",
        ADA.id,
        world.JUNE,
    )
    newsletter = UUID(int=5)
    await outbox.execute(
        "INSERT INTO newsletter (id, subject, body, created_at) VALUES ($1, 'News', 'Text', $2)",
        newsletter,
        world.JUNE,
    )
    async with outbox.database.transaction() as connection:
        work = outbox.work(connection)
        await post(work, LetterKind.NEWSLETTER, ADA.email, ADA.id, newsletter_id=newsletter)
    outbox.now += timedelta(seconds=1)
    await outbox.post(LetterKind.WELCOME)

    assert await outbox.drain() == 2
    assert [message["Subject"] for message in outbox.postbox.messages] == ["Your account is open", "News"]


async def test_while_it_is_entered_it_sends_by_itself_and_finishes_what_it_began(outbox: Outbox) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Mail) -> None:
        began.set()
        await go_on.wait()

    outbox.postbox.after = slow
    await outbox.post(LetterKind.WELCOME)
    sender: Sender = outbox.sender()
    async with sender:
        await began.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert await outbox.waiting() == 0
    assert len(outbox.postbox.mails) == 1


async def test_what_was_claimed_and_not_tried_when_it_stops_is_due_again(outbox: Outbox) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Mail) -> None:
        began.set()
        await go_on.wait()

    for to in ("ada", "ben"):
        await outbox.post(LetterKind.WELCOME, to)
    async with outbox.sender(Postbox(after=slow)):
        await began.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert await outbox.drain() == 1
