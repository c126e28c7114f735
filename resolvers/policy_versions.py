"""The policy in force, as the database holds it: what was published, and what of it is applied to `share`.

The latest row of `policy_version` says what decides at which moment from then on (`policies.versions`). What
decides *now* is the step that the rows of `share` were decided by (`applied_policy`): both change in one
transaction, so that no reader ever sees one without the other.

INVARIANT (database-holds-policy): whoever decides asks here. The directory of the settings is what a new
database begins with, and nothing afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, Final

from asyncpg import Record

from policies.combined import in_force, matrix_of
from policies.directory import PolicyDirectory, read_directory
from policies.matrix import Matrix, compile_matrix
from policies.rules import PolicySource
from policies.versions import Formula, Step, Timeline, touched
from policies.words import spoken
from resolvers.connection import Link
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, decide_again, decision_digest, take_turn
from schema.errors import NotFoundError, UnavailableError
from schema.vocabulary import Language

Compile = Callable[[PolicySource], Matrix]

BY_THE_GATEWAY: Final = "gateway"


class Compiler:
    """Compiles policies, each once: they are few, and one takes half a second."""

    def __init__(self, *known: tuple[PolicySource, Matrix]) -> None:
        self._known = {source.digest: matrix for source, matrix in known}

    def __call__(self, source: PolicySource) -> Matrix:
        """The compiled policy."""
        matrix = self._known.get(source.digest)
        if matrix is None:
            matrix = self._known[source.digest] = compile_matrix(source)
        return matrix


@dataclass(frozen=True, slots=True)
class PolicyInDatabase:
    """What decides, before it is compiled.

    `number` is the latest publication; `moment` that of which the rows of `share` are.
    """

    number: int
    timeline: Timeline
    moment: datetime
    applied: str | None
    sources: Mapping[int, PolicySource]
    """Of each version that has a say now or later."""

    @property
    def decides(self) -> Formula:
        """What the rows of `share` were decided by."""
        return self.timeline.at(self.moment)

    @property
    def version(self) -> int:
        """The version in force."""
        return in_force(self.decides)

    @property
    def next_due(self) -> datetime | None:
        """When something else is to decide; None while nothing is to come."""
        return self.timeline.next_after(self.moment)

    def is_due(self, now: datetime, compiled: Compile) -> bool:
        """Whether anything else is to decide by now, or the program decides otherwise than it did."""
        return self.timeline.at(max(self.moment, now)) != self.decides or self.applied != decision_digest(
            self.matrix(compiled)
        )

    def matrix(self, compiled: Compile, formula: Formula | None = None) -> Matrix:
        """The compiled policy that decides, or that another formula of the same timeline stands for."""
        wanted = self.decides if formula is None else formula
        numbers = reduce(or_, wanted)
        return matrix_of(wanted, {number: compiled(self.sources[number]) for number in numbers})


async def policy_in_database(connection: Link) -> PolicyInDatabase | None:
    """What decides now; None while nothing was ever published."""
    row = await connection.fetchrow(
        "SELECT number, effective_at, steps, (SELECT applied_at FROM applied_policy) AS applied_at,"
        " (SELECT digest FROM applied_policy) AS applied, published_at"
        " FROM policy_version ORDER BY number DESC LIMIT 1"
    )
    if row is None:
        return None
    timeline = read_timeline(row)
    numbers = {number for step in timeline.steps for term in step.decides for number in term}
    files = await connection.fetch(
        "SELECT number, files FROM policy_version WHERE number = ANY($1::int[])", sorted(numbers)
    )
    return PolicyInDatabase(
        number=row["number"],
        timeline=timeline,
        moment=max(row["published_at"], row["applied_at"] or row["published_at"]),
        applied=row["applied"],
        sources={each["number"]: read_directory(json.loads(each["files"])).source for each in files},
    )


async def require_policy(connection: Link) -> PolicyInDatabase:
    """What decides now.

    Raises:
        UnavailableError: nothing was ever published.
    """
    found = await policy_in_database(connection)
    if found is None:
        raise UnavailableError("no policy was published yet: start the gateway once, or `gateway init`")
    return found


async def begin(connection: Link, directory: PolicyDirectory, now: datetime) -> bool:
    """Let a database begin with this policy, unless it has one; whether it did. The caller's transaction.

    Nothing is announced: a database that has members from before goes on with the policy that it had.
    """
    if await connection.fetchval("SELECT EXISTS (SELECT FROM policy_version)"):
        return False
    await take_turn(connection, alone=True)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM policy_version)"):
        return False
    await insert_version(
        connection,
        NewVersion(1, directory, now, BY_THE_GATEWAY, now, 0),
        Timeline.begun(1, now),
    )
    return True


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a publication writes down."""

    number: int
    directory: PolicyDirectory
    published_at: datetime
    published_by: str
    effective_at: datetime
    notice_days: int
    rolled_back_to: int | None = None
    reason: str | None = None


