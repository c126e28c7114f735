"""A member tells a birth date that was not known; under 18, an adult is asked to confirm (C17).

Whoever is under 18 is shared with nobody, whether the adult has confirmed or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from policies.age import age_date, is_plausible
from policies.registration import needs_supervisor
from resolvers.commands.completion import ask_adult
from resolvers.commands.correction import Checks, lock_member, write_member
from resolvers.commands.registration_checks import check_supervisor
from resolvers.context import Work


async def set_birth_date(work: Work, given: Mapping[str, Any]) -> None:
    """Tell the birth date, once. The shares follow.

    Under 18 the supervising adult is named as well, unless one has confirmed already. Until then the same
    date may be told again with an adult's address: another link is mailed, and the one before works no more.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None, links=True)
    birth_date: date = given["birth_date"]
    told, stated = member["birth_date"], given.get("supervisor_email")
    if told == birth_date and stated is None:
        return
    checks = Checks(member["region"])
    if told not in (None, birth_date):
        checks.refuse("ALREADY_SET", "your birth date is on file and can be set once", "birthDate")
    elif not is_plausible(birth_date, work.now.date()):
        checks.refuse("BAD_DATE", "`birthDate`: the day on which you were born, not one to come", "birthDate")
    checks.done()
    adult = await _adult(work, checks, member["id"], birth_date, stated)
    checks.done()
    if told is None:
        await write_member(work, member["id"], {"birth_date": birth_date})
    if adult is not None:
        await ask_adult(work, member["id"], adult)


async def _adult(
    work: Work, checks: Checks, member_id: UUID, birth_date: date, stated: str | None
) -> str | None:
    """The adult who is still to confirm; None where nobody has to."""
    if not needs_supervisor(birth_date, age_date(work.now)):
        return None
    (member,) = await work.connection.fetch(
        "SELECT email, supervision_confirmed_at FROM member WHERE id = $1", member_id
    )
    if member["supervision_confirmed_at"] is not None:
        return None
    return check_supervisor(checks, stated, member["email"], birth_date, work.now)
