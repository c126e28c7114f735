"""Officers publish policies and pass the business on by their contract, over HTTP (C8, C16)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import Product
from gateway.keys import Keyring
from gateway.officers_contract import officers_contracts
from gateway.policy_source import load_shipped_directory
from gateway.settings import Settings
from policies.officers import Channel, Officer, Role
from policies.principal import OfficerPrincipal
from resolvers.staff.policies import MOST_FILES, MOST_TEXT, bounded
from schema.errors import InputError
from schema.ids import new_id
from schema.types.staff.policies import PolicyFileInput
from tests.attacks.test_officers import proposed_transfer
from tests.conftest import MakeDatabase
from tests.officers import Clock, Desks, Staff, entrance

PUBLISH = (
    "mutation($i: PublishPolicyInput!) { publishPolicy(input: $i)"
    " { errors { path code message } number effectiveAt opensAt notices takenBack droppedLanguages } }"
)
ROLL_BACK = (
    "mutation($i: RollBackPolicyInput!) { rollBackPolicy(input: $i) { errors { code message } number } }"
)
SHARED = {"publishPolicy", "rollBackPolicy", "openTransfer", "approveTransfer", "cancelTransfer"}
MINORS = '\n@id("all") @clause("C8") @text("Everything.") permit (principal, action, resource);\n'


@pytest.fixture(scope="module")
async def desks(
    settings: Settings, keys: Keyring, make_database: MakeDatabase, world_template: str, product: Product
) -> AsyncIterator[Desks]:
    async with (
        make_database(template=world_template) as database,
        entrance(settings, keys, database, product, Clock()) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def olga(desks: Desks) -> Staff:
    return await desks.officer("olga", Role.PRIVACY_OFFICER)


def given(**files: str) -> dict[str, Any]:
    """The shipped policy with other files, as the input of `publishPolicy`."""
    wanted = {**load_shipped_directory().files, **files}
    return {"files": [{"path": path, "text": text} for path, text in wanted.items()], "mailed": False}


def rules(more: str) -> Mapping[str, str]:
    return {"sharing.cedar": load_shipped_directory().files["sharing.cedar"] + more}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.AUDITOR])
def test_only_a_privacy_officer_has_the_commands(product: Product, role: Role) -> None:
    _, contracts = officers_contracts(lambda: product.matrix)
    officer = Officer("somebody", frozenset({role}), Channel.CONTRACT)
    sdl = contracts.of(OfficerPrincipal(officer, new_id(), new_id(), "officers", "")).sdl
    assert not [name for name in (*SHARED, "PublishPolicyInput", "OpenTransferInput") if name in sdl]
    assert "policyVersions" in sdl
    assert ("transfers:" in sdl) == (role is Role.AUDITOR)


async def test_support_is_refused_over_http_and_nothing_is_published(desks: Desks) -> None:
    sam = await desks.officer("sam", Role.SUPPORT)
    before = await desks.last()
    assert (await desks.post(PUBLISH, sam.access, i=given())).status_code == 400
    assert await desks.last() == before


@pytest.mark.clause("C16")
async def test_a_policy_is_published_and_rolled_back_and_each_leaves_its_line(
    desks: Desks, olga: Staff
) -> None:
    assert await desks.sign_in(olga) == []
    before = await desks.last()
    english = given(**rules("\n// another\n")) | {"reason": "one comment more"}
    english["files"] = [each for each in english["files"] if each["path"] != "texts/de.toml"]
    done = (await desks.ask(PUBLISH, olga.access, i=english))["data"]
    assert (done["publishPolicy"]["droppedLanguages"], done["publishPolicy"]["takenBack"]) == (["de"], 0)
    assert done["publishPolicy"]["errors"] == []
    assert (done["publishPolicy"]["number"], done["publishPolicy"]["opensAt"]) == (2, None)
    (line,) = await desks.lines(before)
    assert line[1:3] == ("olga", "policy.publish")
    again = (await desks.ask(PUBLISH, olga.access, i=english))["data"]
    assert again["publishPolicy"]["errors"][0]["code"] == "BAD_INPUT"
    back = (await desks.ask(ROLL_BACK, olga.access, i={"number": 1, "mailed": False}))["data"]
    assert back["rollBackPolicy"] == {"errors": [], "number": 3}
    none = (await desks.ask(ROLL_BACK, olga.access, i={"number": 77, "mailed": False}))["data"]
    assert none["rollBackPolicy"]["errors"][0]["code"] == "NOT_FOUND"
    assert [line[2] for line in await desks.lines(before)] == ["policy.publish", "policy.publish"]
    versions = "{ policyVersions { number publishedBy rolledBackTo notices mailed reason } }"
    found = (await desks.ask(versions, olga.access))["data"]["policyVersions"]
    assert [(e["number"], e["publishedBy"], e["rolledBackTo"], e["reason"]) for e in found] == [
        (3, "olga", 1, None),
        (2, "olga", None, "one comment more"),
        (1, "gateway", None, None),
    ]


@pytest.mark.clause("C16", "C17")
@pytest.mark.parametrize(
    ("files", "told"),
    [
        (rules(MINORS), "`all`"),
        (rules("permit ("), "do not parse"),
        (rules("\npermit (principal, action, resource) when { " + "(" * 5_000), "brackets"),
        (rules("\npermit (principal, action, resource) when { true" + " && true" * 5_000), "too long"),
        ({"policy.toml": "a = " + "[" * 20_000}, "`policy.toml`: not TOML"),
        ({"policy.toml": 'title = "Ask +1 415 555 0132"'}, "a telephone number stands in it"),
        (rules("\n// Ask +1 415 555 0132"), "a telephone number stands in it"),
        ({"notes.txt": "x"}, "`notes.txt` is no file of a policy"),
        (rules("\n// \u202eas if it were no comment"), "a control character"),
    ],
    ids=[
        "opens too much",
        "no rules",
        "nested",
        "chained",
        "nested manifest",
        "title",
        "comment",
        "stray",
        "turned around",
    ],
)
async def test_a_policy_that_may_not_be_used_is_refused_and_its_author_is_told_why(
    desks: Desks, olga: Staff, files: Mapping[str, str], told: str
) -> None:
    assert await desks.sign_in(olga) == []
    before = await desks.last()
    done = (await desks.ask(PUBLISH, olga.access, i=given(**files)))["data"]["publishPolicy"]
    (error,) = done["errors"]
    assert (error["path"], error["code"], done["number"]) == (["files"], "POLICY_INVALID", None)
    assert told in error["message"]
    assert "0132" not in error["message"]
    assert await desks.last() == before


def test_what_is_sent_is_bounded_before_it_is_read() -> None:
    one = PolicyFileInput(path="a", text="x")
    for files in (
        [PolicyFileInput(path=str(number), text="") for number in range(MOST_FILES + 1)],
        [PolicyFileInput(path="a", text="x" * (MOST_TEXT + 1))],
        [PolicyFileInput(path="a" * 101, text="x")],
        [PolicyFileInput(path="", text="x")],
        [PolicyFileInput(path="a", text="\x00")],
        [PolicyFileInput(path="a", text="\ud800")],
        [one, one],
    ):
        with pytest.raises(InputError):
            bounded(files)
    assert bounded([one]) == {"a": "x"}


@pytest.mark.clause("C8")
async def test_a_transfer_is_approved_by_another_officer_who_has_signed_in(desks: Desks) -> None:
    first = await desks.officer("tia", Role.PRIVACY_OFFICER)
    second = await desks.officer("ugo", Role.PRIVACY_OFFICER)
    before = await desks.last()
    transfer = await proposed_transfer(desks, first)
    shown = "{ errors { code message } transfer { status approvedBy effectiveAt reason mailed } }"
    approve = f"mutation($i: TransferIdInput!) {{ approveTransfer(input: $i) {shown} }}"
    cancel = f"mutation($i: TransferIdInput!) {{ cancelTransfer(input: $i) {shown} }}"
    own = (await desks.ask(approve, first.access, i={"id": transfer}))["data"]["approveTransfer"]
    assert (own["errors"][0]["code"], own["transfer"]) == ("FORBIDDEN", None)
    assert transfer not in str(own)
    done = (await desks.ask(approve, second.access, i={"id": transfer}))["data"]["approveTransfer"]
    assert (done["transfer"]["status"], done["transfer"]["approvedBy"]) == ("ANNOUNCED", "ugo")
    assert (done["transfer"]["reason"], done["transfer"]["mailed"]) == ("the contract of sale", 0)
    assert done["transfer"]["effectiveAt"] > (desks.clock() + timedelta(days=29)).isoformat()
    notices = "{ notices { title withdrawnAt refused } }"
    announced = (await desks.ask(notices, first.access))["data"]["notices"][0]
    assert announced["title"].endswith("takes over the business")
    assert (announced["withdrawnAt"], announced["refused"]) == (None, 0)
    done = (await desks.ask(cancel, first.access, i={"id": transfer}))["data"]["cancelTransfer"]
    assert done["transfer"]["status"] == "CANCELLED"
    late = (await desks.ask(approve, second.access, i={"id": transfer}))["data"]["approveTransfer"]
    assert late["errors"][0]["code"] == "BAD_INPUT"
    acts = [(line[1], line[2]) for line in await desks.lines(before) if line[2].startswith("transfer.")]
    assert acts == [
        ("tia", "transfer.open"),
        ("tia", "transfer.read"),
        ("ugo", "transfer.approve"),
        ("tia", "transfer.close"),
    ]
