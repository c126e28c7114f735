"""Least data: no category is shared without the partner's reason and an officer's approval."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.app import Product
from gateway.database import Database
from resolvers.commands.agreement_changes import Changes, change_agreement, narrow_agreement
from resolvers.commands.fetched import report_use
from resolvers.commands.grounds import approve_grounds, read_grounds, state_reasons
from resolvers.commands.partners import create_agreement, set_agreement_status
from resolvers.connection import Link
from schema.categories import Basis, DataCategory, Purpose, mask_of
from schema.errors import FreeTextPhoneError, InputError, NotFoundError
from schema.vocabulary import AgreementStatus
from tests.world import AGREEMENTS, NOW

ACME = AGREEMENTS["acme"].id
LATER = NOW + timedelta(days=1)


async def create(link: Link, product: Product, **other: Any) -> UUID:
    options: dict[str, Any] = {
        "categories": ["user.name", "user.contact.email"],
        "status": AgreementStatus.DRAFT,
        **other,
    }
    agreement_id, _ = await create_agreement(
        link,
        product.matrix,
        partner="acme",
        basis=Basis.STRATEGIC,
        purpose=Purpose.PARTNER_OFFERS,
        valid_from=NOW,
        valid_until=None,
        now=NOW,
        **options,
    )
    return agreement_id


async def activate(link: Link, product: Product, agreement_id: UUID) -> None:
    await set_agreement_status(
        link, product.matrix, agreement_id=agreement_id, status=AgreementStatus.ACTIVE, now=NOW
    )


async def test_a_draft_is_activated_when_every_category_has_its_reason_and_its_approval(
    own_world: Database, product: Product
) -> None:
    async with own_world.transaction() as link:
        draft = await create(link, product, reasons={"user.name": "to address"})
        with pytest.raises(InputError, match=r"`user\.contact\.email`, `user\.name`: each category needs"):
            await activate(link, product, draft)
        assert await approve_grounds(link, draft, ["user.name"], officer="Olga", now=NOW) == ["user.name"]
        with pytest.raises(InputError, match=r"`user\.contact\.email` has no reason"):
            await approve_grounds(link, draft, [], officer="Olga", now=NOW)
        await state_reasons(link, draft, {"user.contact.email": "to write"})
        with pytest.raises(InputError, match=r"^`user\.contact\.email`: each"):
            await activate(link, product, draft)
        await approve_grounds(link, draft, [], officer="Otto", now=LATER)
        await activate(link, product, draft)
        grounds = {ground.category: ground for ground in await read_grounds(link, draft)}
    assert (grounds[DataCategory.NAME].approved_by, grounds[DataCategory.NAME].approved_at) == ("Olga", NOW)
    assert grounds[DataCategory.EMAIL].approved_by == "Otto"


async def test_a_reason_that_changes_is_approved_anew(own_world: Database) -> None:
    async with own_world.transaction() as link:
        await state_reasons(link, ACME, {"user.name": "Needs user.name."})
        assert all(ground.approved_by for ground in await read_grounds(link, ACME))
        await state_reasons(link, ACME, {"user.name": "for something else"})
        unapproved = [ground.category for ground in await read_grounds(link, ACME) if not ground.approved_by]
    assert unapproved == [DataCategory.NAME]


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"status": AgreementStatus.ACTIVE}, InputError),
        ({"status": AgreementStatus.ACTIVE, "officer": "Olga"}, InputError),
        ({"reasons": {"user.location.imprecise": "not named"}}, InputError),
        ({"reasons": {"user.name": " "}}, InputError),
        ({"reasons": {"user.name": "x" * 501}}, InputError),
        ({"reasons": {"user.name": "call 415-555-0132"}}, FreeTextPhoneError),
        ({"officer": "Olga 415-555-0132"}, FreeTextPhoneError),
    ],
)
async def test_what_lacks_grounds_or_may_not_be_shown_is_not_stored(
    own_world: Database, product: Product, other: dict[str, Any], error: type[Exception]
) -> None:
    before = await own_world.app.fetchval("SELECT count(*) FROM agreement")
    with pytest.raises(error):
        async with own_world.transaction() as link:
            await create(link, product, **other)
    assert await own_world.app.fetchval("SELECT count(*) FROM agreement") == before


async def test_a_category_taken_back_is_withdrawn_owed_and_heard_of(
    own_world: Database, product: Product
) -> None:
    async with own_world.transaction() as link:
        changes = await narrow_agreement(
            link, product.matrix, agreement_id=ACME, categories=["user.contact.email"], now=LATER
        )
        with pytest.raises(InputError, match="does not name"):
            await narrow_agreement(
                link, product.matrix, agreement_id=ACME, categories=["user.contact.email"], now=LATER
            )
        row = await link.fetchrow("SELECT version, categories FROM agreement WHERE id = $1", ACME)
        owed = await link.fetch("SELECT mask FROM deletion WHERE agreement_id = $1", ACME)
        heard = await link.fetchval(
            "SELECT count(*) FROM revocation WHERE kind = 'AGREEMENT' AND subject = $1", str(ACME)
        )
        removed = await link.fetchval(
            "SELECT removed_at FROM agreement_category WHERE agreement_id = $1 AND category = $2",
            ACME,
            "user.contact.email",
        )
    assert row is not None
    assert changes.changed == len(owed) > 3
    assert {record["mask"] for record in owed} == {mask_of({DataCategory.EMAIL})}
    assert (row["version"], "user.contact.email" in row["categories"], heard, removed) == (2, False, 1, LATER)


async def test_the_last_category_is_not_taken_back(own_world: Database, product: Product) -> None:
    keys = [key.value for key in AGREEMENTS["acme"].categories]
    with pytest.raises(InputError, match="leave at least one"):
        async with own_world.transaction() as link:
            await narrow_agreement(link, product.matrix, agreement_id=ACME, categories=keys, now=LATER)


async def test_the_report_tells_what_was_granted_and_never_fetched(own_world: Database) -> None:
    """The world's records of acme hold names only, in July."""
    async with own_world.transaction() as link:
        uses = {use.ground.category: use for use in await report_use(link, ACME, NOW - timedelta(days=365))}
        recent = await report_use(link, ACME, NOW - timedelta(days=30))
        with pytest.raises(NotFoundError):
            await report_use(link, NO_AGREEMENT, NOW)
    assert uses.keys() == AGREEMENTS["acme"].categories
    assert (uses[DataCategory.NAME].responses, uses[DataCategory.NAME].fetched) == (2, (DataCategory.NAME,))
    assert uses[DataCategory.NAME].last_at is not None
    assert [key for key, use in uses.items() if use.responses] == [DataCategory.NAME]
    assert not any(use.responses for use in recent)


NO_AGREEMENT = UUID(int=1)


async def test_dates_and_duties_change_within_their_bounds(own_world: Database, product: Product) -> None:
    async def change(**wanted: Any) -> None:
        async with own_world.transaction() as link:
            await change_agreement(
                link, product.matrix, agreement_id=ACME, changes=Changes(**wanted), now=NOW
            )

    await change(valid_until=LATER, deletion_days=10, narrow_after_days=-1, suspend_after_days=3)
    row = await own_world.app.fetchrow("SELECT * FROM agreement WHERE id = $1", ACME)
    assert row is not None
    changed = ("valid_until", "deletion_days", "narrow_after_days", "suspend_after_days", "version")
    assert [row[name] for name in changed] == [LATER, 10, None, 3, 2]
    await change(endless=True)
    assert await own_world.app.fetchval("SELECT valid_until FROM agreement WHERE id = $1", ACME) is None
    for wrong in (
        {"valid_from": LATER},
        {"valid_until": NOW - timedelta(days=9999)},
        {"deletion_days": 0},
        {"deletion_days": -1},
        {"narrow_after_days": 366},
    ):
        with pytest.raises(InputError):
            await change(**wrong)
