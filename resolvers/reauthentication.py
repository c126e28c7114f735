"""Asks a signed-in member for the password again, before a command that a thief of a session must not give.

The hash is read and the attempt counted in one transaction, which is over before the password is checked: a
check takes as long as many statements, and holds no connection meanwhile.
"""

from __future__ import annotations

from policies.principal import MemberPrincipal
from resolvers.commands.member_secrets import read_password_hash
from resolvers.context import RequestContext, Work
from resolvers.throttle import count_attempt, forget_attempts
from schema.errors import FieldErrors, FieldProblem, ForbiddenError


async def require_password(context: RequestContext, password: str, *path: str) -> str:
    """Go on only if `password` is the member's: the hash that it fits. `path` leads to it in the input.

    Raises:
        FieldErrors: it is not.
        ThrottledError: too many attempts.
        ForbiddenError: it is not a member who asks.
    """
    principal = context.principal
    if not isinstance(principal, MemberPrincipal):
        raise ForbiddenError("only a member has a password")
    member_id = principal.member_id

    async def read(work: Work) -> str | None:
        await count_attempt(work, str(member_id))
        return await read_password_hash(work.connection, member_id)

    async def forget(work: Work) -> None:
        await forget_attempts(work, str(member_id))

    password_hash: str | None = await context.perform(read)
    verdict = await context.means.passwords.verify(password_hash, password)
    if password_hash is None or not verdict.fits:
        message = "that is not your password: try again, or ask for a link to set a new one"
        raise FieldErrors([FieldProblem(path, "WRONG_PASSWORD", message)])
    await context.perform(forget)
    return password_hash
