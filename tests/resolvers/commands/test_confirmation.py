"""Following mailed links: what makes a registration a membership, and for whom of several."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import pytest

from schema.tables import Table
from tests import world
from tests.resolvers.commands.registering import Registering

ZOE: Final = "zoe@example.org"
MUM: Final = "mum@example.org"
DEAD: Final = [(["token"], "LINK_EXPIRED")]
TAKEN: Final = [(["token"], "TAKEN")]


async def purposes(registering: Registering, email: str) -> list[str]:
    return await registering.purposes((await registering.member(email))["id"])


async def owner_executes(registering: Registering, sql: str, *values: Any) -> None:
    owner = await asyncpg.connect(registering.asking.database.url)
    await owner.execute(sql, *values)
    await owner.close()


@pytest.mark.clause("C1")
async def test_the_link_makes_the_registration_a_membership_once(registering: Registering) -> None:
    await registering.register()
    token = await registering.token("CONFIRM_REGISTRATION", ZOE)
    assert await registering.follow_token(token) == []
    member = await registering.member(ZOE)
    assert (member["status"], member["email_verified_at"]) == ("ACTIVE", world.NOW)
    assert len(await purposes(registering, ZOE)) == 2
    assert (await registering.letters())[-1] == ("WELCOME", ZOE)
    before = await registering.counts()
    assert await registering.follow_token(token) == DEAD
    assert await registering.counts() == before


async def test_a_repeated_key_follows_once_and_says_so_again(registering: Registering) -> None:
    await registering.register()
    token = await registering.token("CONFIRM_REGISTRATION", ZOE)
    assert await registering.follow_token(token, idempotency_key="a") == []
    assert await registering.follow_token(token, idempotency_key="a") == []
    assert await registering.follow_token("other", idempotency_key="a") == [([], "IDEMPOTENCY_KEY_REUSED")]


@pytest.mark.parametrize("token", ["", "x", "\u00e9", "A" * 4_000, "%00", "../"])
async def test_what_is_no_token_of_ours_is_answered_like_a_link_that_is_over(
    registering: Registering, token: str
) -> None:
    assert await registering.follow_token(token) == DEAD


async def test_a_link_that_has_run_out_does_nothing(registering: Registering) -> None:
    await registering.register()
    registering.asking.now = world.NOW + timedelta(hours=48)
    assert await registering.follow("CONFIRM_REGISTRATION", ZOE) == DEAD
    assert (await registering.member(ZOE))["status"] == "PENDING"


async def test_a_link_that_sets_a_password_is_not_used_up_here(registering: Registering) -> None:
    await registering.register()
    await owner_executes(registering, "UPDATE one_time_link SET kind = 'RESET_PASSWORD'")
    assert await registering.follow("CONFIRM_REGISTRATION", ZOE) == DEAD
    assert await registering.rows("SELECT FROM one_time_link WHERE used_at IS NOT NULL") == []


async def test_of_two_who_claim_an_address_the_first_to_confirm_has_it(registering: Registering) -> None:
    await registering.register(givenName="Imposter")
    imposter = await registering.token("CONFIRM_REGISTRATION", ZOE)
    rival = (await registering.member(ZOE))["id"]
    await registering.register()
    assert await registering.follow("CONFIRM_REGISTRATION", ZOE) == []
    assert (await registering.member(ZOE))["given_name"] == "Zoe"
    assert await registering.secrets_of(rival) == (0, 0, 0)
    assert await registering.follow_token(imposter) == DEAD


@pytest.mark.clause("C14")
@pytest.mark.parametrize("contest", ["another registration", "an invitation"])
async def test_where_others_claim_an_address_its_link_alone_confirms_no_registration(
    registering: Registering, contest: str
) -> None:
    """The newest mail may be the answer to a stranger, whose password would be the account's."""
    email = "eve@example.org" if contest == "an invitation" else "zoe@example.org"
    if contest == "another registration":
        assert await registering.register(password="nine copper kettles sing before dawn") == []
    assert await registering.register(email=email) == []
    token = await registering.token("CONFIRM_REGISTRATION", email)
    before = await registering.counts()
    required = [(["password"], "PASSWORD_REQUIRED")]
    assert await registering.follow_token(token, password=None) == required
    wrong = [(["password"], "WRONG_PASSWORD")]
    assert await registering.follow_token(token, password="nine copper kettles sing before noon") == wrong
    assert await registering.counts() == before
    assert await registering.follow_token(token) == []
    assert (await registering.member(email))["status"] == "ACTIVE"


async def test_who_alone_claims_an_address_needs_no_password(registering: Registering) -> None:
    assert await registering.register() == []
    token = await registering.token("CONFIRM_REGISTRATION", "zoe@example.org")
    assert await registering.follow_token(token, password=None) == []


