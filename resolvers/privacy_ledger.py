"""The ledger of privacy budgets, which all replicas share.

INVARIANT (never-overspent): `spent` of an account rises by one atomic statement, which changes nothing where
less is left than is wanted, in the transaction that stores the answer. So an answer exists only if it was
paid for, by whoever asked and of what everyone together may learn; what was paid stays paid.

Who spends of two accounts takes them in the order of the names here: nobody waits for each other.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from policies.privacy_budget import PrivacyBudget, Thousandths, begins_at, month_after
from resolvers.connection import Link

INTERNAL: Final = "INTERNAL"
"""The account of the company's own officers."""

EVERYONE: Final = "EVERYONE"
"""The account of all that was released, whoever asked. Taken last."""


def account_of(agreement_id: UUID | None) -> str:
    """The account of an agreement; None for the company itself."""
    return INTERNAL if agreement_id is None else str(agreement_id)


async def hold(connection: Link, period: date, account: str) -> None:
    """Keep everybody else off this account until the transaction ends."""
    await connection.execute(
        "INSERT INTO aggregate_ledger AS held (period, account, spent) VALUES ($1, $2, 0)"
        " ON CONFLICT (period, account) DO UPDATE SET spent = held.spent",
        period,
        account,
    )


async def spend(
    connection: Link, period: date, account: str, wanted: Thousandths, allowed: Thousandths
) -> bool:
    """Whether so much was left of the account, and is spent now. The account is held until the commit."""
    await hold(connection, period, account)
    done = await connection.fetchval(
        "UPDATE aggregate_ledger SET spent = spent + $3"
        " WHERE period = $1 AND account = $2 AND spent + $3 <= $4 RETURNING true",
        period,
        account,
        wanted,
        allowed,
    )
    return done is True


async def read_budget(connection: Link, period: date, account: str, allowed: Thousandths) -> PrivacyBudget:
    """What the account has in that month."""
    spent = await connection.fetchval(
        "SELECT spent FROM aggregate_ledger WHERE period = $1 AND account = $2", period, account
    )
    return PrivacyBudget(allowed, Thousandths(spent or 0), begins_at(month_after(period)))
