"""Registering (C1): what is refused, what is stored, and that nobody learns whose address is a member's."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.commands import registration_checks
from resolvers.commands.phones import MAX_PHONES
from resolvers.commands.registration import remove_expired_registrations
from resolvers.passwords import PasswordHasher
from tests import world
from tests.asking import Asking, Reply
from tests.canaries import Detector
from tests.resolvers.commands.registering import (
    COMPLETE,
    NUMBER,
    PASSWORD,
    REGISTER,
    Registering,
    complete,
    found,
)
from tests.resolvers.test_sealing import open_sealed

PHONE: Final = {"number": NUMBER, "label": "mobile"}
ADDRESS: Final = COMPLETE["address"]
BILLING: Final = COMPLETE["billing"]

MISSING: Final = {
    ("email",), ("password",), ("givenName",), ("familyName",), ("newsletter",), ("phones",),
    ("address", "line1"), ("address", "city"), ("address", "country"), ("address", "postalCode"),
    ("billing", "brand"), ("billing", "lastFour"), ("billing", "expiryMonth"), ("billing", "expiryYear"),
    ("billing", "processorToken"),
}  # fmt: skip


@pytest.mark.clause("C1")
@pytest.mark.parametrize(
    "given", [{}, {"address": {}, "billing": {}, "phones": []}, dict.fromkeys(COMPLETE)], ids=str
)
async def test_one_answer_names_everything_that_is_missing(
    registering: Registering, given: dict[str, Any]
) -> None:
    before = await registering.counts()
    errors = found(await registering.reply(REGISTER, given))
    assert {tuple(path) for path, _ in errors} == MISSING
    assert len(errors) == len(MISSING)
    assert {code for _, code in errors} == {"REQUIRED"}
    assert await registering.counts() == before


@pytest.mark.clause("C1", "R1")
@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"email": "zoe"}, "email", "BAD_FORMAT"),
        ({"email": "zoe\u0000@example.org"}, "email", "BAD_FORMAT"),
        ({"email": f"{'z' * 250}@example.org"}, "email", "BAD_FORMAT"),
        ({"email": "2125550147@example.org"}, "email", "PHONE_NUMBER_IN_TEXT"),
        ({"email": "zoe.2125550147@example.org"}, "email", "PHONE_NUMBER_IN_TEXT"),
        ({"email": "4242424242424242@example.org"}, "email", "CARD_NUMBER_IN_TEXT"),
        ({"password": "short"}, "password", "TOO_SHORT"),
        ({"password": "x" * 300}, "password", "TOO_LONG"),
        ({"password": "passwordpassword"}, "password", "GUESSABLE"),
        ({"password": "ZoeZimmerSpringfield"}, "password", "OWN_DATA"),
        ({"givenName": "  "}, "givenName", "REQUIRED"),
        ({"givenName": "x" * 101}, "givenName", "TOO_LONG"),
        ({"givenName": "call 212-555-0147"}, "givenName", "PHONE_NUMBER_IN_TEXT"),
        ({"familyName": "a\u202eb"}, "familyName", "CONTROL_CHARACTER"),
        ({"familyName": "4242 4242 4242 4242"}, "familyName", "CARD_NUMBER_IN_TEXT"),
        ({"username": "z"}, "username", "BAD_FORMAT"),
        ({"username": "MAX"}, "username", "TAKEN"),
        ({"username": "z2125550147"}, "username", "PHONE_NUMBER_IN_TEXT"),
        ({"username": "z5550147"}, "username", "PHONE_NUMBER_IN_TEXT"),
        ({"birthDate": "2099-01-01"}, "birthDate", "BAD_DATE"),
        ({"birthDate": "1799-01-01"}, "birthDate", "BAD_DATE"),
        ({"birthDate": "2012-01-01"}, "supervisorEmail", "SUPERVISOR_REQUIRED"),
        ({"supervisorEmail": "ZOE@example.org"}, "supervisorEmail", "SAME_AS_EMAIL"),
        ({"supervisorEmail": "mum"}, "supervisorEmail", "BAD_FORMAT"),
        ({"supervisorEmail": "mum2125550147@example.org"}, "supervisorEmail", "PHONE_NUMBER_IN_TEXT"),
        ({"address": {**ADDRESS, "line1": "212-555-0147"}}, "address/line1", "PHONE_NUMBER_IN_TEXT"),
        ({"address": {**ADDRESS, "country": "USA"}}, "address/country", "BAD_FORMAT"),
        ({"address": {**ADDRESS, "postalCode": "?"}}, "address/postalCode", "BAD_FORMAT"),
        ({"phones": [{"number": "12", "label": "a"}]}, "phones/0/number", "BAD_FORMAT"),
        ({"phones": [{"label": "a"}]}, "phones/0/number", "REQUIRED"),
        ({"phones": [{"number": NUMBER}]}, "phones/0/label", "REQUIRED"),
        ({"phones": [{"number": NUMBER, "label": "0147"}]}, "phones/0/label", "PHONE_NUMBER_IN_TEXT"),
        ({"phones": [PHONE, {"number": NUMBER, "label": "MOBILE"}]}, "phones/1/label", "TAKEN"),
        ({"phones": [PHONE] * (MAX_PHONES + 1)}, "phones", "TOO_MANY"),
        ({"billing": {**BILLING, "lastFour": "42424242"}}, "billing/lastFour", "BAD_FORMAT"),
        ({"billing": {**BILLING, "expiryMonth": 13}}, "billing/expiryMonth", "BAD_FORMAT"),
        ({"billing": {**BILLING, "expiryYear": 2020}}, "billing/expiryYear", "EXPIRED"),
        (
            {"billing": {**BILLING, "processorToken": "4242424242424242"}},
            "billing/processorToken",
            "CARD_NUMBER_IN_TEXT",
        ),
        ({"interests": ["x"] * 51}, "interests", "TOO_MANY"),
        ({"interests": ["212-555-0147"]}, "interests", "PHONE_NUMBER_IN_TEXT"),
        ({"choices": [{"purpose": "PARTNER_EMAIL", "direction": "OUT"}] * 2}, "choices", "REPEATED"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_field_that_is_wrong_is_named_and_nothing_is_stored(
    registering: Registering, changes: dict[str, Any], path: str, code: str
) -> None:
    before = await registering.counts()
    reply = await registering.reply(REGISTER, complete(**changes))
    assert found(reply) == [(path.split("/"), code)]
    assert b"0147" not in reply.body
    assert b"4242" not in reply.body
    assert await registering.counts() == before


async def test_what_the_database_knows_is_told_with_the_rest(registering: Registering) -> None:
    errors = await registering.register(username="max", givenName=" ", address={})
    assert (["username"], "TAKEN") in errors
    assert (["givenName"], "REQUIRED") in errors
    assert (["address", "city"], "REQUIRED") in errors


@pytest.mark.clause("C1", "C9", "C10", "C14")
async def test_a_registration_waits_for_its_link_with_all_that_was_told(
    registering: Registering, phone_private_key: X25519PrivateKey
) -> None:
    choices = [
        {"purpose": "PARTNER_EMAIL", "direction": "OUT"},
        {"purpose": "PARTNER_OFFERS", "direction": "IN"},
    ]
    assert await registering.register(choices=choices, newsletter=False) == []
    member = await registering.member("zoe@example.org")
    assert (member["status"], member["given_name"], member["family_name"]) == ("PENDING", "Zoe", "Zimmer")
    assert (member["username"], member["region"], member["interests"]) == ("zoe", "US-IL", ["chess", "go"])
    assert member["email_verified_at"] is None
    (address,) = await registering.rows("SELECT * FROM postal_address WHERE member_id = $1", member["id"])
    assert (address["line1"], address["is_primary"], address["kind"]) == ("1 Main Street", True, "HOME")
    (sealed,) = await registering.rows("SELECT * FROM vault.sealed_phone WHERE member_id = $1", member["id"])
    assert open_sealed(sealed["ciphertext"], phone_private_key, sealed["phone_id"]) == NUMBER
    (kept,) = await registering.rows("SELECT * FROM vault.credential WHERE member_id = $1", member["id"])
    hasher = PasswordHasher(memory=19_456, passes=2, threads=1, queue=1)
    assert (await hasher.verify(kept["password_hash"], PASSWORD)).fits
    hasher.close()
    ledger = await registering.rows(
        "SELECT topic, direction, purpose, source FROM choice WHERE member_id = $1 ORDER BY ctid",
        member["id"],
    )
    assert [tuple(row.values()) for row in ledger] == [
        ("NEWSLETTER", "OUT", None, "REGISTRATION"),
        ("SHARING", "OUT", "marketing.communications.email", "REGISTRATION"),
        ("SHARING", "IN", "marketing.advertising.third_party.targeted", "REGISTRATION"),
    ]
    assert await registering.letters() == [("CONFIRM_REGISTRATION", "zoe@example.org")]
    assert await registering.rows("SELECT FROM share WHERE member_id = $1", member["id"]) == []


@pytest.mark.clause("C4")
async def test_a_browser_that_opts_out_registers_an_opt_out(registering: Registering) -> None:
    await registering.reply(REGISTER, complete(), opts_out=True)
    member = await registering.member("zoe@example.org")
    (row,) = await registering.rows(
        "SELECT topic, direction, purpose FROM choice WHERE member_id = $1 AND source = 'GPC'", member["id"]
    )
    assert tuple(row.values()) == ("SHARING", "OUT", None)


@pytest.mark.clause("C14")
@pytest.mark.parametrize("owner", ["ada", "fay"], ids=["active", "closed"])
async def test_an_address_that_is_a_members_is_told_to_its_owner_only(
    registering: Registering, owner: str
) -> None:
    known = world.person(owner).email
    unknown = await registering.reply(REGISTER, complete(username=None))
    before = await registering.counts()
    asked = await registering.reply(REGISTER, complete(username=None, email=known.upper()))
    assert asked.body == unknown.body
    after = await registering.counts()
    assert after.pop("outgoing_mail") == before.pop("outgoing_mail") + 1
    assert after == before
    assert (await registering.letters())[-1] == ("ALREADY_REGISTERED", known)


@pytest.mark.clause("C14")
async def test_the_password_is_hashed_for_a_known_address_as_for_an_unknown_one(
    registering: Registering, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    make = PasswordHasher.hash

    async def counted(self: PasswordHasher, password: str) -> str:
        hashed.append(password)
        return await make(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", counted)
    await registering.register(username=None, email="ada@example.org")
    await registering.register(username=None)
    assert len(hashed) == 2
    await registering.register(givenName=None)
    assert len(hashed) == 2


async def test_several_may_claim_an_address_or_a_user_name_until_one_has_shown_it(
    registering: Registering,
) -> None:
    assert await registering.register() == []
    assert await registering.register() == []
    assert len(await registering.rows("SELECT FROM member WHERE status = 'PENDING'")) == 2


async def test_a_repeated_key_registers_once_even_at_the_same_moment(registering: Registering) -> None:
    replies = await asyncio.gather(
        *(registering.reply(REGISTER, complete(), idempotency_key="once") for _ in range(5))
    )
    assert {reply.body for reply in replies} == {replies[0].body}
    assert found(replies[0]) == []
    assert len(await registering.rows("SELECT FROM member WHERE status = 'PENDING'")) == 1
    assert len(await registering.letters()) == 1
    other = await registering.reply(REGISTER, complete(givenName="Zora"), idempotency_key="once")
    assert found(other) == [([], "IDEMPOTENCY_KEY_REUSED")]


async def test_a_repeated_key_counts_and_hashes_nothing(
    registering: Registering, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(await registering.reply(REGISTER, complete(), idempotency_key="once")) == []
    counted = await registering.rows("SELECT * FROM attempt ORDER BY key")

    async def refuse(_: PasswordHasher, __: str) -> str:
        pytest.fail("a password is hashed")

    monkeypatch.setattr(PasswordHasher, "hash", refuse)
    assert found(await registering.reply(REGISTER, complete(), idempotency_key="once")) == []
    assert await registering.rows("SELECT * FROM attempt ORDER BY key") == counted


@pytest.mark.clause("C14")
async def test_the_loop_goes_on_while_it_is_estimated_how_guessable_a_password_is(
    registering: Registering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate ends when something else in the loop has had its turn."""
    loop, gone_on = asyncio.get_running_loop(), threading.Event()

    def waits(*_: Any) -> None:
        loop.call_soon_threadsafe(gone_on.set)
        assert gone_on.wait(5), "the loop stands still"

    monkeypatch.setattr(registration_checks, "password_problems", waits)
    assert await registering.register() == []


