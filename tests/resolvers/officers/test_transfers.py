"""A transfer of the business (C8 c): announced first, begun by itself, never of members under 18."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.upkeep import Upkeep
from policies.agreement import AgreementTerms
from policies.officers import Channel, Officer, Role
from policies.principal import PartnerPrincipal
from resolvers.callers import read_client
from resolvers.commands.agreement_changes import Changes
from resolvers.commands.clients import create_client
from resolvers.desk import Desk
from resolvers.officers.agreements import change_agreement
from resolvers.officers.transfers import (
    approve_transfer,
    cancel_transfer,
    list_transfers,
    open_transfer,
    show_transfer,
)
from resolvers.transfers import TransferStatus
from schema.errors import ForbiddenError, InputError, NotFoundError
from tests import world
from tests.asking import Asking
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

DAY = timedelta(days=1)
SOON, LATE = world.NOW + 5 * DAY, world.NOW + 60 * DAY
NOTICE_DAYS = 30
ADA = world.member("ada").principal
ADULTS = {"ada", "ben", "gus", "hal", "ida", "jon", "kim", "lea", "max", "nia"}


async def act(
    asking: Asking, name: str, operation: Callable[..., Awaitable[Any]], *given: Any, **more: Any
) -> Any:
    officer = Officer(name, frozenset({Role.PRIVACY_OFFICER}), Channel.CONTRACT)
    async with asking.database.transaction() as connection:
        desk = Desk(connection, officer, asking.now, lambda: asking.product.matrix)
        return await operation(desk, *given, **more)


async def proposed(asking: Asking, closing_at: Any = SOON) -> UUID:
    found: UUID = await act(
        asking, "olga", open_transfer, acquirer="bolt", closing_at=closing_at, reason="the court's decision"
    )
    return found


async def approved(asking: Asking, closing_at: Any = SOON) -> UUID:
    transfer_id = await proposed(asking, closing_at)
    await act(asking, "otto", approve_transfer, transfer_id, notice_days=NOTICE_DAYS)
    await upkeep(asking)
    return transfer_id


async def upkeep(asking: Asking) -> None:
    await Upkeep(asking.database, lambda: asking.product.matrix, lambda: asking.now).round()


async def principal_of(asking: Asking, transfer_id: UUID) -> PartnerPrincipal:
    agreement = (await act(asking, "olga", show_transfer, transfer_id)).agreement_id
    async with asking.database.transaction() as connection:
        await create_client(connection, client_id="heir-api", agreement_id=agreement, now=asking.now)
        found = await read_client(connection, "heir-api")
    assert found is not None
    terms = found.terms
    assert isinstance(terms, AgreementTerms)
    return PartnerPrincipal(
        terms.partner_id, terms.id, terms.version, "heir-api", "t", terms.basis, terms.purpose, terms.mask
    )


async def seen(asking: Asking, principal: PartnerPrincipal) -> set[str]:
    page = (await asking.ask(principal, "{ members { totalCount edges { node { email } } } }")).data[
        "members"
    ]
    assert page["totalCount"] == len(page["edges"])
    return {edge["node"]["email"].partition("@")[0] for edge in page["edges"]}


@pytest.mark.clause("C8", "C16", "C17")
@pytest.mark.parametrize(
    ("closing_at", "begins"), [(SOON, world.NOW + NOTICE_DAYS * DAY), (LATE, LATE)], ids=["notice", "closing"]
)
async def test_it_begins_at_the_later_of_notice_and_closing_with_members_of_age(
    asking_alone: Asking, closing_at: Any, begins: Any
) -> None:
    asking = asking_alone
    transfer_id = await approved(asking, closing_at)
    heir = await principal_of(asking, transfer_id)
    for moment in (world.NOW, closing_at, begins - timedelta(microseconds=1)):
        if moment < begins:
            asking.now = moment
            assert await seen(asking, heir) == set()
    asking.now = begins
    assert await seen(asking, heir) == ADULTS, (
        "choices have no effect; under 18, unknown, invited, closed: nobody"
    )


@pytest.mark.clause("C8", "C16")
async def test_members_are_told_before_and_can_refuse_by_leaving_only(asking_alone: Asking) -> None:
    asking = asking_alone
    notices = "{ notices { id title basis effectiveAt } }"
    transfer_id = await proposed(asking)
    assert (await asking.ask(ADA, notices)).data["notices"] == [], "one officer announces nothing"
    await act(asking, "otto", approve_transfer, transfer_id, notice_days=NOTICE_DAYS)
    (notice,) = (await asking.ask(ADA, notices)).data["notices"]
    assert (notice["title"], notice["basis"]) == ("Bolt takes over the business", "INSOLVENCY")
    assert notice["effectiveAt"].startswith("2026-12-23")
    answer = await asking.ask(
        ADA,
        f'mutation {{ choose(input: {{direction: OUT, notice: "{notice["id"]}"}}) {{ errors {{ code }} }} }}',
    )
    assert answer.data["choose"]["errors"] == [{"code": "NOT_APPLICABLE"}]
    await upkeep(asking)
    partners = (await asking.ask(ADA, "{ partners { name agreements { basis inForce } } }")).data["partners"]
    (bolt,) = [one for one in partners if one["name"] == "bolt"]
    assert {"basis": "INSOLVENCY", "inForce": False} in bolt["agreements"]


@pytest.mark.clause("C8")
async def test_called_off_before_it_begins_nothing_was_ever_shared(asking_alone: Asking) -> None:
    asking = asking_alone
    transfer_id = await approved(asking)
    heir = await principal_of(asking, transfer_id)
    view = await act(asking, "otto", cancel_transfer, transfer_id)
    assert view.status(asking.now) is TransferStatus.CANCELLED
    await upkeep(asking)
    for moment in (world.NOW, LATE):
        asking.now = moment
        await upkeep(asking)
        assert await seen(asking, heir) == set()
    async with asking.database.connection() as connection:
        for table in ("share", "deletion"):
            count = f"SELECT count(*) FROM {table} WHERE agreement_id = $1"
            assert await connection.fetchval(count, heir.agreement_id) == 0
        assert await connection.fetchval("SELECT withdrawn_at FROM notice WHERE id = $1", view.notice_id)
    with pytest.raises(InputError, match="CANCELLED"):
        await act(asking, "olga", cancel_transfer, transfer_id)
    with pytest.raises(InputError, match="CANCELLED"):
        await act(asking, "olga", approve_transfer, transfer_id, notice_days=NOTICE_DAYS)


@pytest.mark.clause("C8")
async def test_once_begun_it_cannot_be_called_off(asking_alone: Asking) -> None:
    transfer_id = await approved(asking_alone)
    asking_alone.now = world.NOW + NOTICE_DAYS * DAY
    with pytest.raises(InputError, match="EFFECTIVE"):
        await act(asking_alone, "olga", cancel_transfer, transfer_id)


@pytest.mark.clause("C8")
async def test_one_officer_alone_transfers_nothing(asking_alone: Asking) -> None:
    asking = asking_alone
    transfer_id = await proposed(asking)
    with pytest.raises(ForbiddenError, match="another officer"):
        await act(asking, "OLGA", approve_transfer, transfer_id, notice_days=NOTICE_DAYS)
    await upkeep(asking)
    heir = await principal_of(asking, transfer_id)
    with pytest.raises(InputError, match="gateway transfer"):
        await act(asking, "olga", change_agreement, heir.agreement_id, Changes(endless=True))
    asking.now = LATE
    assert await seen(asking, heir) == set()


@pytest.mark.clause("R1", "C8")
async def test_the_acquirer_has_no_field_for_a_telephone_number(asking_alone: Asking) -> None:
    heir = await principal_of(asking_alone, await approved(asking_alone))
    types = asking_alone.contract(heir).schema.type_map.values()
    names = {field for type_ in types for field in getattr(type_, "fields", ())}
    assert {"email", "birthDate", "memberNumber"} <= names
    assert not {name for name in names if "phone" in name.lower() or "password" in name.lower()}


async def test_what_cannot_be_is_refused(asking_alone: Asking) -> None:
    for closing_at in (world.NOW, world.NOW + 2_000 * DAY):
        with pytest.raises(InputError):
            await proposed(asking_alone, closing_at)
    with pytest.raises(NotFoundError):
        await act(asking_alone, "olga", open_transfer, acquirer="nobody", closing_at=SOON, reason="x")
    assert await act(asking_alone, "olga", list_transfers) == []


@pytest.mark.clause("C8")
def test_the_commands_as_two_officers_type_them(office: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    office.done("partner", "create", "heir", "--display-name", "Heir")
    closing = (world.NOW + 900 * DAY).date().isoformat()
    transfer = office.done("transfer", "open", "heir", "--closing", closing, "--reason", "the court").strip()
    assert office.run("transfer", "approve", transfer) == 1
    assert "another officer" in office.err
    monkeypatch.setenv("GATEWAY_OFFICER", "otto")
    assert "ANNOUNCED" in office.done("transfer", "approve", transfer)
    assert "reason      the court\n" in office.done("transfer", "show", transfer)
    assert f"closing {closing}" in office.done("transfer", "list")
    assert "Heir" in office.done("transfer", "show", transfer)
    assert "CANCELLED" in office.done("transfer", "cancel", transfer)
