"""What a hostile caller tries over HTTP, and what it must not learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.attacks.comparing import shape
from tests.attacks.twins import NOW, SCOPES, Twins
from tests.attacks.wire import Line, connected
from tests.gateway.importing.files import owner

LOOK_UP = "query($id: ID!) { member(id: $id) { id name email } }"
BAD_TOKENS = (
    "partner elder all", "revoked client", "unknown client", "unknown member", "expired", "cut", "no token",
)  # fmt: skip
INJECTIONS = (
    "' OR '1'='1", "'; DROP TABLE member; --", '"', "\\", "\\'", "$1", "%s", "{}", "%", "_%", "NULL",
    "1) UNION SELECT password_hash FROM vault.credential --", "{a,b}", "('x')",
    "x\u2019 OR 1=1", "\u202e", "\ufeff",
)  # fmt: skip


@pytest.fixture
async def line(twins: Twins) -> AsyncIterator[Line]:
    async with connected(twins.left.base_url) as opened:
        yield opened


def token(twins: Twins, caller: str) -> str:
    found = twins.tokens[caller]
    assert found is not None
    return found


async def everything(line: Line, bearer: str, fields: str) -> list[Any]:
    """All members that a partner sees, page by page."""
    nodes: list[Any] = []
    after = None
    while True:
        query = (
            "query($after: String) { members(first: 50, after: $after)"
            f" {{ edges {{ node {{ {fields} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        members = (await line.ask(query, bearer, variables={"after": after})).json["data"]["members"]
        nodes += [edge["node"] for edge in members["edges"]]
        if not members["pageInfo"]["hasNextPage"]:
            return nodes
        after = members["pageInfo"]["endCursor"]


async def test_every_bad_credential_is_answered_alike(twins: Twins, line: Line) -> None:
    answers = [await line.ask("{ viewer { audience } }", twins.tokens[caller]) for caller in BAD_TOKENS]

    assert {answer.status for answer in answers} == {401}
    assert all(shape(answer) == shape(answers[0]) for answer in answers)


@pytest.mark.parametrize("scope", SCOPES)
async def test_scopes_open_nothing_that_the_agreement_closes(twins: Twins, line: Line, scope: str) -> None:
    bearer = token(twins, f"partner birch {scope}")
    granted = (await line.ask("{ viewer { scopes } }", bearer)).json["data"]["viewer"]["scopes"]
    agreed = (await line.ask("{ viewer { scopes } }", token(twins, "partner birch all"))).json

    assert set(granted) <= set(agreed["data"]["viewer"]["scopes"])
    assert not any("phone" in key or "authorization" in key for key in granted)
    assert (scope == "none") == (granted == [])


@pytest.mark.clause("C8")
async def test_a_withheld_member_cannot_be_told_from_none(twins: Twins, line: Line) -> None:
    """Withheld, another partner's, a member's own, made up, of another form: the same bytes."""
    agreement = twins.agreements[0]
    async with owner(twins.left.database) as connection:
        withheld = await connection.fetchval(
            "SELECT p.subject FROM pairwise_subject p JOIN agreement a ON a.partner_id = p.partner_id"
            " WHERE a.id = $1 AND NOT EXISTS (SELECT FROM share s WHERE s.subject = p.subject) LIMIT 1",
            agreement,
        )
        foreign = await connection.fetchval(
            "SELECT subject FROM share WHERE agreement_id = $1 LIMIT 1", twins.agreements[1]
        )
        own = await connection.fetchval(
            "SELECT subject FROM share WHERE agreement_id = $1 LIMIT 1", agreement
        )
    asked = [
        str(withheld), str(foreign), str(twins.members[0]), "00000000-0000-4000-8000-000000000000",
        str(own).upper(), f"{{{own}}}", f" {own}", str(own).replace("-", ""), "", "0", "' OR 1=1 --",
    ]  # fmt: skip
    assert withheld is not None
    answers = [await line.ask(LOOK_UP, token(twins, "partner alder all"), variables={"id": i}) for i in asked]

    assert answers[0].json == {"data": {"member": None}}
    assert all(shape(answer) == shape(answers[0]) for answer in answers)


@pytest.mark.clause("C8")
@pytest.mark.parametrize("caller", ["alder all", "birch all", "birch profile", "daphne profile"])
@pytest.mark.parametrize("field", ["region", "ageBand", "interests"])
async def test_a_filter_finds_exactly_those_whose_value_is_shown(
    twins: Twins, line: Line, caller: str, field: str
) -> None:
    """A filter that found one more would tell a value that the member withholds."""
    bearer = token(twins, f"partner {caller}")
    shown = await everything(line, bearer, f"id {field}")
    values: Counter[str] = Counter()
    for node in shown:
        value = node[field]
        values.update(value if isinstance(value, list) else [] if value is None else [value])
    assert len(values) > 2
    kind = "[AgeBand!]" if field == "ageBand" else "[String!]"
    query = (
        f"query($v: {kind}) {{ members(first: 500, where: {{{field}: $v}})"
        " { totalCount edges { node { id } } } }"
    )
    for value, count in values.items():
        members = (await line.ask(query, bearer, variables={"v": [value]})).json["data"]["members"]
        assert members["totalCount"] == count == len(members["edges"]), value
    found = (await line.ask(query, bearer, variables={"v": list(values)})).json["data"]["members"]["edges"]
    assert {edge["node"]["id"] for edge in found} == {node["id"] for node in shown if node[field]}


async def test_a_cursor_opens_only_for_whom_and_what_it_was_made(twins: Twins, line: Line) -> None:
    alder, birch = token(twins, "partner alder all"), token(twins, "partner birch all")
    page = "query($after: String) {{ members(first: 3, after: $after{0}) {{ edges {{ cursor }} }} }}"
    cursor = (await line.ask(page.format(""), alder)).json["data"]["members"]["edges"][1]["cursor"]
    tampered = [
        cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1 :] for i in range(0, len(cursor), 3)
    ]
    refused = [
        await line.ask(page.format(""), birch, variables={"after": cursor}),
        await line.ask(page.format(', where: {region: ["GB"]}'), alder, variables={"after": cursor}),
        await line.ask(
            "query($after: String) { me { orders(after: $after) { totalCount } } }",
            token(twins, "member busy"),
            variables={"after": cursor},
        ),
        *[
            await line.ask(page.format(""), alder, variables={"after": wrong})
            for wrong in (
                *tampered,
                cursor + "=",
                cursor + "A",
                cursor[:-1],
                cursor[::-1],
                "",
                "A" * 600,
                "🔑",
            )
        ],
    ]

    assert (await line.ask(page.format(""), alder, variables={"after": cursor})).codes == []
    assert all(answer.codes == ["BAD_CURSOR"] for answer in refused)
    assert len({answer.json["errors"][0]["message"] for answer in refused}) == 1


@pytest.mark.parametrize("caller", ["partner birch all", "partner birch none", "member first", "visitor"])
async def test_what_a_contract_lacks_leaves_no_trace(twins: Twins, line: Line, caller: str) -> None:
    """A field of a wider contract and one of no contract at all get the same words, and no suggestion."""
    bearer = twins.tokens[caller]
    for parent, real, invented in (
        ("{{ members {{ edges {{ node {{ {0} }} }} }} }}", "birthDate", "birthDatf"),
        ("{{ members {{ edges {{ node {{ {0} }} }} }} }}", "usernames", "usernamef"),
        ("{{ me {{ {0} }} }}", "phoneNumber", "phoneNumbex"),
        ("{{ {0} }}", "disclosures", "disclosurex"),
        ('{{ __type(name: "{0}") {{ name }} }}', "SealedPhone", "SealedPhonx"),
        ("query($x: {0}) {{ viewer {{ audience }} }}", "Credential", "Credentiax"),
        ("{{ ... on {0} {{ id }} }}", "BillingToken", "BillingTokex"),
        ("{{ viewer @{0} {{ audience }} }}", "internal", "internax"),
    ):
        answers = [await line.ask(parent.format(name), bearer) for name in (real, invented)]
        words = [
            answer.body.replace(name.encode(), b"?")
            for answer, name in zip(answers, (real, invented), strict=True)
        ]
        assert words[0] == words[1]
        assert b"mean" not in words[0]


def many(text: str, count: int) -> str:
    """`text` so often, each with its number."""
    return " ".join(text.format(i, i + 1) for i in range(count))


COSTLY = {
    "{ " + many("a{0}: members(first: 500) {{ totalCount }}", 1_000) + " }": "TOO_MANY_TOKENS",
    "{ " + many("a{0}: members {{ totalCount }}", 60) + " }": "TOO_MANY_ALIASES",
    "{ members(first: 500) { edges { node { " + many("a{0}: id", 45) + " } } } }": "TOO_COSTLY",
    "{ members { edges { node { " + "id " * 2_000 + "} } } }": "TOO_MANY_TOKENS",
    "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }": "GRAPHQL_VALIDATION_FAILED",
    "{ ...F0 } "
    + many("fragment F{0} on Query {{ ...F{1} a{0}: __typename ...F{1} }}", 30)
    + " fragment F30 on Query { b: __typename }": "TOO_MANY_ALIASES",
    "{ __schema { types "
    + "{ fields { type " * 20
    + "{ name }"
    + " } }" * 20
    + " } }": "TOO_MUCH_INTROSPECTION",
    "{ viewer " + "@include(if: true) " * 200 + "{ audience } }": "TOO_MANY_DIRECTIVES",
    "{ a" * 600 + " b" + " }" * 600: "TOO_DEEP",
    "#" + "x" * 99_000: "GRAPHQL_PARSE_FAILED",
}


@pytest.mark.parametrize("query", COSTLY, ids=[f"{n} {code}" for n, code in enumerate(COSTLY.values())])
async def test_a_costly_document_is_refused_before_it_costs(twins: Twins, line: Line, query: str) -> None:
    answer = await line.ask(query, token(twins, "partner alder all"))

    assert answer.status == 400
    assert COSTLY[query] in answer.codes


@pytest.mark.parametrize("field", ["region", "interests"])
async def test_a_filter_of_thousands_of_values_is_refused(twins: Twins, line: Line, field: str) -> None:
    """Each is compared with each value of each member: a request would keep the database busy for seconds."""
    query = f"query($v: [String!]) {{ members(where: {{{field}: $v}}) {{ totalCount }} }}"
    bearer = token(twins, "partner alder all")
    answers = [
        await line.ask(query, bearer, variables={"v": [f"v{i}" for i in range(count)]})
        for count in (100, 101, 9_000)
    ]

    assert [answer.codes for answer in answers] == [[], ["FILTER_SIZE"], ["FILTER_SIZE"]]


ARGUMENTS = (
    ("query($v: String) { members(after: $v) { totalCount } }", "zzz"),
    ("query($v: [String!]) { members(where: {region: $v}) { totalCount } }", ["zzz"]),
    ("query($v: [String!]) { members(where: {interests: $v}) { totalCount } }", ["zzz"]),
    ("query($v: [AgeBand!]) { members(where: {ageBand: $v}) { totalCount } }", ["zzz"]),
    ("query($v: DateTime) { members(where: {changedSince: $v}) { totalCount } }", "zzz"),
    ("query($v: Int) { members(first: $v) { totalCount } }", "zzz"),
    ("query($v: ID!) { member(id: $v) { id } }", "zzz"),
)


@pytest.mark.parametrize(("query", "harmless"), ARGUMENTS)
async def test_no_argument_reaches_the_database_as_text(
    twins: Twins, line: Line, query: str, harmless: Any
) -> None:
    bearer = token(twins, "partner alder all")
    expected = shape(await line.ask(query, bearer, variables={"v": harmless}))
    for text in INJECTIONS:
        given = [text] if isinstance(harmless, list) else text
        assert shape(await line.ask(query, bearer, variables={"v": given})) == expected, text


@pytest.mark.clause("C12")
async def test_a_member_reads_nobody_else(twins: Twins, line: Line) -> None:
    """Not by a cursor, an id or an agreement: what is named belongs to whoever asks, or is nothing."""
    busy, phones = token(twins, "member busy"), token(twins, "member with phones")
    orders = "query($after: String) { me { id orders(first: 1, after: $after) { edges { cursor } } } }"
    mine = (await line.ask(orders, busy)).json["data"]["me"]
    stolen = await line.ask(orders, phones, variables={"after": mine["orders"]["edges"][0]["cursor"]})
    assert stolen.codes == ["BAD_CURSOR"]
    preview = "query($a: ID!) { previewAsPartner(agreement: $a) { id name email } }"
    async with owner(twins.left.database) as connection:
        for bearer in (busy, phones):
            me = (await line.ask("{ me { id } }", bearer)).json["data"]["me"]["id"]
            for agreement in twins.agreements:
                shown = (await line.ask(preview, bearer, variables={"a": str(agreement)})).json["data"]
                subject = await connection.fetchval(
                    "SELECT subject FROM share WHERE agreement_id = $1 AND member_id = $2", agreement, me
                )
                assert (shown["previewAsPartner"] or {}).get("id") == (str(subject) if subject else None)
    for wrong in (str(NOW), mine["id"], "", "' OR 1=1"):
        assert (await line.ask(preview, busy, variables={"a": wrong})).json == {
            "data": {"previewAsPartner": None}
        }
