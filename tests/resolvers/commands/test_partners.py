from __future__ import annotations

import pytest

from gateway.app import Product
from gateway.database import Database
from resolvers.commands.partners import OPENED_BY_CASE, create_agreement, create_partner
from schema.categories import Basis, Purpose
from schema.errors import InputError
from schema.vocabulary import AgreementStatus
from tests.world import NOW


@pytest.mark.clause("C8")
@pytest.mark.parametrize("basis", sorted(OPENED_BY_CASE))
async def test_what_a_case_opens_no_standing_agreement_does(
    database: Database, product: Product, basis: Basis
) -> None:
    async with database.transaction() as connection:
        await create_partner(connection, name="court", display_name="Court", now=NOW)
        with pytest.raises(InputError, match="opened for a case"):
            await create_agreement(
                connection,
                product.matrix,
                partner="court",
                basis=basis,
                purpose=Purpose.LEGAL_OBLIGATION,
                categories=["user.name"],
                valid_from=NOW,
                valid_until=None,
                status=AgreementStatus.ACTIVE,
                now=NOW,
            )
        assert await connection.fetchval("SELECT count(*) FROM agreement") == 0


@pytest.mark.clause("C8")
async def test_an_agreement_under_which_the_policy_shares_nothing_is_not_made(
    database: Database, product: Product
) -> None:
    async with database.transaction() as connection:
        await create_partner(connection, name="acme", display_name="Acme", now=NOW)
        with pytest.raises(InputError, match="the policy shares none of these"):
            await create_agreement(
                connection,
                product.matrix,
                partner="acme",
                basis=Basis.MARKETING,
                purpose=Purpose.JOINT_SERVICE,
                categories=["user.name"],
                valid_from=NOW,
                valid_until=None,
                status=AgreementStatus.DRAFT,
                now=NOW,
            )
