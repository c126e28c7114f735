"""A preview is, byte for byte, what the partner's own query returns of the member who asks."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import GraphQLObjectType
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.commands.partners import set_agreement_status
from schema.vocabulary import AgreementStatus
from tests import world
from tests.asking import Asking

BY_AGREEMENT = "query ($a: ID) {{ previewAsPartner(agreement: $a) {} }}"
BY_PARTNER = "query ($p: String) {{ previewAsPartner(partner: $p) {} }}"
THEIRS = "query ($id: ID!) {{ member(id: $id) {} }}"
IN_FORCE = ("acme", "bolt", "wish")

ADA = world.member("ada").principal


@st.composite
def selections(draw: st.DrawFn, type_: GraphQLObjectType) -> str:
    """A selection set over fields of a type: aliases, repetitions, fragments, `__typename`."""
    parts = []
    for number, name in enumerate(draw(st.lists(st.sampled_from(sorted(type_.fields)), max_size=8))):
        alias = draw(st.sampled_from(["", f"a{number}: "]))
        below: Any = getattr(type_.fields[name].type, "of_type", type_.fields[name].type)
        inner = draw(selections(below)) if isinstance(below, GraphQLObjectType) else ""
        part = f"{alias}{name} {inner}"
        if inner and not alias:
            part = f"b{number}: {part}"
        parts.append(draw(st.sampled_from([part, f"... on {type_.name} {{ {part} }}"])))
    parts.append(draw(st.sampled_from(["__typename", "kind: __typename"])))
    return "{ " + " ".join(parts) + " }"


def value(body: bytes, name: str) -> bytes:
    """The bytes of a root field."""
    prefix = b'{"data":{"' + name.encode() + b'":'
    assert body.startswith(prefix)
    return body[len(prefix) : -2]


@pytest.mark.clause("C8", "C11", "C12")
@pytest.mark.parametrize("client", world.AGREEMENTS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
async def test_a_preview_is_what_the_partners_own_query_returns(
    asking: Asking, client: str, data: st.DataObject
) -> None:
    caller = world.partner(client)
    terms = world.AGREEMENTS[client]
    shared = asking.contract(caller.principal).schema.type_map["SharedMember"]
    assert isinstance(shared, GraphQLObjectType)
    selection = data.draw(selections(shared))
    partner = next(name for name in world.PARTNERS if world.partner_id(name) == terms.partner_id)
    for someone in world.PEOPLE:
        subject = world.subject(partner, someone.name.lower())
        theirs = await asking.ask(caller.principal, THEIRS.format(selection), {"id": str(subject)})
        principal = world.member(someone.name.lower()).principal
        own = await asking.both(principal, BY_AGREEMENT.format(selection), {"a": str(terms.id)})
        assert value(own.body, "previewAsPartner") == value(theirs.body, "member")
        assert own.recorded == (), "the member's own look is no disclosure"
        if client in IN_FORCE:
            named = await asking.both(principal, BY_PARTNER.format(selection), {"p": partner})
            assert named.body == own.body


async def test_there_are_members_to_preview(asking: Asking) -> None:
    """Else the property above would hold of nulls alone."""
    shown = 0
    for someone in world.PEOPLE:
        principal = world.member(someone.name.lower()).principal
        for client in IN_FORCE:
            given = {"a": str(world.AGREEMENTS[client].id)}
            reply = await asking.ask(principal, BY_AGREEMENT.format("{ id }"), given)
            shown += reply.data["previewAsPartner"] is not None
    assert shown > 10


@pytest.mark.clause("C12")
async def test_of_a_partner_with_several_agreements_one_has_to_be_named(asking_alone: Asking) -> None:
    document = BY_PARTNER.format("{ name }")
    async with asking_alone.database.transaction() as connection:
        await set_agreement_status(
            connection, asking_alone.product.matrix, agreement_id=world.AGREEMENTS["acme-suspended"].id,
            status=AgreementStatus.ACTIVE, now=world.NOW,
        )  # fmt: skip
    reply = await asking_alone.both(ADA, document, {"p": "acme"})
    assert reply.codes == ["BAD_INPUT"]
    message = orjson.loads(reply.body)["errors"][0]["message"]
    assert "`agreement`" in message
    assert "partners" in message
    gus = await asking_alone.both(world.member("gus").principal, document, {"p": "acme"})
    assert (gus.codes, gus.data) == ([], {"previewAsPartner": None}), "none of them shows anything of Gus"


@pytest.mark.parametrize("arguments", ["", "(agreement: null)", '(agreement: "x", partner: "acme")'])
async def test_exactly_one_of_agreement_and_partner_is_given(asking: Asking, arguments: str) -> None:
    document = f"{{ previewAsPartner{arguments} {{ name }} }}"
    assert (await asking.both(ADA, document)).codes == ["BAD_INPUT"]


@pytest.mark.clause("R1")
@pytest.mark.parametrize("partner", ["nobody", "", "+12025550143", "a\0b"])
async def test_a_partner_that_does_not_exist_is_not_repeated(asking: Asking, partner: str) -> None:
    reply = await asking.both(ADA, BY_PARTNER.format("{ name }"), {"p": partner})
    assert reply.codes == ["BAD_INPUT"]
    assert b"2025550143" not in reply.body


async def test_two_previews_of_one_request_are_of_different_partners(asking: Asking) -> None:
    document = '{ a: previewAsPartner(partner: "acme") { id } b: previewAsPartner(partner: "bolt") { id } }'
    data = (await asking.both(ADA, document)).data
    assert data == {
        "a": {"id": str(world.subject("acme", "ada"))},
        "b": {"id": str(world.subject("bolt", "ada"))},
    }