async def test_of_several_who_confirm_an_address_at_once_one_has_it(registering: Registering) -> None:
    tokens = []
    for _ in range(6):
        await registering.register()
        tokens.append(await registering.token("CONFIRM_REGISTRATION", ZOE))
    answers = await asyncio.gather(*(registering.follow_token(token) for token in tokens))
    assert sorted(answers) == sorted([[], *[DEAD] * 5])
    member = await registering.member(ZOE)
    assert member["status"] == "ACTIVE"
    assert len(await registering.rows("SELECT FROM vault.credential")) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET email = 'ZOE@example.org' WHERE id = $1",
        "UPDATE member SET username = 'ZOE' WHERE id = $1",
    ],
)
async def test_who_was_overtaken_is_told_and_nothing_changes(registering: Registering, change: str) -> None:
    await registering.register()
    await owner_executes(registering, change, world.person("ada").id)
    before = await registering.counts()
    for _ in range(2):
        assert await registering.follow("CONFIRM_REGISTRATION", ZOE) == TAKEN
    (pending,) = await registering.rows("SELECT * FROM member WHERE status = 'PENDING'")
    assert pending["email_verified_at"] is None
    assert await registering.counts() == before


@pytest.mark.clause("C17")
@pytest.mark.parametrize("order", [("REGISTRATION", "SUPERVISION"), ("SUPERVISION", "REGISTRATION")])
async def test_under_18_both_links_are_needed_in_any_order_and_nothing_is_shared(
    registering: Registering, order: tuple[str, str]
) -> None:
    await registering.register(birthDate="2012-01-01", supervisorEmail=MUM)
    where = {"REGISTRATION": ZOE, "SUPERVISION": MUM}
    for kind, status in zip(order, ("PENDING", "ACTIVE"), strict=True):
        assert await registering.follow(f"CONFIRM_{kind}", where[kind]) == []
        assert (await registering.member(ZOE))["status"] == status
    assert await purposes(registering, ZOE) == []


async def invite_eve(registering: Registering, **columns: Any) -> Any:
    """Eve was invited by an import, and has a history."""
    eve = world.person("eve").id
    for name, value in columns.items():
        await owner_executes(registering, f"UPDATE member SET {name} = $2 WHERE id = $1", eve, value)
    ada = world.person("ada").id
    for table in ("cart", "customer_order", "interaction", "visit", "communication"):
        await owner_executes(registering, f"UPDATE {table} SET member_id = $2 WHERE member_id = $1", ada, eve)
    await owner_executes(
        registering, "UPDATE billing_method SET member_id = $2 WHERE member_id = $1", ada, eve
    )
    await owner_executes(
        registering,
        "UPDATE billing_method SET last_four = '4242' WHERE member_id = $1 AND brand = 'Visa'",
        eve,
    )
    await owner_executes(
        registering,
        "INSERT INTO vault.billing_token SELECT id, member_id, 'tok_' || brand FROM billing_method"
        " WHERE member_id = $1",
        eve,
    )
    await owner_executes(
        registering,
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source, purpose,"
        " policy) SELECT gen_random_uuid(), $1, day, day, 'SHARING', direction, 'IMPORT', purpose, policy"
        " FROM (VALUES ('2026-01-01Z'::timestamptz, 'OUT', NULL, NULL),"
        " ('2026-02-01Z', 'IN', 'marketing.communications.email', 'digest of that day'))"
        " AS given (day, direction, purpose, policy)",
        eve,
    )
    await owner_executes(
        registering, "INSERT INTO vault.credential VALUES ($1, 'hash of before', now())", eve
    )
    await owner_executes(
        registering,
        "WITH opened AS (INSERT INTO legal_case (id, agreement_id, reference, ground, opened_by, opened_at,"
        " expires_at) SELECT gen_random_uuid(), id, 'R', 'G', 'olga', now(), now() + interval '9 days'"
        " FROM agreement ORDER BY id LIMIT 1 RETURNING id)"
        " INSERT INTO legal_case_member (case_id, member_id) SELECT id, $1 FROM opened",
        eve,
    )
    await owner_executes(
        registering,
        "INSERT INTO member_request (id, member_id, kind, status, subject, body, opened_at, due_at)"
        " VALUES (gen_random_uuid(), $1, 'ACCESS', 'OPEN', 's', 'b', now(), now())",
        eve,
    )
    return eve


OWNED: Final = (
    "cart", "customer_order", "interaction", "visit", "communication", "member_request", "billing_method",
    "choice", "legal_case_member",
)  # fmt: skip


LEFT: Final = {
    "postal_address", "phone", "session", "one_time_link", "outgoing_mail", "done_command", "share",
    "pairwise_subject", "deletion", "suppression", "suppression_due",
}  # fmt: skip
"""Stated anew, or of no use to another account; who is invited was shared with nobody."""