async def insert_version(connection: Link, version: NewVersion, timeline: Timeline) -> None:
    """Append a publication. The caller holds the turn alone, and decides again."""
    await connection.execute(
        "INSERT INTO policy_version (number, digest, title, files, published_at, published_by, effective_at,"
        " notice_days, steps, rolled_back_to, reason)"
        " VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9::jsonb, $10, $11)",
        version.number,
        version.directory.source.digest,
        version.directory.title,
        json.dumps(dict(version.directory.files)),
        version.published_at,
        version.published_by,
        timeline.effective_at,
        version.notice_days,
        write_steps(timeline),
        version.rolled_back_to,
        version.reason,
    )


def write_steps(timeline: Timeline) -> str:
    """The steps as JSON, what decides and what otherwise would: moments, and lists of lists of numbers."""
    return json.dumps(
        {
            name: [
                {
                    "since": step.since.astimezone(UTC).isoformat(),
                    "decides": sorted(sorted(term) for term in step.decides),
                }
                for step in steps
            ]
            for name, steps in (("steps", timeline.steps), ("otherwise", timeline.otherwise))
        }
    )


def read_timeline(row: Record | Mapping[str, Any]) -> Timeline:
    """The timeline of a row of `policy_version`."""
    written: Mapping[str, Sequence[Mapping[str, Any]]] = json.loads(row["steps"])
    steps, otherwise = (
        tuple(
            Step(datetime.fromisoformat(step["since"]), frozenset(map(frozenset, step["decides"])))
            for step in written[name]
        )
        for name in ("steps", "otherwise")
    )
    return Timeline(steps, row["effective_at"], otherwise)


async def directory_of_version(connection: Link, number: int) -> PolicyDirectory:
    """The files of one version.

    Raises:
        NotFoundError: there is none of that number.
    """
    found: str | None = await connection.fetchval(
        "SELECT files FROM policy_version WHERE number = $1", number
    )
    if found is None:
        raise NotFoundError("there is no version of that number: see `gateway policy history`")
    return read_directory(json.loads(found))


async def company_language(connection: Link) -> Language:
    """The language in which the company writes: that of the latest version, as far as we speak it."""
    found: str | None = await connection.fetchval(
        "SELECT files FROM policy_version ORDER BY number DESC LIMIT 1"
    )
    return Language.EN if found is None else spoken(read_directory(json.loads(found)).language)


async def apply_due(connection: Link, compiled: Compile, now: datetime) -> ShareChanges | None:
    """Let what is due by `now` decide; None if it does already. One transaction, the caller's.

    1. nobody else decides meanwhile;
    2. what was due at the latest moment that anybody has seen: a clock that is behind takes nothing back;
    3. the agreements that it may concern are decided again, and the digest says by what;
    4. every replica hears of it.
    """
    await take_turn(connection, alone=True)  # 1
    policy = await require_policy(connection)
    moment = max(policy.moment, now)  # 2
    wanted = policy.timeline.at(moment)
    after = policy.matrix(compiled, wanted)
    digest = decision_digest(after)
    if digest == policy.applied and wanted == policy.decides:
        return None
    before = policy.matrix(compiled)
    known = policy.applied == decision_digest(before)
    changes = await decide_between(connection, before if known else None, after, moment)  # 3
    await revoke(connection, RevocationKind.POLICY, str(policy.number), now=moment)  # 4
    return changes


async def decide_between(
    connection: Link, before: Matrix | None, after: Matrix, now: datetime
) -> ShareChanges:
    """Decide again under the agreements about which the two may differ; with no `before`, under all of them.

    The caller holds the turn alone.
    """
    agreements = None
    if before is not None:
        pairs = touched(before, after)
        rows = await connection.fetch("SELECT id, basis, purpose FROM agreement ORDER BY id")
        agreements = [row["id"] for row in rows if (row["basis"], row["purpose"]) in pairs]
    changes = await decide_again(connection, after, now=now, agreements=agreements)
    await connection.execute("DELETE FROM applied_policy")
    await connection.execute(
        "INSERT INTO applied_policy (digest, applied_at) VALUES ($1, $2)", decision_digest(after), now
    )
    return changes
