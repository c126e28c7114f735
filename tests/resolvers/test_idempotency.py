from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from resolvers.exchange import Exchange
from resolvers.idempotency import unsealed
from schema.tables.member import AddressKind
from schema.types.contact_data import AddAddressInput, AddBillingMethodInput, AddPhoneInput
from tests import world
from tests.asking import Asking, Reply

ADDRESS = {
    "line1": "1 Main Street",
    "city": "Springfield",
    "country": "US",
    "postalCode": "90210",
    "kind": "SHIPPING",
}
ADD = """mutation ($input: AddAddressInput!) {
  addAddress(input: $input) { errors { path code } me { addresses { totalCount } version } }
}"""


async def add(asking: Asking, key: str | None, who: str = "ada", **changes: Any) -> Reply:
    principal = world.CALLERS[who].principal
    exchange = Exchange(idempotency_key=key)
    return await asking.ask(principal, ADD, {"input": {**ADDRESS, **changes}}, exchange=exchange)


def outcome(reply: Reply) -> tuple[list[str], int]:
    payload = reply.data["addAddress"]
    return [error["code"] for error in payload["errors"]], payload["me"]["addresses"]["totalCount"]


async def test_a_repeated_key_does_the_command_once_and_shows_what_is_so_now(asking_alone: Asking) -> None:
    """Adding the same address twice adds one anyway: so it is removed in between, and must stay removed."""
    errors, added = outcome(await add(asking_alone, "one"))
    assert errors == []
    async with asking_alone.database.connection() as connection:
        await connection.execute(
            "DELETE FROM postal_address WHERE kind = 'SHIPPING' AND line1 = $1", ADDRESS["line1"]
        )
    assert outcome(await add(asking_alone, "one")) == ([], added - 1)
    assert outcome(await add(asking_alone, "two")) == ([], added)


async def test_repetitions_at_the_same_moment_do_the_command_once(asking_alone: Asking) -> None:
    replies = await asyncio.gather(*(add(asking_alone, "one") for _ in range(8)))
    assert {errors for reply in replies if (errors := tuple(outcome(reply)[0]))} == set()
    database = asking_alone.database
    async with database.connection() as connection:
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM postal_address WHERE line1 = $1 AND kind = 'SHIPPING'", ADDRESS["line1"]
            )
            == 1
        )


async def test_a_key_used_for_something_else_is_refused(asking_alone: Asking) -> None:
    await add(asking_alone, "one")
    reply = await add(asking_alone, "one", city="Shelbyville")
    assert outcome(reply)[0] == ["IDEMPOTENCY_KEY_REUSED"]


async def test_a_refused_command_may_be_sent_again_with_the_same_key(asking_alone: Asking) -> None:
    refused = await add(asking_alone, "one", city=" ")
    assert outcome(refused)[0] == ["REQUIRED"]
    assert outcome(await add(asking_alone, "one"))[0] == []


async def test_a_key_is_the_callers_own(asking_alone: Asking) -> None:
    await add(asking_alone, "one")
    assert outcome(await add(asking_alone, "one", "ida", city="Shelbyville"))[0] == []


async def test_aliases_of_one_request_are_commands_of_their_own(asking_alone: Asking) -> None:
    document = """mutation ($a: AddAddressInput!, $b: AddAddressInput!) {
      a: addAddress(input: $a) { errors { code } } b: addAddress(input: $b) { errors { code } }
    }"""
    variables = {"a": ADDRESS, "b": {**ADDRESS, "line1": "2 Main Street"}}
    principal = world.CALLERS["ada"].principal
    for _ in range(2):
        reply = await asking_alone.ask(
            principal, document, variables, exchange=Exchange(idempotency_key="one")
        )
        assert reply.data == {"a": {"errors": []}, "b": {"errors": []}}


@pytest.mark.clause("R1")
def test_what_is_sealed_is_no_part_of_a_fingerprint() -> None:
    number, token = "+14155550132", "tok_secret"
    phone = unsealed(AddPhoneInput(number=number, label="Office"))
    card = unsealed(
        AddBillingMethodInput(
            brand="Visa", last_four="4242", expiry_month=1, expiry_year=2030, processor_token=token
        )
    )
    assert phone == {"": "AddPhoneInput", "label": "Office"}
    assert number not in orjson.dumps(phone).decode()
    assert token not in orjson.dumps(card).decode()
    assert card["last_four"] == "4242"


def test_what_is_asked_is_told_apart() -> None:
    shipping, billing = (
        AddAddressInput(line1="1", city="Springfield", country="US", kind=kind)
        for kind in (AddressKind.SHIPPING, AddressKind.BILLING)
    )
    assert unsealed(shipping) != unsealed(billing)
    assert unsealed([shipping, None, 3, 4.5, "x"])[1:] == [None, 3, 4.5, "x"]


async def test_an_alias_of_any_length_may_have_a_key(asking_alone: Asking) -> None:
    alias = "a" * 12_000
    document = f"mutation ($i: AddAddressInput!) {{ {alias}: addAddress(input: $i) {{ errors {{ code }} }} }}"
    reply = await asking_alone.ask(
        world.CALLERS["ada"].principal, document, {"i": ADDRESS}, exchange=Exchange(idempotency_key="one")
    )
    assert reply.data == {alias: {"errors": []}}