async def test_attempts_are_counted_by_the_address_named_and_not_as_sign_ins(
    registering: Registering, asking_alone: Asking
) -> None:
    """With the attempts that are admitted as shipped, and answers as slow: most are waited for together."""

    async def attempt() -> Reply:
        visitor = world.CALLERS["visitor"].principal
        return await asking_alone.ask(visitor, REGISTER, {"input": {"email": "ada@example.org"}})

    replies = [*await asyncio.gather(*(attempt() for _ in range(10))), await attempt()]
    refused = [found(reply) == [([], "THROTTLED")] for reply in replies]
    assert refused == [False] * 10 + [True]
    counted = await registering.rows("SELECT key FROM attempt")
    assert len(counted) == 1


@pytest.mark.clause("C17")
async def test_a_supervisor_is_mailed_a_link_of_her_own(registering: Registering) -> None:
    errors = await registering.register(birthDate="2012-01-01", supervisorEmail="Mum@Example.org")
    assert errors == []
    assert await registering.letters() == [
        ("CONFIRM_REGISTRATION", "zoe@example.org"),
        ("CONFIRM_SUPERVISION", "Mum@example.org"),
    ]


@pytest.mark.clause("C17")
@pytest.mark.parametrize(("day", "minor"), [("2008-11-23", False), ("2008-11-24", True)])
async def test_the_birthday_decides_whether_an_adult_has_to_confirm(
    registering: Registering, day: str, minor: bool
) -> None:
    errors = await registering.register(birthDate=day)
    assert errors == ([(["supervisorEmail"], "SUPERVISOR_REQUIRED")] if minor else [])


