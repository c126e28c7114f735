"""Partners, their agreements and API clients, as officers change them (C8).

Each function works in the caller's transaction. A change of what a partner may receive brings `share` up
to date and appends to the revocation log in that same transaction, so no replica serves the old terms
after the commit. Names that officers give stand in errors; no member's data does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from policies.agreement import AgreementTerms, parse_categories
from policies.matrix import Matrix
from policies.officer_lines import read_line
from resolvers.commands.grounds import Ground, read_grounds, require_grounds, store_grounds
from resolvers.connection import Link
from resolvers.decision_facts import read_terms
from resolvers.deletions import owe_what_was_suspended
from resolvers.revocations import RevocationKind, revoke
from resolvers.shares import ShareChanges, refresh_shares, take_turn
from schema.categories import Basis, DataCategory, Purpose, closed, expand, mask_of
from schema.errors import InputError, NotFoundError
from schema.ids import new_id
from schema.vocabulary import AgreementStatus, Restriction

_TERMS: Final = (
    "a.id, a.partner_id, a.basis, a.purpose, a.categories, a.valid_from, a.valid_until, a.status, a.version,"
    " a.deletion_days, a.narrow_after_days, a.suspend_after_days, a.restriction"
)


@dataclass(frozen=True, slots=True)
class Duties:
    """Within how many days what is withdrawn has to be deleted, and what comes of it when it is not."""

    deletion_days: int
    narrow_after_days: int | None
    suspend_after_days: int | None
    restriction: Restriction


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement as an officer sees it: terms, clients, and how many members are shared under it."""

    partner: str
    terms: AgreementTerms
    active_clients: tuple[str, ...]
    revoked_clients: tuple[str, ...]
    members: int
    duties: Duties
    grounds: tuple[Ground, ...] = ()
    """Only of an agreement that was asked for by its id."""


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A partner as an officer sees it."""

    id: UUID
    name: str
    display_name: str
    created_at: datetime
    agreements: int


MAX_DISPLAY_NAME: Final = 120
"""Of what stands in pages, lists and mails beside other words."""

OPENED_BY_CASE: Final = frozenset({Basis.LEGAL, Basis.INSOLVENCY})
"""C8 (b), (c): what a case names, not every member. An agreement would share them all."""


async def create_partner(connection: Link, *, name: str, display_name: str, now: datetime) -> UUID:
    """Store a new partner and return its id.

    Raises:
        InputError: the name is taken, or not of the form that commands use, or the display name may not be
            shown.
        FreeTextPhoneError: the display name holds a telephone number.
    """
    if not _is_name(name):
        raise InputError("`name`: 2 to 40 lower-case letters, digits and hyphens, a letter first")
    if not display_name.strip():
        raise InputError("`display name` is empty: give the name that members know")
    shown = read_line("display name", display_name, longest=MAX_DISPLAY_NAME)
    partner_id: UUID | None = await connection.fetchval(
        "INSERT INTO partner (id, name, display_name, created_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO NOTHING RETURNING id",
        new_id(),
        name,
        shown,
        now,
    )
    if partner_id is None:
        raise InputError("a partner has this name already: choose another")
    return partner_id


def no_agreement() -> NotFoundError:
    """What is said of an agreement that there is not, or that is not for whoever asks to know of."""
    return NotFoundError("there is no such agreement: see `gateway agreement list`")


async def list_partners(
    connection: Link, name: str | None = None, *, bases: Collection[Basis] = frozenset(Basis)
) -> Sequence[PartnerView]:
    """Every partner, or the one of that name, by name, with the agreements on these `bases`.

    An authority is among them where `bases` has LEGAL: that it is there tells of a case.

    Raises:
        NotFoundError: there is none of that name.
    """
    rows = await connection.fetch(
        "SELECT p.id, p.name, p.display_name, p.created_at, count(a.id) AS agreements"
        " FROM partner p LEFT JOIN agreement a ON a.partner_id = p.id AND a.basis = ANY($2::text[])"
        " WHERE ($1::text IS NULL OR p.name = $1) AND ($3 OR NOT p.authority) GROUP BY p.id ORDER BY p.name",
        name,
        [basis.value for basis in bases],
        Basis.LEGAL in bases,
    )
    if name is not None and not rows:
        raise NotFoundError("there is no such partner: see `gateway partner list`")
    return [PartnerView(**row) for row in rows]


async def create_agreement(
    connection: Link,
    matrix: Matrix,
    *,
    partner: str,
    basis: Basis,
    purpose: Purpose,
    categories: Iterable[str],
    valid_from: datetime,
    valid_until: datetime | None,
    status: AgreementStatus,
    now: datetime,
    reasons: Mapping[str, str] | None = None,
    officer: str | None = None,
) -> tuple[UUID, ShareChanges]:
    """Store a new agreement, decide for every member what it shares, and return its id and that result.

    CLAUSE (C7, C8): no partner receives anything but under an agreement that names basis, purpose, categories
    and reasons.

    `reasons` says for each category what the partner needs it for, `officer` who approves them: without
    both, only a draft can be made.

    Raises:
        InputError: a category does not exist or is never shared, the dates contradict each other, the
            basis is one that is opened for a case and not by an agreement, the policy would share nothing
            under it, or a reason or the approval is missing.
        NotFoundError: there is no such partner.
    """
    if basis in OPENED_BY_CASE:
        raise InputError(
            f"`{basis}` is opened for a case with named members and an end, never by a standing agreement"
        )
    keys = parse_categories(categories)
    if valid_until is not None and valid_until <= valid_from:
        raise InputError("`valid until` has to be after `valid from`")
    require_shared(matrix, basis, purpose, keys)
    (found,) = await list_partners(connection, partner)
    agreement_id = await insert_agreement(
        connection, found.id, basis, purpose, keys, (valid_from, valid_until), status, now=now
    )
    await store_grounds(connection, agreement_id, keys, reasons or {}, officer=officer, now=now)
    if status is AgreementStatus.ACTIVE:
        await require_grounds(connection, agreement_id, keys)
    return agreement_id, await refresh_shares(connection, matrix, now=now, agreements=[agreement_id])


def require_shared(
    matrix: Matrix, basis: Basis, purpose: Purpose, categories: Collection[DataCategory]
) -> None:
    """Return if an agreement on these categories would share anything.

    Raises:
        InputError: it names none, or the policy shares none of them.
    """
    if not categories:
        raise InputError("`categories` is empty: name what the agreement shares, such as `user.name`")
    if not matrix.share_mask(basis, purpose, protected=False) & closed(mask_of(expand(categories))):
        raise InputError(
            f"the policy shares none of these categories on the basis `{basis}` for `{purpose.name}`:"
            " see `gateway policy matrix`"
        )


async def insert_agreement(
    connection: Link,
    partner_id: UUID,
    basis: Basis,
    purpose: Purpose,
    categories: Collection[DataCategory],
    dates: tuple[datetime, datetime | None],
    status: AgreementStatus,
    *,
    now: datetime,
) -> UUID:
    """Write an agreement down and return its id. The caller stores its grounds and decides its shares."""
    await as_of(connection, now)
    agreement_id = new_id()
    await connection.execute(
        "INSERT INTO agreement"
        " (id, partner_id, basis, purpose, categories, valid_from, valid_until, status, version)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
        agreement_id,
        partner_id,
        basis.value,
        purpose.value,
        sorted(key.value for key in categories),
        *dates,
        status.value,
    )
    return agreement_id


async def require_standing(connection: Link, agreement_id: UUID) -> None:
    """Return if officers change this agreement by itself, and not the case or transfer that it belongs to.

    Raises:
        InputError: it belongs to one. Otherwise one officer could do what takes two.
    """
    basis = await connection.fetchval("SELECT basis FROM agreement WHERE id = $1", agreement_id)
    if basis in OPENED_BY_CASE:
        command = "gateway case" if basis == Basis.LEGAL else "gateway transfer"
        raise InputError(f"the agreement belongs to what opened it: use `{command}`")


async def set_agreement_status(
    connection: Link,
    matrix: Matrix,
    *,
    agreement_id: UUID,
    status: AgreementStatus,
    now: datetime,
    decide: bool = True,
) -> ShareChanges:
    """Activate, suspend or end an agreement, for every member and every replica, in one transaction.

    `resolvers.commands.opening` and `.stopping` do it over many members without keeping anybody waiting: they
    decide for the members themselves, by `decide` of false.

    1. its categories have their grounds, if it is to share anything;
    2. the new status, from which what reads see follows at once;
    3. the shares, unless they were decided while it was opening, or the caller will;
    4. what was open before a suspension, and is not now, has to be deleted;
    5. every replica hears of it.

    Raises:
        InputError: it has ended, which is for good; or a category has no reason or no approval.
        NotFoundError: there is no such agreement.
    """
    await take_turn(connection, alone=True)
    await as_of(connection, now)
    before = await lock_agreement(connection, agreement_id)
    if before["status"] == status and not before["opening"]:
        return ShareChanges()
    if before["status"] == AgreementStatus.ENDED:
        raise InputError("the agreement has ended, which is for good: create a new one")
    activated, suspended = status is AgreementStatus.ACTIVE, status is AgreementStatus.SUSPENDED
    if activated:  # 1
        await require_grounds(connection, agreement_id, parse_categories(before["categories"]))
    changes = ShareChanges()
    if decide and not activated and before["status"] != AgreementStatus.ACTIVE:
        # What was only prepared is withdrawn before it ends, and so not owed: nobody has read it.
        await connection.execute("UPDATE agreement SET opening = false WHERE id = $1", agreement_id)
        changes.add(await refresh_shares(connection, matrix, now=now, agreements=[agreement_id]))
    await connection.execute(  # 2
        "UPDATE agreement SET status = $2, version = version + 1, opening = false, suspended_at = $3,"
        # Whoever writes a line of the feed later than this waits for the turn, so its number is higher.
        " suspended_after = CASE WHEN suspended_at IS NULL"
        "  THEN coalesce((SELECT max(seq) FROM share_change), 0) ELSE suspended_after END WHERE id = $1",
        agreement_id,
        status.value,
        (before["suspended_at"] or now) if suspended else None,
    )
    if decide and not (activated and before["opening"]):  # 3
        changes.add(await refresh_shares(connection, matrix, now=now, agreements=[agreement_id]))
    if before["suspended_at"] is not None and not suspended:  # 4
        await owe_what_was_suspended(
            connection,
            agreement_id,
            since=before["suspended_at"],
            after=before["suspended_after"],
            now=now,
        )
    await revoke(connection, RevocationKind.AGREEMENT, str(agreement_id), now=now)  # 5
    return changes


async def as_of(connection: Link, now: datetime) -> None:
    """Keep the terms that this transaction writes as of `now` (`agreement_version`): one clock for all."""
    await connection.execute("SELECT set_config('gateway.now', $1, true)", now.isoformat())


async def lock_agreement(connection: Link, agreement_id: UUID) -> Record:
    """The agreement, kept from changing until the transaction ends. The caller has taken its turn.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = await connection.fetchrow("SELECT * FROM agreement WHERE id = $1 FOR NO KEY UPDATE", agreement_id)
    if row is None:
        raise NotFoundError("there is no such agreement: see `gateway agreement list`")
    return row


