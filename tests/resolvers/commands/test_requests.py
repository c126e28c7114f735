"""Requests to the company, from the member's and the visitor's side and from the officer's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from gateway.delivery.letters import compose, read_letterhead
from gateway.web.addresses import Addresses
from policies.principal import Visitor
from resolvers.commands.request_desk import answer_request, list_requests, show_request, take_request
from resolvers.commands.requests import ANSWER_OWED, MAX_OPEN, MAX_TEXT
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.outbox import read_mail
from resolvers.tokens import SealedTokens
from schema.errors import FieldErrors, InputError, NotFoundError, ThrottledError
from schema.ids import new_id
from schema.tables.requests import RequestKind, RequestStatus
from tests import world
from tests.asking import Asking
from tests.canaries import Detector

REQUESTS: Final = (
    "requests(first: 50) { edges { node { id kind status subject body targetKind targetId replyTo outcome"
    " openedAt dueAt closedAt } } }"
)
SHOWN: Final = f"errors {{ path code message }} me {{ {REQUESTS} }}"
CORRECT: Final = (
    f"mutation($input: RequestCorrectionInput!) {{ requestCorrection(input: $input) {{ {SHOWN} }} }}"
)
ACCESS: Final = f"mutation($input: RequestAccessInput!) {{ requestAccess(input: $input) {{ {SHOWN} }} }}"
CANCEL: Final = f"mutation($input: CancelRequestInput!) {{ cancelRequest(input: $input) {{ {SHOWN} }} }}"
CONTACT: Final = "mutation($input: ContactInput!) { contact(input: $input) { errors { path code message } } }"
THREAD: Final = "{ me { communications(first: 50) { edges { node { direction subject body } } } } }"

ADA: Final = world.member("ada").principal
BEN: Final = world.member("ben").principal
NOBODY: Final = Visitor()
ORDER: Final = str(world.row_id("customer_order", 1))
ADA_ID: Final = world.person("ada").id
NUMBER: Final = "(202) 555-0143"
HEAD: Final = read_letterhead(
    "Shop <members@shop.example>", Addresses("https://shop.example", None, SealedTokens(bytes(64)))
)


async def change(asking: Asking, document: str, principal: Any = ADA, **given: Any) -> Any:
    (answer,) = (await asking.ask(principal, document, {"input": given})).data.values()
    return answer


def codes(answer: Any) -> list[Any]:
    return [(error["path"], error["code"]) for error in answer["errors"]]


def requests(answer: Any) -> list[Any]:
    return [edge["node"] for edge in answer["me"]["requests"]["edges"]]


async def mails(asking: Asking) -> list[tuple[str, str, UUID | None, UUID | None]]:
    rows = await asking.database.app.fetch(
        "SELECT kind, recipient, member_id, request_id FROM outgoing_mail ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def thread(asking: Asking, principal: Any = ADA) -> list[tuple[str, str, str]]:
    reply = await asking.ask(principal, THREAD)
    return [tuple(edge["node"].values()) for edge in reply.data["me"]["communications"]["edges"]]


@pytest.mark.clause("C13")
async def test_a_correction_is_stored_mailed_and_shown(asking_alone: Asking) -> None:
    answer = await change(asking_alone, CORRECT, kind="ORDER", id=ORDER, text=" Two books,\r\nnot one. ")
    (shown,) = requests(answer)
    assert answer["errors"] == []
    assert {name: shown[name] for name in ("kind", "status", "body", "targetKind", "targetId")} == {
        "kind": "CORRECTION", "status": "OPEN", "body": "Two books,\nnot one.", "targetKind": "ORDER",
        "targetId": ORDER,
    }  # fmt: skip
    (stored,) = await asking_alone.database.app.fetch("SELECT opened_at, due_at FROM member_request")
    assert stored["due_at"] - stored["opened_at"] == ANSWER_OWED == timedelta(days=30)
    ada = world.person("ada")
    assert await mails(asking_alone) == [("REQUEST_RECEIVED", ada.email, ada.id, None)]


@pytest.mark.clause("C2", "C13")
@pytest.mark.parametrize("kind", ["ORDER", "COMMUNICATION", "INTERACTION"])
async def test_others_records_and_records_that_do_not_exist_are_answered_alike(
    asking_alone: Asking, kind: str
) -> None:
    own = {"ORDER": "customer_order", "COMMUNICATION": "communication", "INTERACTION": "interaction"}[kind]
    theirs = await asking_alone.database.app.fetchval(f"SELECT id FROM {own} WHERE member_id <> $1", ADA_ID)
    foreign = str(theirs or world.row_id("customer_order", 4))
    answers = [
        await change(asking_alone, CORRECT, kind=kind, id=wrong, text="It is not so.")
        for wrong in (foreign, str(new_id()), "nothing", str(ADA_ID))
    ]
    assert all(answer == answers[0] for answer in answers)
    assert codes(answers[0]) == [(["id"], "UNKNOWN")]
    assert await mails(asking_alone) == []
    assert not (await change(asking_alone, CORRECT, kind=kind, id=str(world.row_id(own, 1)), text="x"))[
        "errors"
    ]


async def test_the_member_number_has_no_id_and_every_record_has_one(asking_alone: Asking) -> None:
    assert codes(await change(asking_alone, CORRECT, kind="ORDER", text="x")) == [(["id"], "REQUIRED")]
    assert codes(await change(asking_alone, CORRECT, kind="MEMBER_NUMBER", id=ORDER, text="x")) == [
        (["id"], "NOT_ALLOWED")
    ]
    assert not codes(await change(asking_alone, CORRECT, kind="MEMBER_NUMBER", text="x"))


BAD_TEXTS: Final = {
    "": "REQUIRED",
    " \n ": "REQUIRED",
    "x" * (MAX_TEXT + 1): "TOO_LONG",
    f"call me at {NUMBER}": "PHONE_NUMBER_IN_TEXT",
    "call me at\n(202)\n555-0143": "PHONE_NUMBER_IN_TEXT",
    "bell\a": "CONTROL_CHARACTER",
    "4111 1111 1111 1111": "CARD_NUMBER_IN_TEXT",
}


@pytest.mark.clause("R1", "C10")
@pytest.mark.parametrize("text", BAD_TEXTS)
async def test_texts_that_others_read_hold_no_number(asking_alone: Asking, text: str) -> None:
    detector = Detector()
    detector.add_number("+12025550143")
    answers = [
        await change(asking_alone, CORRECT, kind="ORDER", id=ORDER, text=text),
        await change(asking_alone, CONTACT, subject="A question", text=text),
        await change(asking_alone, CONTACT, NOBODY, subject="A question", text=text, email="v@example.org"),
    ]
    for answer in answers:
        assert BAD_TEXTS[text] in {code for _, code in codes(answer)}
    assert not await asking_alone.database.app.fetchval("SELECT count(*) FROM member_request")
    assert detector.search(str(answers)) == []


@pytest.mark.clause("R1")
async def test_a_number_is_found_across_subject_text_name_and_address(asking_alone: Asking) -> None:
    both = await change(asking_alone, CONTACT, subject="about 202", text="555 0143 please")
    assert codes(both) == [(["subject"], "PHONE_NUMBER_IN_TEXT"), (["text"], "PHONE_NUMBER_IN_TEXT")]
    signed = {"subject": "Hello", "text": "I am at 202", "name": "555 0143", "email": "v@example.org"}
    assert (["name"], "PHONE_NUMBER_IN_TEXT") in codes(await change(asking_alone, CONTACT, NOBODY, **signed))
    address = {"subject": "Hello", "text": "Hi", "email": "2025550143@example.org"}
    assert codes(await change(asking_alone, CONTACT, NOBODY, **address)) == [
        (["email"], "PHONE_NUMBER_IN_TEXT")
    ]


async def test_the_same_correction_is_open_once(asking_alone: Asking) -> None:
    for _ in range(2):
        answer = await change(asking_alone, CORRECT, kind="ORDER", id=ORDER, text="Two, not one.")
    assert len(requests(answer)) == 1
    assert len(await mails(asking_alone)) == 1


@pytest.mark.clause("C12")
async def test_one_request_for_access_is_open_at_a_time(asking_alone: Asking) -> None:
    await asyncio.gather(*(change(asking_alone, ACCESS, note="Everything, please.") for _ in range(5)))
    answer = await change(asking_alone, ACCESS)
    assert [r["kind"] for r in requests(answer)] == ["ACCESS"]
    assert len(await mails(asking_alone)) == 1
    async with asking_alone.database.transaction() as connection:
        await answer_request(
            connection, UUID(requests(answer)[0]["id"]), "Sent.", declined=False, now=world.NOW
        )
    assert len(requests(await change(asking_alone, ACCESS))) == 2


async def test_open_requests_are_limited(asking_alone: Asking) -> None:
    for number in range(MAX_OPEN):
        assert not codes(await change(asking_alone, CORRECT, kind="MEMBER_NUMBER", text=f"wish {number}"))
    full = await change(asking_alone, CORRECT, kind="MEMBER_NUMBER", text="one more")
    assert codes(full) == [([], "TOO_MANY")]


async def test_an_own_open_request_is_taken_back(asking_alone: Asking) -> None:
    (asked,) = requests(await change(asking_alone, ACCESS))
    for _ in range(2):
        answer = await change(asking_alone, CANCEL, id=asked["id"])
        assert answer["errors"] == []
    (shown,) = requests(answer)
    assert (shown["status"], shown["outcome"]) == ("CANCELLED", "You cancelled it.")
    assert shown["closedAt"] is not None


async def test_others_requests_and_those_worked_on_are_not_taken_back(asking_alone: Asking) -> None:
    (asked,) = requests(await change(asking_alone, ACCESS))
    for wrong in (asked["id"], str(new_id()), "nothing"):
        assert codes(await change(asking_alone, CANCEL, BEN, id=wrong)) == [(["id"], "UNKNOWN")]
    async with asking_alone.database.transaction() as connection:
        await take_request(connection, UUID(asked["id"]))
    assert codes(await change(asking_alone, CANCEL, id=asked["id"])) == [(["id"], "NOT_OPEN")]


@pytest.mark.clause("C15")
async def test_a_members_message_is_in_the_thread_and_in_the_queue(asking_alone: Asking) -> None:
    before = await thread(asking_alone)
    assert not codes(await change(asking_alone, CONTACT, subject="Where is it?", text="My\norder."))
    assert await thread(asking_alone) == [("FROM_MEMBER", "Where is it?", "My\norder."), *before]
    async with asking_alone.database.transaction() as connection:
        (waiting,) = await list_requests(connection, kind=RequestKind.CONTACT)
        assert (waiting.member_number, waiting.subject) == ("M-001", "Where is it?")
        done = await answer_request(
            connection, waiting.id, "On its way.\nSorry.", declined=False, now=world.NOW + timedelta(hours=1)
        )
    assert done.status is RequestStatus.DONE
    assert (await thread(asking_alone))[0] == ("TO_MEMBER", "Re: Where is it?", "On its way.\nSorry.")
    ada = world.person("ada")
    assert (await mails(asking_alone))[-1] == ("REQUEST_ANSWERED", ada.email, ada.id, None)


@pytest.mark.clause("C15")
async def test_a_visitor_says_where_the_answer_goes(asking_alone: Asking) -> None:
    message = {"subject": "Hello", "text": "Do you ship?"}
    assert codes(await change(asking_alone, CONTACT, NOBODY, **message)) == [(["email"], "REQUIRED")]
    for wrong in ("nobody", "a@b@c", "x" * 300 + "@example.org"):
        answer = await change(asking_alone, CONTACT, NOBODY, **message, email=wrong)
        assert codes(answer) == [(["email"], "BAD_FORMAT")]
    assert not codes(
        await change(asking_alone, CONTACT, NOBODY, **message, email=" v@example.org", name="Vera")
    )
    async with asking_alone.database.transaction() as connection:
        (waiting,) = await list_requests(connection)
        assert (waiting.member_number, waiting.reply_to) == (None, "v@example.org")
        assert waiting.body == "Do you ship?\n\nVera"
        await answer_request(connection, waiting.id, "We do.", declined=False, now=world.NOW)
    assert await mails(asking_alone) == [
        ("REQUEST_RECEIVED", "v@example.org", None, None),
        ("REQUEST_ANSWERED", "v@example.org", None, waiting.id),
    ]


@pytest.mark.clause("C15")
async def test_a_visitor_cannot_tell_whose_address_it_is(asking_alone: Asking) -> None:
    ada = world.person("ada")
    message = {"subject": "Hello", "text": "Do you ship?"}
    theirs = await asking_alone.ask(NOBODY, CONTACT, {"input": {**message, "email": ada.email}})
    nobodys = await asking_alone.ask(NOBODY, CONTACT, {"input": {**message, "email": "v@example.org"}})
    assert theirs.body == nobodys.body
    rows = await asking_alone.database.app.fetch("SELECT member_id, kind FROM member_request")
    assert [tuple(row) for row in rows] == [(None, "CONTACT")] * 2
    assert len(await thread(asking_alone)) == 2


async def test_whoever_elses_address_it_is_gets_one_mail(asking_alone: Asking) -> None:
    for number in range(3):
        await change(
            asking_alone, CONTACT, NOBODY, subject="Hello", text=f"{number}", email="Victim@example.org"
        )
    assert [kind for kind, *_ in await mails(asking_alone)] == ["REQUEST_RECEIVED"]
    assert await asking_alone.database.app.fetchval("SELECT count(*) FROM member_request") == 3


async def test_messages_are_counted_however_many_come_in_one_request(
    asking_alone: Asking, means: Means
) -> None:
    fields = " ".join(f"c{n}: contact(input: $input) {{ errors {{ code }} }}" for n in range(10))
    document = f"mutation($input: ContactInput!) {{ {fields} }}"
    given = {"input": {"subject": "Hello", "text": "Hi", "email": "v@example.org"}}
    allowed = means.rules.sign_in_attempts
    first = await asking_alone.ask(NOBODY, document, given)
    assert first.codes == []
    refused = await asking_alone.ask(NOBODY, document, given)
    assert refused.codes == []
    found = {error["code"] for payload in refused.data.values() for error in payload["errors"]}
    assert found == {ThrottledError.code}
    assert await asking_alone.database.app.fetchval("SELECT count(*) FROM member_request") == allowed


async def test_a_message_that_is_repeated_with_its_key_is_not_counted(
    asking_alone: Asking, means: Means
) -> None:
    given = {"input": {"subject": "Hello", "text": "Hi", "email": "v@example.org"}}
    for _ in range(means.rules.sign_in_attempts + 1):
        reply = await asking_alone.ask(NOBODY, CONTACT, given, exchange=Exchange(idempotency_key="one"))
        assert reply.data["contact"]["errors"] == []
    assert await asking_alone.database.app.fetchval("SELECT count(*) FROM member_request") == 1


async def test_messages_to_one_address_are_counted_together_however_it_is_spelt(
    asking_alone: Asking, means: Means
) -> None:
    spellings = ("v@bücher.example", "V@xn--bcher-kva.EXAMPLE")
    outcomes = []
    for number in range(means.rules.sign_in_attempts + 1):
        given = {"subject": "Hello", "text": "Hi", "email": spellings[number % 2]}
        outcomes.append(codes(await change(asking_alone, CONTACT, NOBODY, **given)))
    assert outcomes[:-1] == [[]] * means.rules.sign_in_attempts
    assert [code for _, code in outcomes[-1]] == [ThrottledError.code]


async def test_a_member_is_answered_in_the_account(asking_alone: Asking) -> None:
    answer = await change(
        asking_alone, CONTACT, subject="Hello", text="Hi", email="other@example.org", name="Ada"
    )
    assert codes(answer) == [(["email"], "NOT_ALLOWED"), (["name"], "NOT_ALLOWED")]


async def test_what_is_over_stays_so(asking_alone: Asking) -> None:
    (asked,) = requests(await change(asking_alone, CORRECT, kind="ORDER", id=ORDER, text="Two, not one."))
    request_id = UUID(asked["id"])
    async with asking_alone.database.transaction() as connection:
        taken = await take_request(connection, request_id)
        assert taken.status is RequestStatus.IN_PROGRESS
        await answer_request(connection, request_id, "It was one.", declined=True, now=world.NOW)
    async with asking_alone.database.transaction() as connection:
        with pytest.raises(InputError, match="DECLINED"):
            await answer_request(connection, request_id, "Changed.", declined=False, now=world.NOW)
        with pytest.raises(InputError):
            await take_request(connection, request_id)
        with pytest.raises(NotFoundError):
            await show_request(connection, new_id())
        assert await list_requests(connection) == []
        (over,) = await list_requests(connection, status=RequestStatus.DECLINED)
    assert over.outcome == "It was one."


@pytest.mark.clause("R1")
async def test_an_officer_writes_no_number_either(asking_alone: Asking) -> None:
    (asked,) = requests(await change(asking_alone, ACCESS))
    async with asking_alone.database.transaction() as connection:
        with pytest.raises(FieldErrors):
            await answer_request(
                connection, UUID(asked["id"]), f"Call {NUMBER}", declined=False, now=world.NOW
            )
        assert (await show_request(connection, UUID(asked["id"]))).status is RequestStatus.OPEN


@pytest.mark.clause("C15")
async def test_the_mail_to_a_visitor_holds_the_answer_and_a_members_does_not(asking_alone: Asking) -> None:
    message = {"subject": "Hello", "text": "Do you ship?"}
    await change(asking_alone, CONTACT, NOBODY, **message, email="v@example.org")
    await change(asking_alone, CONTACT, **message)
    answer = "We do.\n\nEverywhere."
    async with asking_alone.database.transaction() as connection:
        for waiting in await list_requests(connection):
            await answer_request(connection, waiting.id, answer, declined=False, now=world.NOW)
        answered = await connection.fetch(
            "SELECT id, recipient FROM outgoing_mail WHERE kind = 'REQUEST_ANSWERED'"
        )
        facts = {row["recipient"]: await read_mail(connection, row["id"], world.NOW) for row in answered}
    letters = {to: compose(fact, HEAD, world.NOW).data.decode() for to, fact in facts.items() if fact}
    assert "We do.\r\n\r\nEverywhere." in letters["v@example.org"]
    assert "Sign in" not in letters["v@example.org"]
    assert "We do." not in letters["ada@example.org"]
    assert "Sign in to read the answer" in letters["ada@example.org"]


AGE_KEYS: Final = [
    "age1ceakcgm0sjrdv2ywlumhllhvhrlxg7u7qupf6e3sw8w7ewqdd9nqvzfjet",
    "age1gnqgs7cumttukt59frhyg0yeeguxy7ge7l82waykylka2gdhqytsld005l",
]
WITH_KEY: Final = ACCESS.replace("replyTo", "replyTo recipient")


@pytest.mark.clause("C12")
async def test_an_archive_is_asked_for_with_a_key_that_counts_until_somebody_works_on_it(
    asking_alone: Asking,
) -> None:
    for key in (AGE_KEYS[0].upper(), AGE_KEYS[1]):
        (asked,) = requests(await change(asking_alone, WITH_KEY, recipient=key))
        assert asked["recipient"] == key.lower()
    (asked,) = requests(await change(asking_alone, WITH_KEY, note="Still waiting."))
    assert asked["recipient"] == AGE_KEYS[1], "asking again without one takes none away"
    async with asking_alone.database.transaction() as connection:
        await take_request(connection, UUID(asked["id"]))
    refused = await change(asking_alone, WITH_KEY, recipient=AGE_KEYS[0])
    assert codes(refused) == [(["recipient"], "NOT_OPEN")]
    assert codes(await change(asking_alone, WITH_KEY, recipient=AGE_KEYS[1])) == []


@pytest.mark.parametrize(
    "key", ["age1", "AGE-SECRET-KEY-1QQQQQQ", "ssh-ed25519 AAAA", f"{AGE_KEYS[0][:-1]}q", NUMBER]
)
async def test_what_is_no_public_key_is_refused_and_not_repeated(asking: Asking, key: str) -> None:
    answer = await change(asking, ACCESS, recipient=key)
    assert codes(answer) == [(["recipient"], "BAD_FORMAT")]
    assert key not in answer["errors"][0]["message"] or key == "age1"
