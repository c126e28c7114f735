"""Policies as officers deal with them: whom another one would touch, publishing, history, notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.check import Severity, check
from policies.compare import Comparison
from policies.decision_tables import judge, read_tables
from policies.directory import PolicyDirectory, refuse_hidden, refuse_numbers
from policies.engine import load
from policies.officers import Act
from resolvers.desk import Desk, written_reason
from resolvers.policy_effects import (
    ClientDocument,
    Effects,
    Released,
    client_documents,
    count_members,
    released_since,
    touched_members,
)
from resolvers.policy_publishing import (
    NoticeView,
    Order,
    Publication,
    VersionView,
)
from resolvers.policy_publishing import list_notices as notices
from resolvers.policy_publishing import list_versions as versions
from resolvers.policy_publishing import publish as put_in_force
from resolvers.policy_versions import Compile, directory_of_version, require_policy
from schema.errors import PolicyError


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a comparison was held against. None: it was not asked for."""

    effects: Effects | None
    released: Sequence[Released] | None
    documents: Sequence[ClientDocument] | None


async def foresee(
    desk: Desk,
    comparison: Comparison,
    *,
    members: bool,
    since: datetime | None,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Consequences:
    """Whom another policy would touch: every member decided anew, and what partners received since a date.

    Raises:
        ForbiddenError: none of the officer's roles may ask.
    """
    await desk.act(Act.POLICY_READ, "what another policy would change")
    # Deciding every member takes longer than a statement of a request may.
    await desk.connection.execute("SET LOCAL statement_timeout = 0")
    effects = None
    if members:
        total = await count_members(desk.connection)
        effects = await touched_members(
            desk.connection, comparison, desk.now, lambda done: on_progress(done, total)
        )
    if since is None:
        return Consequences(effects, None, None)
    released = await released_since(desk.connection, since)
    return Consequences(effects, released, await client_documents(desk.connection, desk.now))


def require_publishable(directory: PolicyDirectory, compiled: Compile) -> None:
    """Return if the policy may be published: it passes the check, and its own decision tables.

    CLAUSE (C16): nothing is published that would share a sealed category, a member under 18, or what the
    policy's author did not mean.

    Raises:
        PolicyError: one line for each fault.
    """
    refuse_hidden(directory.files)
    refuse_numbers(directory)
    faults = [f.message for f in check(directory.source) if f.severity is Severity.ERROR]
    if faults:
        raise PolicyError("\n".join(faults))
    rows = read_tables(directory.tables)
    if not rows:
        raise PolicyError(
            "the policy has no decision tables: write `decisions/NAME.yaml`, see docs/policy.md"
        )
    fallen = [
        f"{each.row.name}: expected {each.row.expect} ({each.row.reason}), and it is"
        f" {each.verdict} ({each.reason})"
        for each in judge(load(directory.source), compiled(directory.source), rows)
        if not each.holds
    ]
    if fallen:
        raise PolicyError("\n".join(fallen))


async def publish(
    desk: Desk,
    directory: PolicyDirectory,
    *,
    notice_days: int,
    effective_at: datetime | None,
    mailed: bool,
    compiled: Compile,
    reason: str | None = None,
) -> Publication:
    """Publish a policy. What it newly opens is announced, and opens when the notice period is over.

    Raises:
        ForbiddenError: none of the officer's roles may.
        InputError: a number is out of bounds, or it is the policy in force.
        PolicyError: it may not be used, or a row of its tables falls otherwise.
    """
    await desk.act(Act.POLICY_PUBLISH, f"policy {directory.title}", reason=reason)
    await _prepare(desk, directory, compiled)
    why = None if reason is None else written_reason(reason)
    order = Order(directory, desk.officer.name, notice_days, effective_at, mailed, reason=why)
    return await put_in_force(desk.connection, compiled, order, desk.now)


async def roll_back(
    desk: Desk,
    number: int,
    *,
    notice_days: int,
    mailed: bool,
    compiled: Compile,
    reason: str | None = None,
) -> Publication:
    """Publish an earlier version anew. It is a publication like any other: what it opens again is announced.

    Raises:
        ForbiddenError: none of the officer's roles may.
        InputError: it is the policy in force.
        NotFoundError: there is no such version.
        PolicyError: it may not be used any more.
    """
    await desk.act(Act.POLICY_PUBLISH, f"policy version {number}, again", reason=reason)
    directory = await directory_of_version(desk.connection, number)
    await _prepare(desk, directory, compiled)
    why = None if reason is None else written_reason(reason)
    order = Order(directory, desk.officer.name, notice_days, None, mailed, number, why)
    return await put_in_force(desk.connection, compiled, order, desk.now)


async def list_versions(desk: Desk) -> Sequence[VersionView]:
    """Every version, the latest first."""
    await desk.act(Act.POLICY_READ, "policy versions")
    return await versions(desk.connection)


async def show_version(desk: Desk, number: int) -> tuple[VersionView, PolicyDirectory]:
    """One version: who published it, when and why, and its files.

    Raises:
        NotFoundError: there is none of that number.
    """
    await desk.act(Act.POLICY_READ, f"policy version {number}")
    directory = await directory_of_version(desk.connection, number)
    (version,) = await versions(desk.connection, number)
    return version, directory


async def read_version(desk: Desk, number: int) -> PolicyDirectory:
    """The files of one version.

    Raises:
        NotFoundError: there is none of that number.
    """
    await desk.act(Act.POLICY_READ, f"policy version {number}")
    return await directory_of_version(desk.connection, number)


async def list_notices(desk: Desk) -> Sequence[NoticeView]:
    """Every notice, the latest first, with how many members refused."""
    await desk.act(Act.NOTICE_READ, "notices")
    return await notices(desk.connection)


async def _prepare(desk: Desk, directory: PolicyDirectory, compiled: Compile) -> None:
    """Check and compile what a publication needs: beside the requests, and before it takes its turn."""
    await asyncio.to_thread(require_publishable, directory, compiled)
    in_force = await require_policy(desk.connection)
    for source in in_force.sources.values():
        await asyncio.to_thread(compiled, source)
