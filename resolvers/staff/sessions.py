"""How officers enrol, sign in, stay signed in and sign out. Tokens go into the payload, not into cookies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import strawberry
from strawberry import Info

from policies.officers import Act, Channel, Officer, acts_of
from policies.passwords import password_problems
from policies.second_factor import address_of, step_of
from resolvers.commands.officer_accounts import Enrolling, enrol, find_enrolling
from resolvers.commands.officer_sessions import (
    Candidate,
    OfficerSession,
    begin_session,
    end_officer_sessions,
    find_candidate,
    renew_officer_session,
)
from resolvers.context import RequestContext, Work, context_of
from resolvers.desk import Desk
from resolvers.pace import even_time
from resolvers.staff.common import concluded, desk_of, officer_of
from resolvers.throttle import count_officer_attempt
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors, FieldProblem, ThrottledError
from schema.types.commands import FieldErrorType
from schema.types.staff.common import DonePayload
from schema.types.staff.sessions import (
    BeginEnrolmentInput,
    BeginEnrolmentPayload,
    EnrolInput,
    EnrolPayload,
    EntranceType,
    OfficerRefreshInput,
    OfficerSessionPayload,
    OfficerSignInInput,
    StaffViewerType,
)

ADVICE: Final = "sign in with `signIn`, or enrol with the code that you were handed: `beginEnrolment`"


async def _sign_in(info: Info[Any, Any], input: OfficerSignInInput) -> OfficerSessionPayload:  # noqa: A002
    """Count, verify the password, then the second factor: the same steps for everybody.

    1. the attempt is counted before anything is looked at, in a transaction of its own;
    2. the password is verified; an officer who does not exist costs the same and fits nothing;
    3. the second factor is tried, also where the password did not fit: of nobody then.
    """
    context = context_of(info)
    try:
        candidate: Candidate = await context.perform(lambda work: find_candidate(work, input.name))  # 1
    except ThrottledError as busy:
        return _refused(busy.code, str(busy))
    async with even_time(context.means.rules.answer_floor):
        verdict = await context.means.passwords.verify(candidate.password_hash, input.password)  # 2
        tried = candidate if verdict.fits else candidate.unknown()
        begun: OfficerSession | None = await context.perform(
            lambda work: begin_session(work, tried, input.code)  # 3
        )
    if begun is None:
        return _refused(
            "INVALID_CREDENTIALS", "name, password or code is wrong, or the code was used: try the next one"
        )
    return _granted(begun)


async def _refresh(
    info: Info[Any, Any],
    input: OfficerRefreshInput,  # noqa: A002 - the GraphQL name
) -> OfficerSessionPayload:
    context = context_of(info)
    renewed: OfficerSession | None = await context.perform(
        lambda work: renew_officer_session(work, input.refresh_token)
    )
    if renewed is None:
        return _refused("SESSION_OVER", "this session is over: sign in again")
    return _granted(renewed)


async def _begin_enrolment(
    info: Info[Any, Any],
    input: BeginEnrolmentInput,  # noqa: A002 - the GraphQL name
) -> BeginEnrolmentPayload:
    context = context_of(info)

    async def steps() -> Mapping[str, Any]:
        found = await _enrolling(context, input.enrolment)
        secret = context.means.factor_secret(found.officer_id, found.factor)
        return {
            "name": found.name,
            "authenticator": address_of(secret, found.name, context.means.company.name),
        }

    return await concluded(BeginEnrolmentPayload, steps())


async def _enrol(info: Info[Any, Any], input: EnrolInput) -> EnrolPayload:  # noqa: A002 - the GraphQL name
    context = context_of(info)

    async def steps() -> Mapping[str, Any]:
        found = await _enrolling(context, input.enrolment)
        own = [found.name, found.display_name]
        problem = await asyncio.to_thread(password_problems, input.password, own)
        if problem is not None:
            raise FieldErrors([FieldProblem(("password",), *problem)])
        password_hash = await context.means.passwords.hash(input.password)

        async def enrolled(work: Work) -> list[str]:
            return await _enrolled(work, input, password_hash)

        return {"recovery_codes": await context.perform(enrolled)}

    return await concluded(EnrolPayload, steps())


async def _enrolling(context: RequestContext, code: str) -> Enrolling:
    """Whose enrolment this is, counted as an attempt on it.

    Raises:
        FieldErrors: it is nobody's, was used, or is too old.
        ThrottledError: too many attempts.
    """

    async def find(work: Work) -> Enrolling | None:
        found = await find_enrolling(work.connection, work.means.tokens, code, work.now)
        await count_officer_attempt(work, "enrolment" if found is None else f"enrolment {found.factor}")
        return found

    found: Enrolling | None = await context.perform(find)
    if found is None:
        raise _no_enrolment()
    return found


async def _enrolled(work: Work, given: EnrolInput, password_hash: str) -> list[str]:
    found = await find_enrolling(work.connection, work.means.tokens, given.enrolment, work.now)
    if found is None:
        raise _no_enrolment()
    step = step_of(work.means.factor_secret(found.officer_id, found.factor), given.code, work.now)
    if step is None or step <= found.last_step:
        message = "`code` is not what your authenticator shows now: check its clock, and try the next one"
        raise FieldErrors([FieldProblem(("code",), "WRONG_CODE", message)])
    officer = Officer(found.name, frozenset(found.roles), Channel.CONTRACT)
    await Desk(work.connection, officer, work.now, lambda: work.matrix).act(Act.FACTOR_ENROL)
    return await enrol(work.connection, found, step=step, password_hash=password_hash, now=work.now)


def _no_enrolment() -> FieldErrors:
    message = "this enrolment was used, is too old, or never was: ask for another"
    return FieldErrors([FieldProblem(("enrolment",), "ENROLMENT_OVER", message)])


async def _sign_out(info: Info[Any, Any]) -> DonePayload:
    return await _ended(info, everywhere=False)


async def _sign_out_everywhere(info: Info[Any, Any]) -> DonePayload:
    return await _ended(info, everywhere=True)


async def _ended(info: Info[Any, Any], *, everywhere: bool) -> DonePayload:
    async def end(work: Work) -> None:
        who = officer_of(work.principal)
        await end_officer_sessions(desk_of(work), who.officer_id, None if everywhere else who.session_id)

    await context_of(info).perform(end)
    return DonePayload(errors=[])


def _viewer(info: Info[Any, Any]) -> StaffViewerType:
    who = officer_of(context_of(info).principal)
    return StaffViewerType(
        name=who.officer.name,
        display_name=who.display_name,
        roles=sorted(role.value for role in who.officer.roles),
        acts=sorted(act.value for act in acts_of(who.officer.roles)),
    )


def _entrance() -> EntranceType:
    return EntranceType(advice=ADVICE)


def _granted(session: OfficerSession) -> OfficerSessionPayload:
    return OfficerSessionPayload(
        errors=[],
        access_token=session.access.token,
        expires_at=datetime.fromtimestamp(session.access.expires_at, UTC),
        refresh_token=session.refresh_token,
        session_until=session.until,
    )


def _refused(code: str, message: str) -> OfficerSessionPayload:
    return OfficerSessionPayload(errors=[FieldErrorType(path=[], code=code, message=message)])


@strawberry.type
class StaffSessionQuery:
    """Who asks."""

    viewer: StaffViewerType = root(
        RootKind.PLAIN, Audience.OFFICER, description="Who you are here.", resolver=_viewer
    )
    entrance: EntranceType = root(
        RootKind.PLAIN, Audience.ENTRANCE, description="How to come in.", resolver=_entrance
    )


@strawberry.type
class StaffSessionMutation:
    """The ways in and out."""

    sign_in: OfficerSessionPayload = root(
        RootKind.COMMAND,
        Audience.ENTRANCE,
        description="Sign in with name, password and second factor.",
        resolver=_sign_in,
    )
    refresh_session: OfficerSessionPayload = root(
        RootKind.COMMAND,
        Audience.ENTRANCE,
        Audience.OFFICER,
        description="A new access token, and a new refresh token in place of the one used.",
        resolver=_refresh,
    )
    begin_enrolment: BeginEnrolmentPayload = root(
        RootKind.COMMAND,
        Audience.ENTRANCE,
        description="What your authenticator needs, for the code that you were handed.",
        resolver=_begin_enrolment,
    )
    enrol: EnrolPayload = root(
        RootKind.COMMAND,
        Audience.ENTRANCE,
        description="Set your password and confirm the second factor. The enrolment code works no more.",
        resolver=_enrol,
    )
    sign_out: DonePayload = root(
        RootKind.COMMAND, Audience.OFFICER, description="End this session.", resolver=_sign_out
    )
    sign_out_everywhere: DonePayload = root(
        RootKind.COMMAND,
        Audience.OFFICER,
        description="End all your sessions, this one as well.",
        resolver=_sign_out_everywhere,
    )
