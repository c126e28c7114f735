"""Keeps `suppression` true: for each agreement that mails, the digests of addresses that refuse it.

In: lines of `suppression_due`, which triggers write in the transaction that changes a choice, a member, an
address, an agreement or a key. Out: rows of `suppression`, decided by `policies.suppression`. `settle` is
called before every answer to a partner, so that what was committed before counts in it, and by the clock.

INVARIANT (settled-before-answered): who reads `suppression` for a partner has called `settle` since the
partner's request arrived; no line of `suppression_due` committed before that is left then.

This module never tells a partner anything: `resolvers.suppression_reads` does.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from asyncpg import Record

from policies.age import age_date
from policies.agreement import AgreementTerms
from policies.email_addresses import comparable_email
from policies.suppression import Consent, Refusal, decide_mail, takes_part
from resolvers.connection import Link
from resolvers.decision_facts import read_terms
from resolvers.suppression_sources import AskedAddress, read_asked

KeyOf: TypeAlias = Callable[[UUID, int], bytes]
"""The key of a partner, by its generation (`gateway.keys`)."""

CHUNK: Final = 2_000
"""Addresses decided at a time: bounds memory and the length of a statement."""

_TURN: Final = 7_305_115
"""Key of the advisory lock of whoever settles: a second one waits, and then finds nothing left to do."""


@dataclass(frozen=True, slots=True)
class _Mailer:
    """An agreement that mails, and the keys that count for its partner, by generation."""

    terms: AgreementTerms
    keys: Mapping[int, bytes]


@dataclass(slots=True)
class _Writes:
    """What becomes of the rows of one chunk."""

    put: list[tuple[UUID, bytes, int, UUID | None, UUID | None, bool, datetime, datetime | None]] = field(
        default_factory=list
    )
    """Rows that are new, or move to the end of the feed."""
    tied: list[tuple[UUID, bytes, UUID | None, UUID | None]] = field(default_factory=list)
    """Rows that say what they said, of somebody else."""
    gone: list[tuple[UUID, bytes]] = field(default_factory=list)


def digest_of(key: bytes, address: str) -> bytes:
    """What a partner with this key computes of a comparable address: HMAC-SHA256 (RFC 2104)."""
    return hmac.digest(key, address.encode(), "sha256")


async def is_due(connection: Link) -> bool:
    """Whether anything has to be decided again. One round trip, and usually no."""
    due: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM suppression_due)")
    return due


async def settle(connection: Link, key_of: KeyOf, now: datetime) -> int:
    """Decide again what is due, within one transaction, the caller's; how many lines were due.

    1. one at a time: who waits finds the work done;
    2. agreements first, each from scratch; then members and addresses, under every agreement that mails;
    3. until nothing is left that was committed before.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _TURN)  # 1
    done = 0
    while taken := await _take(connection):
        done += len(taken)
        mailers = await _mailers(connection, key_of, now)
        for agreement_id in sorted({row["agreement_id"] for row in taken if row["agreement_id"]}):  # 2
            await _rebuild(connection, agreement_id, mailers, now)
        members = {row["member_id"] for row in taken if row["member_id"]}
        refused = {row["refused_id"] for row in taken if row["refused_id"]}
        await _decide_again(connection, list(mailers.values()), members, refused, now)
    return done  # 3


async def _take(connection: Link) -> Sequence[Record]:
    """The next lines that are due, which nobody else takes.

    Whom they are about is held first, as an erasure does: holding the lines first, this would wait for it,
    and it for the lines.
    """
    taken = await connection.fetch("SELECT * FROM suppression_due ORDER BY seq LIMIT $1", CHUNK)
    for name, hold in _HOLD.items():
        if about := [row[name] for row in taken if row[name]]:
            await connection.execute(hold, about)
    await connection.execute(
        "DELETE FROM suppression_due WHERE seq = ANY($1::bigint[])", [row["seq"] for row in taken]
    )
    return taken


_HOLD: Final = {
    "member_id": "SELECT FROM member WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE",
    "refused_id": "SELECT FROM refused_address WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE",
}


async def forget_suppressions(connection: Link, members: Sequence[UUID], email: str) -> None:
    """Before these members, who have or claim this address, are erased: what ties a digest to them goes.

    A refusal outlives who said it, as a digest that nobody can trace and only its partner can compare:
    otherwise an erasure would invite the mail that was refused. What they allowed again goes altogether.
    """
    await connection.execute(
        "DELETE FROM suppression WHERE member_id = ANY($1::uuid[]) AND NOT suppressed", list(members)
    )
    await connection.execute(
        "UPDATE suppression SET member_id = NULL, kept_since = since WHERE member_id = ANY($1::uuid[])",
        list(members),
    )
    address = comparable_email(email)
    await connection.execute(
        "UPDATE suppression SET refused_id = NULL, kept_since = since FROM refused_address r"
        " WHERE refused_id = r.id AND r.address = $1 AND suppressed",
        address,
    )
    await connection.execute("DELETE FROM refused_address WHERE address = $1", address)