async def list_agreements(
    connection: Link, *, partner: str | None = None, agreement_id: UUID | None = None
) -> Sequence[AgreementView]:
    """The agreements of that partner or of that id, or all, by partner and age.

    Raises:
        NotFoundError: there is none of that id.
    """
    rows = await connection.fetch(
        f"SELECT {_TERMS}, p.name AS partner,"
        " ARRAY(SELECT client_id FROM partner_client c WHERE c.agreement_id = a.id AND c.status = 'ACTIVE'"
        "  ORDER BY client_id) AS active_clients,"
        " ARRAY(SELECT client_id FROM partner_client c WHERE c.agreement_id = a.id AND c.status = 'REVOKED'"
        "  ORDER BY client_id) AS revoked_clients,"
        " (SELECT count(*) FROM share s WHERE s.agreement_id = a.id) AS members"
        " FROM agreement a JOIN partner p ON p.id = a.partner_id"
        " WHERE ($1::text IS NULL OR p.name = $1) AND ($2::uuid IS NULL OR a.id = $2) ORDER BY p.name, a.id",
        partner,
        agreement_id,
    )
    if agreement_id is not None and not rows:
        raise no_agreement()
    grounds = () if agreement_id is None else tuple(await read_grounds(connection, agreement_id))
    return [
        AgreementView(
            row["partner"],
            read_terms(row),
            tuple(row["active_clients"]),
            tuple(row["revoked_clients"]),
            row["members"],
            Duties(
                row["deletion_days"],
                row["narrow_after_days"],
                row["suspend_after_days"],
                Restriction(row["restriction"]),
            ),
            grounds,
        )
        for row in rows
    ]


def _is_name(name: str) -> bool:
    """The form that the table's check constraint demands."""
    return (
        2 <= len(name) <= 40  # noqa: PLR2004 - as in the constraint
        and "a" <= name[0] <= "z"
        and all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in name)
    )
