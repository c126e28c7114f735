"""Signing in, staying signed in, signing out.

A cookie counts only where no foreign page can have sent it (`Exchange.origin_admitted`): whoever has nothing
but the cookie is otherwise refused before anything is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import strawberry
from strawberry import Info

from policies.principal import MemberPrincipal
from resolvers.commands.opt_out_signal import note_signal, note_signal_in_session
from resolvers.commands.sessions import (
    Account,
    Issued,
    count_and_find,
    end_all_sessions,
    end_session,
    end_sessions,
    opened,
    renew_session,
    start_session,
)
from resolvers.context import RequestContext, context_of
from resolvers.exchange import Cookie, Exchange
from resolvers.mutations.payload import CommandPayload, ProfilePayload, concluded, stated
from resolvers.pace import even_time
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import ForbiddenError, ThrottledError, UnavailableError
from schema.types.commands import FieldErrorType
from schema.types.sessions import EndSessionInput, RefreshSessionInput, SessionPayload, SignInInput
from schema.vocabulary import Delivery

COOKIE: Final = "refresh"


async def _sign_in(info: Info[Any, Any], input: SignInInput) -> SessionPayload:  # noqa: A002 - GraphQL's
    """Count, verify, begin: three steps, of which the slow one holds no connection.

    1. the attempt is counted before the password is looked at, in a transaction of its own;
    2. the password is verified; an account that may not sign in costs the same and fits nothing;
    3. the session begins, if all is still as it was found.
    """
    context = context_of(info)
    if input.delivery == Delivery.COOKIE:
        _require_origin(context.exchange)
    try:
        account = await context.perform(lambda work: count_and_find(work, input.email))  # 1
    except ThrottledError as busy:
        return _refused(busy.code, str(busy))
    async with even_time(context.means.rules.answer_floor):
        issued = await _begun(context, account, input.password)
    if issued is None:
        message = "e-mail address or password is wrong: try again, or ask for a link to set a password"
        return _refused("INVALID_CREDENTIALS", message)
    if issued.displaced:
        await context.means.hear()
    return _granted(context.exchange, issued, input.delivery)


async def _begun(context: RequestContext, account: Account, password: str) -> Issued | None:
    passwords = context.means.passwords
    verdict = await passwords.verify(account.password_hash, password)  # 2
    if not verdict.fits:
        return None
    new_hash = None
    if verdict.outdated:
        try:
            new_hash = await passwords.hash(password)
        except UnavailableError:
            new_hash = None  # the next sign-in does it
    if context.exchange.opts_out:
        # Before the session, and on its own: it locks what the session must not wait for with locks held.
        await context.perform(lambda work: note_signal(work, account.member_id))
    issued: Issued | None = await context.perform(lambda work: start_session(work, account, new_hash))  # 3
    return issued


async def _refresh_session(
    info: Info[Any, Any],
    input: RefreshSessionInput | None = None,  # noqa: A002 - the GraphQL name
) -> SessionPayload:
    context = context_of(info)
    given = None if input is None or input.refresh_token is strawberry.UNSET else input.refresh_token
    delivery = Delivery.COOKIE if given is None else Delivery.PAYLOAD
    if given is None:
        _require_origin(context.exchange)
        given = context.exchange.cookies.get(COOKIE, "")
    token = given
    issued: Issued | None = await context.perform(lambda work: renew_session(work, token))
    if issued is not None:
        if context.exchange.opts_out:
            # On its own, with no lock on the session; if it fails, the same token may ask again.
            session_id = issued.session_id
            await context.perform(lambda work: note_signal_in_session(work, session_id))
        return _granted(context.exchange, issued, delivery)
    await context.means.hear()
    if delivery == Delivery.COOKIE:
        remove_cookie(context.exchange)
    return _refused("SESSION_OVER", "this session is over: sign in again")


async def _sign_out(info: Info[Any, Any]) -> CommandPayload:
    context = context_of(info)
    principal, exchange = context.principal, context.exchange
    mine = principal.session_id if isinstance(principal, MemberPrincipal) else None
    cookie = exchange.cookies.get(COOKIE)
    if mine is None and cookie is not None:
        _require_origin(exchange)
    sessions = [] if mine is None else [mine]
    if cookie is not None and exchange.origin_admitted:
        named = opened(context.means.tokens, cookie)
        sessions += [] if named is None else [named[0]]
        remove_cookie(exchange)
    if sessions:
        await context.perform(lambda work: end_sessions(work, sessions))
        await context.means.hear()
    return CommandPayload(errors=[])


async def _end_session(info: Info[Any, Any], input: EndSessionInput) -> ProfilePayload:  # noqa: A002
    return await concluded(ProfilePayload, _ended(context_of(info), stated(input)))


async def _ended(context: RequestContext, given: Mapping[str, Any]) -> None:
    await context.perform(lambda work: end_session(work, given))
    await context.means.hear()


async def _sign_out_everywhere(info: Info[Any, Any]) -> CommandPayload:
    context = context_of(info)
    principal = context.principal
    if not isinstance(principal, MemberPrincipal):
        raise ForbiddenError("only a member has sessions")
    await context.perform(lambda work: end_all_sessions(work, principal.member_id))
    await context.means.hear()
    remove_cookie(context.exchange)
    return CommandPayload(errors=[])


def _granted(exchange: Exchange, issued: Issued, delivery: Delivery) -> SessionPayload:
    by_cookie = delivery == Delivery.COOKIE
    if by_cookie:
        lasts = max(issued.lasts, timedelta(0))
        exchange.set_cookie(Cookie(COOKIE, issued.refresh_token, int(lasts.total_seconds())))
    return SessionPayload(
        errors=[],
        access_token=issued.access.token,
        expires_at=datetime.fromtimestamp(issued.access.expires_at, UTC),
        session_id=strawberry.ID(str(issued.session_id)),
        refresh_token=None if by_cookie else issued.refresh_token,
    )


def _refused(code: str, message: str) -> SessionPayload:
    return SessionPayload(errors=[FieldErrorType(path=[], code=code, message=message)])


def remove_cookie(exchange: Exchange) -> None:
    """The browser is to forget its refresh token."""
    exchange.set_cookie(Cookie(COOKIE, "", 0))


def _require_origin(exchange: Exchange) -> None:
    """Go on only if no page of a foreign origin asks (CSRF).

    Raises:
        ForbiddenError: one does.
    """
    if not exchange.origin_admitted:
        raise ForbiddenError("pages of this origin may not use cookies here: see `cors_origins`")


@strawberry.type
class SessionMutation:
    """The ways into and out of a session."""

    sign_in: SessionPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="Sign in with e-mail address and password (C14).",
        resolver=_sign_in,
    )
    refresh_session: SessionPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="A new access token, and a new refresh token in place of the one used.",
        resolver=_refresh_session,
    )
    sign_out: CommandPayload = root(
        RootKind.COMMAND,
        Audience.VISITOR,
        Audience.MEMBER,
        description="End this session: that of the access token, and that of the cookie.",
        resolver=_sign_out,
    )
    end_session: ProfilePayload = root(
        RootKind.COMMAND, Audience.MEMBER, description="End one of your sessions.", resolver=_end_session
    )
    sign_out_everywhere: CommandPayload = root(
        RootKind.COMMAND,
        Audience.MEMBER,
        description="End all your sessions, this one as well, and every token there is.",
        resolver=_sign_out_everywhere,
    )