async def note_adults(connection: Link, first: datetime, last: datetime) -> None:
    """Let those be decided again who came of age between these moments: what they said counts now (C17)."""
    await connection.execute(
        "INSERT INTO suppression_due (member_id) SELECT id FROM member"
        " WHERE birth_date > ($1::date - interval '18 years')::date"
        " AND birth_date <= ($2::date - interval '18 years')::date"
        " AND EXISTS (SELECT FROM choice WHERE choice.member_id = member.id)",
        age_date(first),
        age_date(last),
    )


async def retire_keys(connection: Link, now: datetime) -> None:
    """Keys whose time is over are no keys any more, and the digests under them go."""
    await connection.execute(
        "WITH gone AS (DELETE FROM suppression_key WHERE retires_at <= $1 RETURNING partner_id)"
        " INSERT INTO suppression_due (agreement_id) SELECT a.id FROM agreement a"
        " WHERE a.partner_id IN (SELECT partner_id FROM gone)",
        now,
    )


# -- which agreements


async def _mailers(connection: Link, key_of: KeyOf, now: datetime) -> dict[UUID, _Mailer]:
    keys: dict[UUID, dict[int, bytes]] = {}
    for row in await connection.fetch(
        "SELECT partner_id, generation FROM suppression_key WHERE retires_at IS NULL OR retires_at > $1", now
    ):
        generation = row["generation"]
        keys.setdefault(row["partner_id"], {})[generation] = key_of(row["partner_id"], generation)
    rows = await connection.fetch(
        "SELECT id, partner_id, basis, purpose, categories, valid_from, valid_until, status, version"
        " FROM agreement WHERE partner_id = ANY($1::uuid[])",
        list(keys),
    )
    every = [read_terms(row) for row in rows]
    return {terms.id: _Mailer(terms, keys[terms.partner_id]) for terms in every if takes_part(terms)}


async def _rebuild(
    connection: Link, agreement_id: UUID, mailers: Mapping[UUID, _Mailer], now: datetime
) -> None:
    """Everything of one agreement: for everybody who ever said anything, and every address of itself.

    What is kept of the departed cannot be computed: it is copied from the partner's other agreements.
    """
    mailer = mailers.get(agreement_id)
    if mailer is None:
        await connection.execute(
            "DELETE FROM suppression WHERE agreement_id = $1 AND kept_since IS NULL"
            " AND num_nonnulls(member_id, refused_id) > 0",
            agreement_id,
        )
        return
    await connection.execute(
        "DELETE FROM suppression WHERE agreement_id = $1 AND generation <> ALL($2::int[])",
        agreement_id,
        list(mailer.keys),
    )
    await connection.execute(
        "INSERT INTO suppression"
        " (agreement_id, digest, generation, suppressed, since, kept_since, changed_at)"
        " SELECT $1, s.digest, s.generation, true, max(coalesce(s.kept_since, s.since)),"
        " max(coalesce(s.kept_since, s.since)), $4 FROM suppression s"
        " JOIN agreement a ON a.id = s.agreement_id WHERE a.partner_id = $2 AND s.agreement_id <> $1"
        " AND (s.kept_since IS NOT NULL"
        " OR s.suppressed AND s.member_id IS NULL AND s.refused_id IS NULL)"
        " AND s.generation = ANY($3::int[]) GROUP BY s.digest, s.generation ON CONFLICT DO NOTHING",
        agreement_id,
        mailer.terms.partner_id,
        list(mailer.keys),
        now,
    )
    last = UUID(int=0)
    while rows := await connection.fetch(_WHO_SPOKE, last, CHUNK):
        last = rows[-1]["id"]
        await _decide_again(connection, [mailer], [row["id"] for row in rows], (), now)
    last = UUID(int=0)
    while rows := await connection.fetch(
        "SELECT id FROM refused_address WHERE id > $1 ORDER BY id LIMIT $2", last, CHUNK
    ):
        last = rows[-1]["id"]
        await _decide_again(connection, [mailer], (), [row["id"] for row in rows], now)


_WHO_SPOKE: Final = (
    "SELECT DISTINCT member_id AS id FROM choice WHERE member_id > $1 ORDER BY member_id LIMIT $2"
)


async def _decide_again(
    connection: Link,
    mailers: Sequence[_Mailer],
    members: Iterable[UUID],
    refused: Iterable[UUID],
    now: datetime,
) -> None:
    """Decide for these members and addresses under these agreements, and write what differs."""
    listed, addresses = list(members), list(refused)
    if not mailers or not (listed or addresses):
        return
    asked = await read_asked(connection, listed, addresses, now)
    if listed:
        await _leave_former(connection, mailers, {member: asked.owned.get(member) for member in listed})
    await _write(connection, await _compare(connection, mailers, asked.addresses), now)


# -- what is written


