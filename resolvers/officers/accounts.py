"""Officers' accounts, and the log of what officers did."""

from __future__ import annotations

from collections.abc import Sequence

from policies.officers import Act, Channel, Role
from resolvers.commands import officer_accounts
from resolvers.commands.officer_accounts import OfficerView
from resolvers.desk import Desk, list_actions
from resolvers.tokens import SealedTokens


async def create_officer(
    desk: Desk, tokens: SealedTokens, *, name: str, display_name: str, roles: Sequence[Role]
) -> str:
    """Make an account, and return the code that enrols it: it is nowhere else."""
    await desk.act(Act.OFFICER_CHANGE, f"officer {name}")
    return await officer_accounts.create_officer(
        desk.connection,
        tokens,
        name=name,
        display_name=display_name,
        roles=roles,
        by_contract=_by_contract(desk),
        now=desk.now,
    )


async def list_officers(desk: Desk) -> Sequence[OfficerView]:
    """Every account, by name."""
    await desk.act(Act.OFFICER_READ)
    return await officer_accounts.list_officers(desk.connection)


async def change_roles(desk: Desk, name: str, roles: Sequence[Role]) -> OfficerView:
    """Give an officer these roles in place of those before."""
    await desk.act(Act.OFFICER_CHANGE, f"officer {name}")
    return await officer_accounts.change_roles(desk.connection, name, roles, by_contract=_by_contract(desk))


async def disable_officer(desk: Desk, name: str) -> None:
    """Let an officer sign in no more, and end every session."""
    await desk.act(Act.OFFICER_CHANGE, f"officer {name}")
    await officer_accounts.disable_officer(
        desk.connection, name, by_contract=_by_contract(desk), now=desk.now
    )


async def reset_factor(desk: Desk, tokens: SealedTokens, name: str) -> str:
    """Enrol an officer anew, and return the code for it."""
    await desk.act(Act.OFFICER_CHANGE, f"officer {name}")
    return await officer_accounts.reset_factor(
        desk.connection, tokens, name, by_contract=_by_contract(desk), now=desk.now
    )


__all__ = [
    "change_roles",
    "create_officer",
    "disable_officer",
    "list_actions",
    "list_officers",
    "reset_factor",
]


def _by_contract(desk: Desk) -> bool:
    """Whoever is at the command line holds the keys of everything, and is always there."""
    return desk.officer.channel is Channel.CONTRACT