def test_of_every_table_it_is_decided_whether_a_takeover_moves_it() -> None:
    hanging = {
        table.name
        for table in Table.metadata.tables.values()
        if any(key.column.table.name == "member" for key in table.foreign_keys)
    }
    assert hanging == {*OWNED, *LEFT}


async def ledger_of(registering: Registering, member: Any) -> list[dict[str, Any]]:
    """The choices about sharing, every column but whose they are."""
    rows = await registering.rows(
        "SELECT * FROM choice WHERE member_id = $1 AND topic = 'SHARING' ORDER BY requested_at", member
    )
    return [{name: row[name] for name in row if name not in ("id", "member_id")} for row in rows]


@pytest.mark.clause("C6", "C11", "C12")
async def test_a_registration_takes_over_the_invitation_with_its_history(registering: Registering) -> None:
    eve = await invite_eve(registering, purchase_categories=["books"])
    (invited,) = await registering.rows("SELECT * FROM member WHERE id = $1", eve)

    async def owned(member: Any) -> dict[str, int]:
        return {
            table: len(await registering.rows(f"SELECT FROM {table} WHERE member_id = $1", member))
            for table in OWNED
        }

    before, chosen = await owned(eve), await ledger_of(registering, eve)
    assert all(before.values())
    assert await registering.register(email="EVE@example.org") == []
    assert await registering.follow("CONFIRM_REGISTRATION", "EVE@example.org") == []
    member = await registering.member("eve@example.org")
    assert member["id"] != eve
    assert (member["status"], member["number"]) == ("ACTIVE", invited["number"])
    assert (member["joined_at"], member["purchase_categories"]) == (invited["joined_at"], ["books"])
    assert member["given_name"] == "Zoe"
    # Visa 4242 was stated anew, the other card moved; the newsletter's choice joined the ledger.
    assert await owned(member["id"]) == {**before, "choice": before["choice"] + 1}
    assert len(chosen) == 2
    assert await ledger_of(registering, member["id"]) == chosen
    tokens = await registering.rows(
        "SELECT m.brand, t.token FROM billing_method m JOIN vault.billing_token t"
        " ON t.billing_method_id = m.id AND t.member_id = m.member_id WHERE m.member_id = $1 ORDER BY 1",
        member["id"],
    )
    assert [tuple(row.values()) for row in tokens] == [
        ("Mastercard", "tok_Mastercard"),
        ("Visa", "tok_register_zoe"),
    ]
    assert await registering.secrets_of(member["id"]) == (1, 1, 2)
    assert await registering.secrets_of(eve) == (0, 0, 0)
    assert await registering.rows("SELECT FROM member WHERE id = $1", eve) == []
    # By the later request for one purpose she is shared for that one alone.
    assert await registering.purposes(member["id"]) == ["marketing.communications.email"]


async def test_what_was_stated_anew_counts_and_the_rest_is_taken_over(registering: Registering) -> None:
    await invite_eve(registering, username="evie", interests=["opera"])
    await registering.register(email="eve@example.org", username=None, interests=None)
    assert await registering.follow("CONFIRM_REGISTRATION", "eve@example.org") == []
    member = await registering.member("eve@example.org")
    assert (member["username"], member["interests"]) == ("evie", ["opera"])


CHILD: Final = date(2014, 1, 1)
ADULT: Final = date(1980, 5, 1)


@pytest.mark.clause("C17")
async def test_who_is_under_18_by_the_invitation_needs_an_adult_whatever_she_states(
    registering: Registering,
) -> None:
    eve = await invite_eve(registering, birth_date=CHILD)
    assert await registering.register(email="eve@example.org", username=None) == []
    before = await registering.counts()
    errors = await registering.follow("CONFIRM_REGISTRATION", "eve@example.org")
    assert errors == [(["token"], "SUPERVISOR_REQUIRED")]
    assert await registering.counts() == before
    assert await registering.secrets_of(eve) == (0, 1, 2)


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("on_file", "stated"), [(CHILD, ADULT), (ADULT, CHILD), (CHILD, None), (None, CHILD)]
)
async def test_of_two_birth_dates_the_later_one_counts(
    registering: Registering, on_file: date | None, stated: date | None
) -> None:
    await invite_eve(registering, birth_date=on_file)
    day = None if stated is None else stated.isoformat()
    given = {"email": "eve@example.org", "username": None, "birthDate": day, "supervisorEmail": MUM}
    assert await registering.register(**given) == []
    assert await registering.follow("CONFIRM_REGISTRATION", "eve@example.org") == []
    assert await registering.follow("CONFIRM_SUPERVISION", MUM) == []
    member = await registering.member("eve@example.org")
    assert (member["status"], member["birth_date"]) == ("ACTIVE", CHILD)
    assert await purposes(registering, "eve@example.org") == []