async def _leave_former(
    connection: Link, mailers: Sequence[_Mailer], addresses: Mapping[UUID, str | None]
) -> None:
    """Who has another address by now no longer stands for the one before; what was refused there stays.

    A row is of a former address if its digest is that of no address that its member has under a key in use.
    """
    present: dict[UUID, set[bytes]] = {}
    keys = [key for mailer in mailers for key in mailer.keys.values()]
    for member, address in addresses.items():
        present[member] = set() if address is None else {digest_of(key, address) for key in keys}
    rows = await connection.fetch(
        "SELECT agreement_id, digest, member_id, suppressed FROM suppression"
        " WHERE member_id = ANY($1::uuid[]) AND agreement_id = ANY($2::uuid[])",
        list(addresses),
        [mailer.terms.id for mailer in mailers],
    )
    former = [row for row in rows if row["digest"] not in present[row["member_id"]]]
    left = [(row["agreement_id"], row["digest"]) for row in former if row["suppressed"]]
    if left:
        await connection.execute(
            "UPDATE suppression s SET member_id = NULL, kept_since = s.since"
            " FROM unnest($1::uuid[], $2::bytea[]) AS given (agreement_id, digest)"
            " WHERE s.agreement_id = given.agreement_id AND s.digest = given.digest",
            *_columns(left),
        )
    await _remove(connection, [(r["agreement_id"], r["digest"]) for r in former if not r["suppressed"]])


async def _compare(
    connection: Link, mailers: Sequence[_Mailer], addresses: Sequence[AskedAddress]
) -> _Writes:
    """Decide each address for each agreement, and compare it with the row there is."""
    cells = [
        (mailer.terms, generation, digest_of(key, known.address), known)
        for mailer in mailers
        for generation, key in mailer.keys.items()
        for known in addresses
    ]
    rows = await connection.fetch(
        "SELECT s.* FROM unnest($1::uuid[], $2::bytea[]) AS given (agreement_id, digest)"
        " JOIN suppression s ON s.agreement_id = given.agreement_id AND s.digest = given.digest",
        [terms.id for terms, *_ in cells],
        [digest for _, _, digest, _ in cells],
    )
    existing = {(row["agreement_id"], row["digest"]): row for row in rows}
    writes = _Writes()
    for terms, generation, digest, known in cells:
        row = existing.get((terms.id, digest))
        kept = None if row is None else _kept(row)
        outcome = decide_mail(replace(known.said, kept=kept), terms)
        _note(writes, terms.id, digest, generation, known, row, kept, outcome)
    return writes


def _kept(row: Record) -> datetime | None:
    """The date of a refusal by somebody who is gone."""
    kept: datetime | None = row["kept_since"]
    if kept is None and row["suppressed"] and row["member_id"] is None and row["refused_id"] is None:
        kept = row["since"]
    return kept


def _note(
    writes: _Writes,
    agreement_id: UUID,
    digest: bytes,
    generation: int,
    known: AskedAddress,
    row: Record | None,
    kept: datetime | None,
    outcome: Refusal | Consent | None,
) -> None:
    if row is None:
        if isinstance(outcome, Refusal):
            tie = (known.member_id, known.refused_id)
            writes.put.append((agreement_id, digest, generation, *tie, True, outcome.since, None))
        return
    if outcome is None:
        writes.gone.append((agreement_id, digest))
        return
    suppressed = isinstance(outcome, Refusal)
    tie = (known.member_id, known.refused_id)
    if (row["suppressed"], row["since"]) != (suppressed, outcome.since):
        writes.put.append((agreement_id, digest, generation, *tie, suppressed, outcome.since, kept))
    elif (row["member_id"], row["refused_id"]) != tie:
        writes.tied.append((agreement_id, digest, *tie))


async def _write(connection: Link, writes: _Writes, now: datetime) -> None:
    if writes.put:
        await connection.execute(
            "INSERT INTO suppression (agreement_id, digest, generation, member_id, refused_id, suppressed,"
            " since, kept_since, changed_at) SELECT *, $9 FROM unnest($1::uuid[], $2::bytea[], $3::int[],"
            " $4::uuid[], $5::uuid[], $6::boolean[], $7::timestamptz[], $8::timestamptz[])"
            " ON CONFLICT (agreement_id, digest) DO UPDATE SET member_id = excluded.member_id,"
            " refused_id = excluded.refused_id, suppressed = excluded.suppressed, since = excluded.since,"
            " kept_since = excluded.kept_since, changed_at = excluded.changed_at,"
            " transaction = excluded.transaction, seq = excluded.seq",
            *_columns(writes.put),
            now,
        )
    if writes.tied:
        await connection.execute(
            "UPDATE suppression s SET member_id = given.member_id, refused_id = given.refused_id,"
            " kept_since = CASE WHEN num_nonnulls(s.member_id, s.refused_id) = 0 THEN s.since"
            " ELSE s.kept_since END"
            " FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::uuid[])"
            " AS given (agreement_id, digest, member_id, refused_id)"
            " WHERE s.agreement_id = given.agreement_id AND s.digest = given.digest",
            *_columns(writes.tied),
        )
    await _remove(connection, writes.gone)


async def _remove(connection: Link, rows: Sequence[tuple[UUID, bytes]]) -> None:
    if rows:
        await connection.execute(
            "DELETE FROM suppression s USING unnest($1::uuid[], $2::bytea[]) AS given (agreement_id, digest)"
            " WHERE s.agreement_id = given.agreement_id AND s.digest = given.digest",
            *_columns(rows),
        )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
