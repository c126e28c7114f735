"""A registration is PENDING until its links were followed (C1); that an address is taken is not told.

INVARIANT (registered-or-not-alike): for a complete registration there is one answer, whether its address is
a member's or nobody's. What differs goes by mail, to the owner of the address.

1. `admit` counts the attempt, in a transaction of its own;
2. `resolvers.commands.registration_checks` finds everything that is missing or wrong;
3. the password is hashed, outside of any transaction;
4. `register` stores the registration, or writes to the member whose address it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from policies.email_addresses import mailbox_of, read_email
from policies.free_text import find_phone_number
from policies.own_numbers import holds_own_number
from resolvers.commands.correction import Checks, add_row
from resolvers.commands.letters import lock_links, make_link, post
from resolvers.commands.member_secrets import MemberSecrets, remove_member_secrets, write_secrets
from resolvers.commands.registration_checks import Registration
from resolvers.connection import Link
from resolvers.context import Work
from resolvers.shares import decision_digest
from resolvers.throttle import count_attempt
from schema.errors import UnavailableError
from schema.tables.account import LinkKind
from schema.tables.mail import LetterKind
from schema.tables.member import MemberStatus
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

NUMBERS: Final = 10**9
"""So many member numbers there are; drawn at random, they tell neither order nor count of members."""

DRAWS: Final = 20

MAIL_REFILL: Final = timedelta(hours=1)
"""Until a mailbox gets one more mail that anybody may cause: few enough that nobody is flooded."""

MOST_REMOVED: Final = 500
"""Registrations that one round of upkeep removes, so that it stays short."""


async def admit(work: Work, given: Mapping[str, Any]) -> datetime:
    """Count the attempt, on the addresses that it names and from where it comes; the time at which it came.

    Mail goes to both addresses, so both are counted. They are not counted as sign-ins, or whoever registers
    in a member's name would shut her out.

    Raises:
        ThrottledError: too many of them.
    """
    named = [given.get("email") or f"nobody, from {work.exchange.ip_address}"]
    if given.get("supervisor_email"):
        named.append(given["supervisor_email"])
    await count_mail_to(work, *named)
    return work.now


async def count_mail_to(work: Work, *addresses: str) -> None:
    """Count a mail to each address that somebody names, in its normal form: it has many spellings.

    What stands behind a `+` leads to the same mailbox nearly everywhere (RFC 5233), and counts for nothing.

    Raises:
        ThrottledError: too many were sent there.
    """
    named = {f"registration {mailbox_of(read_email(address) or address)}" for address in addresses}
    await count_attempt(work, *named, refill=MAIL_REFILL)


async def check_username_is_free(work: Work, username: str | None, checks: Checks) -> None:
    """A user name that a member has is refused: which are taken, anybody may know."""
    if username is None or checks.refused("username"):
        return
    if await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM member WHERE lower(username) = lower($1) AND status <> $2)",
        username,
        MemberStatus.PENDING.value,
    ):
        checks.refuse("TAKEN", "`username` is taken: choose another", "username")


async def register(work: Work, registration: Registration, password_hash: str) -> None:
    """Store the registration, and mail the links that confirm it; or tell a member that she is one.

    CLAUSE (C1): a registration that lacks something stores nothing.

    Raises:
        FieldErrors: nothing was stored.
    """
    member = registration.member
    checks = Checks(None)
    await check_username_is_free(work, member["username"], checks)
    checks.done()
    owner = await work.connection.fetchrow(
        "SELECT id, email FROM member WHERE lower(email) = lower($1) AND status <> ALL($2::text[])",
        member["email"],
        [MemberStatus.PENDING.value, MemberStatus.INVITED.value],
    )
    if owner is not None:
        await post(work, LetterKind.ALREADY_REGISTERED, owner["email"], owner["id"])
        return
    member_id = await _store(work, registration, password_hash)
    link = await make_link(work, LinkKind.CONFIRM_REGISTRATION, member_id)
    await post(work, LetterKind.CONFIRM_REGISTRATION, member["email"], member_id, link_id=link)
    if member["supervisor_email"] is not None:
        link = await make_link(work, LinkKind.CONFIRM_SUPERVISION, member_id)
        await post(work, LetterKind.CONFIRM_SUPERVISION, member["supervisor_email"], member_id, link_id=link)


async def remove_registrations(connection: Link, members: Sequence[UUID]) -> None:
    """Remove PENDING members with all that they told, in the tables and in the vault."""
    await remove_member_secrets(connection, members)
    await connection.execute(
        "DELETE FROM member WHERE id = ANY($1::uuid[]) AND status = $2",
        list(members),
        MemberStatus.PENDING.value,
    )


async def remove_expired_registrations(connection: Link, now: datetime) -> int:
    """Remove registrations that nobody can confirm any more; how many. One transaction, the caller's.

    One of their links ran out unused, or they have none left to follow.
    """
    rows = await connection.fetch(
        "SELECT id FROM member WHERE status = 'PENDING' AND NOT EXISTS (SELECT FROM one_time_link l"
        " WHERE l.member_id = member.id AND l.used_at IS NULL AND l.expires_at > $1)"
        " UNION SELECT m.id FROM member m JOIN one_time_link l ON l.member_id = m.id"
        " WHERE m.status = 'PENDING' AND l.used_at IS NULL AND l.expires_at <= $1 LIMIT $2",
        now,
        MOST_REMOVED,
    )
    # Whoever follows one of their links at this moment is waited for.
    await lock_links(connection, [row["id"] for row in rows])
    free = await connection.fetch(
        "SELECT id FROM member WHERE id = ANY($1::uuid[]) AND status = $2 FOR UPDATE SKIP LOCKED",
        [row["id"] for row in rows],
        MemberStatus.PENDING.value,
    )
    await remove_registrations(connection, [row["id"] for row in free])
    return len(free)


async def _store(work: Work, registration: Registration, password_hash: str) -> UUID:
    member_id = await add_row(
        work,
        "member",
        {
            **registration.member,
            "number": await _new_number(work, registration),
            "status": MemberStatus.PENDING.value,
            "purchase_categories": [],
            "joined_at": work.now,
            "updated_at": work.now,
            "version": 1,
        },
    )
    owned = {"member_id": member_id}
    primary = {"is_primary": True, "created_at": work.now}
    await add_row(work, "postal_address", {**owned, **registration.address, **primary})
    kept = MemberSecrets(passwords=[(member_id, password_hash)])
    for label, number in registration.phones:
        phone_id = await add_row(work, "phone", {**owned, "label": label, "added_at": work.now})
        kept.phones.append((phone_id, member_id, work.means.sealer.seal(number, phone_id)))
    method_id = await add_row(work, "billing_method", {**owned, **registration.method, "added_at": work.now})
    kept.tokens.append((method_id, member_id, registration.processor_token))
    await write_secrets(work.connection, kept, key_id=work.means.sealer.key_id, now=work.now)
    for choice in _choices(work, registration):
        dated = {"requested_at": work.now, "received_at": work.now}
        await add_row(work, "choice", {**owned, **dated, **choice})
    return member_id


def _choices(work: Work, registration: Registration) -> list[dict[str, Any]]:
    """What the member chose by registering (C9), and what her browser says for her (C4).

    CLAUSE (C9): the first door, at registration, and what is not ticked is refused.
    """
    wanted = Direction.IN if registration.newsletter else Direction.OUT
    source = {"source": ChoiceSource.REGISTRATION.value}
    sharing = {"topic": ChoiceTopic.SHARING.value, "policy": decision_digest(work.matrix)}
    choices = [{**source, "topic": ChoiceTopic.NEWSLETTER.value, "direction": wanted.value}]
    choices += [
        {**source, **sharing, "purpose": purpose.value, "direction": direction.value}
        for purpose, direction in registration.choices.items()
    ]
    if work.exchange.opts_out:
        choices.append({**sharing, "source": ChoiceSource.GPC.value, "direction": Direction.OUT.value})
    return choices


async def _new_number(work: Work, registration: Registration) -> str:
    """A member number that nobody has, and that is no telephone number (R1).

    Raises:
        UnavailableError: none was found, which does not happen while members are fewer than numbers.
    """
    country = registration.address["country"]
    for _ in range(DRAWS):
        number = f"M-{secrets.randbelow(NUMBERS):09}"
        if find_phone_number(number, region=country) or holds_own_number(number, registration.own):
            continue
        if not await work.connection.fetchval("SELECT EXISTS (SELECT FROM member WHERE number = $1)", number):
            return number
    raise UnavailableError("no free member number was found: try again")
