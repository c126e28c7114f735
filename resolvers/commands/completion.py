"""An invited member completes the registration (C1): everything mandatory is on file by then, or is named.

What is missing is told by the paths that it has in the input of `register`, where its kind is explained; it
is given by the commands on the profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from policies.registration import Mandatory, missing_mandatory
from resolvers.commands.correction import Checks, lock_member, write_member
from resolvers.commands.letters import make_link, post
from resolvers.commands.registration import count_mail_to
from resolvers.commands.registration_checks import check_supervisor
from resolvers.context import Work
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus

PATHS: Final[Mapping[Mandatory, tuple[str, ...]]] = MappingProxyType(
    {
        Mandatory.NUMBER: ("number",),
        Mandatory.GIVEN_NAME: ("givenName",),
        Mandatory.FAMILY_NAME: ("familyName",),
        Mandatory.EMAIL: ("email",),
        Mandatory.LINE1: ("address", "line1"),
        Mandatory.CITY: ("address", "city"),
        Mandatory.COUNTRY: ("address", "country"),
        Mandatory.POSTAL_CODE: ("address", "postalCode"),
        Mandatory.PHONES: ("phones",),
        Mandatory.BRAND: ("billing", "brand"),
        Mandatory.LAST_FOUR: ("billing", "lastFour"),
        Mandatory.EXPIRY: ("billing", "expiryMonth"),
    }
)


async def complete_registration(work: Work, given: Mapping[str, Any]) -> None:
    """Become ACTIVE; under 18, once the supervising adult has confirmed. Who is ACTIVE stays so.

    Raises:
        FieldErrors: everything that is missing; nothing was changed.
    """
    member_id = (await lock_member(work, given.get("version"), links=True))["id"]
    member = await _on_file(work, member_id)
    if member["status"] != MemberStatus.INVITED:
        return
    checks = Checks(member["region"])
    _refuse_missing(checks, member)
    supervisor = None
    if member["supervision_confirmed_at"] is None:
        supervisor = check_supervisor(
            checks, given.get("supervisor_email"), member["email"], member["birth_date"], work.now
        )
    checks.done()
    if supervisor is None:
        await write_member(work, member_id, {"status": MemberStatus.ACTIVE.value})
        return
    await ask_adult(work, member_id, supervisor)


async def ask_adult(work: Work, member_id: UUID, address: str) -> None:
    """Mail a link by which the adult who supervises the locked member confirms it. Her links are held.

    Raises:
        ThrottledError: too many mails were sent there.
    """
    await count_mail_to(work, address)
    await work.connection.execute(
        "UPDATE member SET supervisor_email = $2, version = version + 1, updated_at = $3 WHERE id = $1",
        member_id,
        address,
        work.now,
    )
    link = await make_link(work, LinkKind.CONFIRM_SUPERVISION, member_id)
    await post(work, LetterKind.CONFIRM_SUPERVISION, address, member_id, link_id=link)


async def complete_if_whole(work: Work, member_id: UUID) -> None:
    """The adult has confirmed: an invited member becomes ACTIVE unless something is still missing."""
    checks = Checks(None)
    _refuse_missing(checks, await _on_file(work, member_id))
    if not checks.problems:
        await write_member(work, member_id, {"status": MemberStatus.ACTIVE.value})


async def _on_file(work: Work, member_id: UUID) -> Record:
    rows = await work.connection.fetch(
        "SELECT m.status, m.number, m.given_name, m.family_name, m.email, m.birth_date, m.region,"
        " m.supervision_confirmed_at, a.line1, a.city, a.country, a.postal_code,"
        " EXISTS (SELECT FROM phone WHERE member_id = m.id) AS has_phone,"
        " EXISTS (SELECT FROM billing_method WHERE member_id = m.id) AS has_method"
        " FROM member m LEFT JOIN postal_address a ON a.member_id = m.id AND a.is_primary WHERE m.id = $1",
        member_id,
    )
    return rows[0]


def _refuse_missing(checks: Checks, member: Record) -> None:
    present = {
        Mandatory.NUMBER: member["number"],
        Mandatory.GIVEN_NAME: member["given_name"],
        Mandatory.FAMILY_NAME: member["family_name"],
        Mandatory.EMAIL: member["email"],
        Mandatory.LINE1: member["line1"],
        Mandatory.CITY: member["city"],
        Mandatory.COUNTRY: member["country"],
        Mandatory.POSTAL_CODE: member["postal_code"],
        Mandatory.PHONES: member["has_phone"],
        Mandatory.BRAND: member["has_method"],
        Mandatory.LAST_FOUR: member["has_method"],
        Mandatory.EXPIRY: member["has_method"],
    }
    parts = {part for part, value in present.items() if value}
    for part in missing_mandatory(parts, country=member["country"]):
        *_, name = path = PATHS[part]
        checks.refuse("REQUIRED", f"`{name}` is missing: give a value", *path)
