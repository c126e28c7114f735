"""When a deletion is owed, as a table: what happens, and what the partner has to delete then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import pytest

from gateway.app import Product
from gateway.database import Database
from policies.matrix import Matrix
from resolvers.commands.agreement_changes import narrow_agreement
from resolvers.commands.partners import set_agreement_status
from resolvers.commands.stopping import owe_expired, withdraw_ended
from resolvers.connection import Link
from resolvers.shares import decide_again, refresh_shares
from schema.categories import categories_of
from schema.vocabulary import AgreementStatus
from tests import world
from tests.feeds import erase, leave, rename

ACME: Final = world.AGREEMENTS["acme"].id
ADA: Final = world.person("ada").id
EMAIL: Final = "user.contact.email"
REGION: Final = "user.location.imprecise"
ALL: Final = frozenset({"all"})
"""Everything that was open of her."""


@dataclass
class Scene:
    link: Link
    matrix: Matrix
    now: datetime = world.NOW


Act: TypeAlias = Callable[[Scene], Awaitable[object]]


def choice(direction: str, *categories: str) -> Act:
    async def act(scene: Scene) -> None:
        await scene.link.execute(
            "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, categories)"
            " VALUES (gen_random_uuid(), $1, $2, $2, $3, 'PROFILE_PAGE', $4)",
            ADA,
            scene.now,
            direction,
            list(categories) or None,
        )
        await refresh_shares(scene.link, scene.matrix, now=scene.now, members=[ADA])

    return act


def status(wanted: AgreementStatus) -> Act:
    return lambda scene: set_agreement_status(
        scene.link, scene.matrix, agreement_id=ACME, status=wanted, now=scene.now
    )


def dates(column: str, days: int) -> Act:
    return lambda scene: scene.link.execute(
        f"UPDATE agreement SET {column} = $2 WHERE id = $1",
        ACME,
        scene.now + timedelta(days=days),
    )


async def corrected(scene: Scene) -> None:
    await rename(scene.link, scene.matrix, "ada", "Augusta")


async def left(scene: Scene) -> None:
    await leave(scene.link, scene.matrix, "ada")


async def erased(scene: Scene) -> None:
    await erase(scene.link, "ada")


async def narrowed(scene: Scene) -> None:
    await narrow_agreement(scene.link, scene.matrix, agreement_id=ACME, categories=[REGION], now=scene.now)


async def another_policy(scene: Scene) -> None:
    """One that opens nothing."""
    masks = dict.fromkeys(scene.matrix._masks, 0)
    await decide_again(scene.link, replace(scene.matrix, digest="another", _masks=masks), now=scene.now)


async def upkeep(scene: Scene) -> None:
    await withdraw_ended(lambda: nullcontext(scene.link), scene.matrix, lambda: scene.now)
    await owe_expired(scene.link, scene.now)


OUT, IN, NO_EMAIL = choice("OUT"), choice("IN"), choice("OUT", EMAIL)
ENDED, SUSPENDED, LIFTED = (
    status(AgreementStatus.ENDED),
    status(AgreementStatus.SUSPENDED),
    status(AgreementStatus.ACTIVE),
)

TABLE: Final[dict[str, tuple[tuple[Act, ...], frozenset[str]]]] = {
    "nothing": ((), frozenset()),
    "she refuses": ((OUT,), ALL),
    "she refuses a part": ((NO_EMAIL,), frozenset({EMAIL})),
    "she refuses one part, then another": ((NO_EMAIL, choice("OUT", REGION)), frozenset({EMAIL, REGION})),
    "she refuses and agrees again": ((OUT, IN), frozenset()),
    "she refuses all and agrees to a part": ((OUT, choice("IN", EMAIL)), frozenset({"all but email"})),
    "a correction": ((corrected,), frozenset()),
    "she leaves": ((left,), ALL),
    "she is erased": ((left, erased), ALL | {"id"}),
    "she is erased long after she refused": ((OUT, left, erased), ALL | {"id"}),
    "a category is taken back": ((narrowed,), frozenset({REGION})),
    "another policy": ((another_policy,), ALL),
    "it ends": ((ENDED,), ALL),
    "it ends before its first moment": ((dates("valid_from", 30), ENDED), frozenset()),
    "she refuses before its first moment": ((dates("valid_from", 30), OUT), frozenset()),
    "its last moment is to come": ((dates("valid_until", 30), upkeep), frozenset()),
    "its last moment passes": ((dates("valid_until", 1), upkeep), ALL),
    "a suspension": ((SUSPENDED,), frozenset()),
    "a suspension is lifted": ((SUSPENDED, LIFTED), frozenset()),
    "she refuses a part while it is suspended": ((SUSPENDED, NO_EMAIL), frozenset()),
    "she refused a part, and it is lifted": ((SUSPENDED, NO_EMAIL, LIFTED), frozenset({EMAIL})),
    "a suspended one ends": ((SUSPENDED, ENDED), ALL),
    "suspended twice, it ends": ((SUSPENDED, LIFTED, SUSPENDED, ENDED), ALL),
    "she refuses a part, it is suspended, it ends": ((NO_EMAIL, SUSPENDED, ENDED), ALL),
    "its last moment passes while suspended": ((dates("valid_until", 2), SUSPENDED, upkeep), ALL),
    "erased while it is suspended": ((SUSPENDED, left, erased), ALL | {"id"}),
}


@pytest.mark.clause("C8", "C11")
@pytest.mark.parametrize("case", TABLE)
async def test_what_is_owed(read_only_world: Database, product: Product, case: str) -> None:
    acts, expected = TABLE[case]
    async with read_only_world.connection() as link:
        transaction = link.transaction()
        await transaction.start()
        try:
            await link.execute("DELETE FROM deletion")
            mask = await link.fetchval(
                "SELECT mask FROM share WHERE agreement_id = $1 AND member_id = $2", ACME, ADA
            )
            everything = {key.value for key in categories_of(mask)}
            scene = Scene(link, product.matrix)
            for act in acts:
                scene.now += timedelta(days=1)
                await act(scene)
            row = await link.fetchrow(
                "SELECT mask, erased FROM deletion WHERE agreement_id = $1 AND subject = $2"
                " AND confirmed_at IS NULL",
                ACME,
                world.subject("acme", "ada"),
            )
        finally:
            await transaction.rollback()
    wanted = set(expected - {"all", "all but email", "id"})
    if "all" in expected:
        wanted = everything
    if "all but email" in expected:
        wanted = everything - {EMAIL}
    owed = set() if row is None else {key.value for key in categories_of(row["mask"])}
    assert owed == wanted
    assert (row is not None and row["erased"]) is ("id" in expected)
