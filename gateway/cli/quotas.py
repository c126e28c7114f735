"""`gateway agreement quota` and `gateway client quota`: how much a partner may use, and has used.

Without an option they only show. A change counts in every replica within a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final
from uuid import UUID

import typer

from gateway.cli.office import Office, in_office, parse_id
from gateway.quotas import quota_settings
from policies.quotas import QuotaHolder
from resolvers.officers.quotas import read_quota, set_quota
from resolvers.quotas import QuotaView
from schema.errors import InputError
from schema.vocabulary import QuotaUnit

Requests = Annotated[
    int | None, typer.Option("--requests-per-minute", help="At most so many requests.", min=0, metavar="N")
]
Members = Annotated[
    int | None,
    typer.Option("--members-per-day", help="At most so many members delivered.", min=0, metavar="N"),
]
Reset = Annotated[bool, typer.Option("--reset", help="Let the settings hold again where no number is given.")]

_WORDS: Final[Mapping[QuotaUnit, str]] = {
    QuotaUnit.REQUESTS: "requests per minute",
    QuotaUnit.MEMBERS: "members per day",
}


def agreement_quota_command(
    agreement: Annotated[str, typer.Argument(metavar="ID", help="As `gateway agreement list` prints it.")],
    requests: Requests = None,
    members: Members = None,
    reset: Reset = False,
) -> None:
    """Show or set what all clients of an agreement together may use."""
    for line in _quota(parse_id(agreement), "", requests, members, reset=reset):
        typer.echo(line)


def client_quota_command(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT_ID")],
    requests: Requests = None,
    members: Members = None,
    reset: Reset = False,
) -> None:
    """Show or set what one client may use, within what its agreement may."""
    if not client_id:
        raise InputError("`CLIENT_ID` is empty: see `gateway client list`")
    for line in _quota(None, client_id, requests, members, reset=reset):
        typer.echo(line)


def _quota(
    agreement_id: UUID | None, client_id: str, requests: int | None, members: int | None, *, reset: bool
) -> Sequence[str]:
    given = {QuotaUnit.REQUESTS: requests, QuotaUnit.MEMBERS: members}

    async def work(office: Office) -> Sequence[str]:
        changes = {unit: allowed for unit, allowed in given.items() if reset or allowed is not None}
        if changes:
            views = await set_quota(
                office.desk, agreement_id=agreement_id, client_id=client_id, allowed=changes
            )
        else:
            views = await read_quota(office.desk, agreement_id=agreement_id, client_id=client_id)
        holder = QuotaHolder.CLIENT if client_id else QuotaHolder.AGREEMENT
        settings = quota_settings(office.settings)
        return [_describe(view, settings[holder, view.key.unit]) for view in views]

    return in_office(work)


def _describe(view: QuotaView, setting: int | None) -> str:
    if view.allowed is not None:
        limit = f"{view.allowed}"
    else:
        limit = "no limit (setting)" if setting is None else f"{setting} (setting)"
    return f"{_WORDS[view.key.unit]}: {limit}, {view.taken} taken"