async def test_who_never_confirms_is_removed_from_tables_and_vault(registering: Registering) -> None:
    before = await registering.counts()
    await registering.register()
    await registering.register(email="yan@example.org", supervisorEmail="mum@example.org", username=None)
    member = await registering.member("zoe@example.org")
    assert await registering.secrets_of(member["id"]) == (1, 1, 1)

    async def removed(after: timedelta) -> int:
        async with registering.asking.database.transaction() as connection:
            return await remove_expired_registrations(connection, world.NOW + after)

    assert await removed(timedelta(hours=47)) == 0
    assert await removed(timedelta(hours=48)) == 2
    assert await registering.counts() == before


async def test_a_registration_that_waits_for_the_adult_alone_is_kept_as_long_as_that_link_works(
    registering: Registering,
) -> None:
    await registering.register(birthDate="2012-01-01", supervisorEmail="mum@example.org")
    assert await registering.follow("CONFIRM_REGISTRATION", "zoe@example.org") == []
    for days, gone in ((6, 0), (7, 1)):
        async with registering.asking.database.transaction() as connection:
            late = world.NOW + timedelta(days=days)
            assert await remove_expired_registrations(connection, late) == gone


TEXTS: Final = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(["", " ", "\u0000", NUMBER, "a@b", "x" * 300, "４２４２", "\U0001f600" * 20]),
)
NUMBERS: Final = st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))
BAD: Final = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("email", "password", "givenName", "familyName", "username", "supervisorEmail"), TEXTS
        ),
        "birthDate": st.one_of(st.none(), st.dates().map(str)),
        "address": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional=dict.fromkeys(("line1", "line2", "city", "state", "postalCode", "country"), TEXTS),
            ),
        ),
        "phones": st.one_of(
            st.none(),
            st.lists(st.fixed_dictionaries({}, optional={"number": TEXTS, "label": TEXTS}), max_size=4),
        ),
        "billing": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "brand": TEXTS,
                    "lastFour": TEXTS,
                    "expiryMonth": NUMBERS,
                    "expiryYear": NUMBERS,
                    "processorToken": TEXTS,
                },
            ),
        ),
        "interests": st.one_of(st.none(), st.lists(st.text(max_size=70), max_size=5)),
        "newsletter": st.one_of(st.none(), st.booleans()),
        "choices": st.one_of(
            st.none(),
            st.lists(
                st.fixed_dictionaries(
                    {
                        "purpose": st.sampled_from(["PARTNER_EMAIL", "PARTNER_OFFERS"]),
                        "direction": st.sampled_from(["IN", "OUT"]),
                    }
                ),
                max_size=12,
            ),
        ),
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=BAD, base=st.booleans())
async def test_whatever_is_stated_only_fields_are_refused(
    registering: Registering, bad: dict[str, Any], base: bool
) -> None:
    stated = {**complete(), **bad} if base else bad
    reply = await registering.reply(REGISTER, stated)
    assert reply.codes == []
    if found(reply):
        assert b"0147" not in reply.body


@pytest.mark.clause("C10", "C14", "R1")
async def test_neither_number_nor_password_is_in_an_answer_or_a_table(
    registering: Registering,
) -> None:
    detector = Detector()
    detector.add_number(NUMBER)
    replies = [
        await registering.reply(REGISTER, complete()),
        await registering.reply(REGISTER, complete(username=NUMBER, givenName=NUMBER)),
        await registering.reply(REGISTER, complete(email=f"{NUMBER}@example.org", interests=[PASSWORD * 3])),
    ]
    text = b"\n".join(reply.body for reply in replies).decode()
    for table in (
        "member",
        "phone",
        "billing_method",
        "choice",
        "outgoing_mail",
        "one_time_link",
        "done_command",
    ):
        text += "\n".join(str(row) for row in await registering.rows(f"SELECT t::text FROM {table} t"))
    assert not detector.search(text)
    assert PASSWORD not in text
