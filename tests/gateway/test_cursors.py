from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursors import MAX_CURSOR, SealedCursors
from resolvers.binding import Binding, SlotValues, position_value
from schema.errors import CursorError
from tests import world
from tests.asking import Asking

CODEC = SealedCursors(bytes(range(64)))
HERE = b"this caller, this list, this filter"
POSITION = [datetime(2026, 5, 1, 10, 0, 0, 123456, UTC), UUID(int=7)]
CURSOR = CODEC.encode(HERE, POSITION)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

positions = st.lists(st.uuids() | st.datetimes(timezones=st.just(UTC)), min_size=1, max_size=3)


@given(scope=st.binary(max_size=80), position=positions)
def test_a_position_comes_back_as_it_went_in(scope: bytes, position: list[Any]) -> None:
    texts = CODEC.decode(scope, CODEC.encode(scope, position))
    binding = Binding({}, datetime.now(UTC), [SlotValues({}, position=texts)])
    assert [position_value(binding, 0, i, type(value)) for i, value in enumerate(position)] == position


@given(position=positions)
def test_the_same_position_gives_the_same_cursor_within_the_longest(position: list[Any]) -> None:
    cursor = CODEC.encode(HERE, position)
    assert cursor == CODEC.encode(HERE, position)
    assert len(cursor) <= MAX_CURSOR


@given(scope=st.binary(max_size=80).filter(lambda scope: scope != HERE))
def test_a_cursor_of_another_scope_does_not_open(scope: bytes) -> None:
    with pytest.raises(CursorError):
        CODEC.decode(scope, CURSOR)


@given(position=st.integers(0, len(CURSOR) - 1), letter=st.sampled_from(_ALPHABET))
def test_a_cursor_with_one_other_letter_does_not_open(position: int, letter: str) -> None:
    altered = CURSOR[:position] + letter + CURSOR[position + 1 :]
    if altered != CURSOR:
        with pytest.raises(CursorError):
            CODEC.decode(HERE, altered)


def _other_last_bits() -> str:
    """The same bytes in another spelling: the last letter's unused bits set."""
    short = next(c for n in range(3) if len(c := CODEC.encode(HERE, ["x" * n])) % 4)
    last = _ALPHABET.index(short[-1])
    return short[:-1] + _ALPHABET[last | 1 if not last & 1 else last & ~1]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        CURSOR + "=",
        CURSOR + "==",
        CURSOR[:-1],
        CURSOR[1:],
        CURSOR[:20],
        f" {CURSOR}",
        f"{CURSOR}\n",
        CURSOR + CURSOR,
        "A" * (MAX_CURSOR + 1),
        "é" * 8,
        "\ud800",
        "\0",
        base64.b64encode(base64.urlsafe_b64decode(CURSOR + "=" * (-len(CURSOR) % 4))).decode() + "+/",
        SealedCursors(bytes(64)).encode(HERE, POSITION),
        "4155550132",
        _other_last_bits(),
    ],
)
def test_what_is_no_cursor_of_ours_is_refused_without_an_echo(cursor: str) -> None:
    with pytest.raises(CursorError) as caught:
        CODEC.decode(HERE, cursor)
    message = str(caught.value)
    assert message == "`after` is not a cursor of this list: pass an `endCursor` you were given for it"


@pytest.mark.parametrize(
    ("texts", "kind"),
    [(["no-uuid"], UUID), (["yesterday"], datetime), ([], UUID), ([7], UUID), (["x"], int), (None, UUID)],
)
def test_a_position_that_the_list_is_not_ordered_by_is_refused(texts: Any, kind: type) -> None:
    binding = Binding({}, datetime.now(UTC), [SlotValues({}, position=texts)])
    with pytest.raises(CursorError):
        position_value(binding, 0, 0, kind)


# -- through the engine

_PAGE = "query($a: String) { members(first: 2, after: $a) { pageInfo { endCursor } edges { node { id } } } }"
_FILTERED = (
    "query($a: String, $r: [String!]) { members(first: 2, after: $a, where: { region: $r })"
    " { pageInfo { endCursor } } }"
)
_ORDERS = "query($a: String) { me { orders(first: 1, after: $a) { pageInfo { endCursor } } } }"
_CARTS = "query($a: String) { me { carts(first: 1, after: $a) { pageInfo { endCursor } } } }"
_LINES = (
    "query($a: String) { me { orders { edges { node { lines(first: 1, after: $a)"
    " { pageInfo { endCursor } } } } } } }"
)

FOREIGN = [
    ("another partner's", "acme", _PAGE, {}, "bolt", _PAGE, {}),
    ("another agreement's of the same partner", "acme", _PAGE, {}, "acme-suspended", _PAGE, {}),
    ("of no filter", "acme", _PAGE, {}, "acme", _FILTERED, {"r": ["US-CA"]}),
    ("of a filter, without it", "acme", _FILTERED, {"r": ["US-CA"]}, "acme", _PAGE, {}),
    ("of another filter", "acme", _FILTERED, {"r": ["US-CA"]}, "acme", _FILTERED, {"r": ["FR"]}),
    ("of another list", "ada", _ORDERS, {}, "ada", _CARTS, {}),
    ("of a list below", "ada", _ORDERS, {}, "ada", _LINES, {}),
    ("another member's", "ada", _ORDERS, {}, "ben", _ORDERS, {}),
    ("a partner's, to a member", "acme", _PAGE, {}, "ada", _ORDERS, {}),
]


def _end_cursor(data: Any) -> str:
    page = data.get("members") or data["me"]["orders"]
    cursor = page["pageInfo"]["endCursor"]
    assert isinstance(cursor, str)
    return cursor


@pytest.mark.clause("C8")
@pytest.mark.parametrize(
    ("giver", "given_for", "with_", "taker", "used_for", "used_with"),
    [row[1:] for row in FOREIGN],
    ids=[row[0] for row in FOREIGN],
)
async def test_a_cursor_opens_only_for_whom_and_what_it_was_given(
    asking: Asking,
    giver: str,
    given_for: str,
    with_: dict[str, Any],
    taker: str,
    used_for: str,
    used_with: dict[str, Any],
) -> None:
    first = await asking.ask(world.CALLERS[giver].principal, given_for, with_)
    cursor = _end_cursor(first.data)
    reply = await asking.both(world.CALLERS[taker].principal, used_for, {**used_with, "a": cursor})
    assert reply.codes == ["BAD_CURSOR"]
    assert cursor.encode() not in reply.body
    assert reply.statements == ()


async def test_walking_all_pages_shows_every_member_once(asking: Asking) -> None:
    acme = world.CALLERS["acme"].principal
    seen: list[str] = []
    cursor = None
    while True:
        page = (await asking.both(acme, _PAGE, {"a": cursor})).data["members"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
        if cursor is None:
            break
    everybody = (await asking.ask(acme, "{ members { edges { node { id } } } }")).data["members"]["edges"]
    assert seen == [edge["node"]["id"] for edge in everybody]
    assert len(set(seen)) == len(seen) == 8


async def test_walking_the_shares_shows_every_agreement_once(asking: Asking) -> None:
    """Two agreements of one partner have the same pairwise id: an order by it alone would lose one."""
    ada = world.CALLERS["ada"].principal
    document = (
        "query($a: String) { me { shares(first: 1, after: $a) { totalCount pageInfo { endCursor }"
        " edges { node { agreement { id } } } } } }"
    )
    seen: list[str] = []
    cursor = None
    while True:
        page = (await asking.both(ada, document, {"a": cursor})).data["me"]["shares"]
        seen += [edge["node"]["agreement"]["id"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == page["totalCount"] == 3
