"""Does a command once, however often it is sent with the same `Idempotency-Key`.

After draft-ietf-httpapi-idempotency-key-header. That a command was done is written by the transaction that
does it. A repetition finds that and does nothing; what it shows is read anew, so no answer is ever kept. A
command that was refused changed nothing and may be sent again.

INVARIANT (sealed-not-digested): the fingerprint of what was asked leaves out telephone numbers, passwords and
credentials: not even a digest of one is stored (R1).
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

import orjson
import strawberry

from policies.principal import MemberPrincipal
from resolvers.context import Command, RequestContext, Work
from schema.catalogue import Accepts, source_of
from schema.categories import SEALED
from schema.errors import FieldErrors, FieldProblem, GatewayError

VISITOR: Final = "visitor"

_LOCKS: Final = 7_305_115
"""The class of the advisory locks that let repetitions follow each other."""


class _NotYetError(GatewayError):
    """A command with this key was not done before: nothing is committed, and the work begins."""


async def once(work: Work, path: str, asked: Any, command: Command[None]) -> None:
    """Do `command` unless the same caller did it before with the same key. `path` is the response path.

    Raises:
        FieldErrors: the key was used for something else; or the command is refused.
    """
    key = work.exchange.idempotency_key
    if key is None:
        return await command(work)
    member_id = work.principal.member_id if isinstance(work.principal, MemberPrincipal) else None
    caller = VISITOR if member_id is None else str(member_id)
    # An alias of the caller's may be of any length, and say anything.
    path = work.means.attempt_key(path).hex()
    fingerprint = work.means.attempt_key(orjson.dumps(unsealed(asked), default=str).decode()).hex()
    await work.connection.execute(
        "SELECT pg_advisory_xact_lock($1, hashtext($2))", _LOCKS, f"{caller} {key} {path}"
    )
    done = await work.connection.fetchval(
        "SELECT fingerprint FROM done_command WHERE caller = $1 AND key = $2 AND path = $3", caller, key, path
    )
    if done is None:
        await command(work)
        await work.connection.execute(
            "INSERT INTO done_command (caller, key, path, member_id, fingerprint, done_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            caller,
            key,
            path,
            member_id,
            fingerprint,
            work.now,
        )
    elif done != fingerprint:
        message = "this `Idempotency-Key` was used for another command: make a new key for each"
        raise FieldErrors([FieldProblem((), "IDEMPOTENCY_KEY_REUSED", message)])
    return None


async def perform_once(context: RequestContext, path: str, asked: Any, command: Command[None]) -> None:
    """`once`, as a transaction of its own."""
    await context.perform(lambda work: once(work, path, asked, command))


async def was_done(context: RequestContext, path: str, asked: Any) -> bool:
    """Whether `once` has done this very command: for what comes before it, and is not to happen again.

    That is counting an attempt, asking for a password and hashing one: a repetition would be throttled, or
    refused for a password that was changed since.

    Raises:
        FieldErrors: the key was used for something else.
    """
    if context.exchange.idempotency_key is None:
        return False

    async def not_yet(_: Work) -> None:
        raise _NotYetError

    try:
        await perform_once(context, path, asked, not_yet)
    except _NotYetError:
        return False
    return True


def unsealed(asked: Any) -> Any:
    """What was asked, as JSON would hold it, without values of sealed categories."""
    if is_dataclass(asked) and not isinstance(asked, type):
        shown: dict[str, Any] = {"": type(asked).__name__}
        for field in fields(asked):
            value = getattr(asked, field.name)
            if value is not strawberry.UNSET and not _is_sealed(field):
                shown[field.name] = unsealed(value)
        return shown
    if isinstance(asked, list | tuple):
        return [unsealed(value) for value in asked]
    return asked.value if isinstance(asked, Enum) else asked


def _is_sealed(field: Any) -> bool:
    """An input that does not say what it is counts as sealed."""
    source = source_of(field)
    return not isinstance(source, Accepts) or source.category in SEALED
