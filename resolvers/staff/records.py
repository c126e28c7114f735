"""Queues, records, profiles and officers in the officer's contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from asyncpg import Record
from strawberry import UNSET, Info

from policies.officers import Act, Role
from resolvers.commands.deletions import Obligation
from resolvers.commands.request_desk import RequestView
from resolvers.context import context_of, projected_root
from resolvers.desk import Action, list_actions
from resolvers.disclosure_reading import Wanted
from resolvers.mutations.payload import stated
from resolvers.officers import accounts, deletions, disclosures, requests
from resolvers.staff.common import Paging, asks, at_desk, concluded, does, id_of, paging, shown_as
from schema.catalogue import RootKind
from schema.categories import Basis, Purpose
from schema.errors import CursorError, InputError
from schema.ids import parse_uuid
from schema.tables.requests import RequestKind, RequestStatus
from schema.types.connections import After, First
from schema.types.staff.common import DonePayload, Page
from schema.types.staff.members import ProfileType
from schema.types.staff.records import (
    ActionsWhere,
    ActionType,
    AnswerRequestInput,
    ChangeRolesInput,
    CreateOfficerInput,
    DisclosuresWhere,
    EnrolmentCodePayload,
    FullRequestType,
    ObligationType,
    OfficerInput,
    OfficerType,
    OverdueType,
    QueuedRequestType,
    RequestPayload,
    RequestsWhere,
    StaffDisclosureType,
    TakeRequestInput,
)
from schema.vocabulary import Restriction

Number = Annotated[str, strawberry.argument(description="The member's number.")]
Reason = Annotated[
    str,
    strawberry.argument(description="Why you read it. It is written down first, and the member can read it."),
]
RequestId = Annotated[strawberry.ID, strawberry.argument(description="The `id` in `requests`.")]
Partner = Annotated[str, strawberry.argument(description="Short name of the partner.")]
Confirmed = Annotated[
    bool | None, strawberry.argument(description="Those that were confirmed, instead of those owed.")
]


async def _member(info: Info[Any, Any], number: Number, reason: Reason) -> Any:
    return await projected_root(info)


async def _requests(
    info: Info[Any, Any], where: RequestsWhere | None = UNSET, first: First = UNSET, after: After = UNSET
) -> Page[QueuedRequestType]:
    given = _given(where)
    page = paging(info, first, after, of=given)
    found = await at_desk(
        info,
        lambda desk: requests.list_requests(
            desk,
            kind=RequestKind(given["kind"]) if "kind" in given else None,
            status=RequestStatus(given["status"]) if "status" in given else None,
            after=_due(page),
            limit=page.size + 1,
        ),
    )
    return page.page(found, _queued, lambda view: (view.due_at.isoformat(), view.id))


async def _request(info: Info[Any, Any], id: RequestId) -> FullRequestType:  # noqa: A002 - the GraphQL name
    request_id = id_of(id, "id")
    view = await at_desk(info, lambda desk: requests.show_request(desk, request_id))
    return shown_as(FullRequestType, view)


async def _overdue(info: Info[Any, Any]) -> list[OverdueType]:
    return [
        OverdueType(
            partner=row["name"],
            overdue=row["overdue"],
            since=row["since"],
            restriction=Restriction(row["restriction"]),
        )
        for row in await at_desk(info, deletions.overdue_deletions)
    ]


async def _deletions(
    info: Info[Any, Any],
    partner: Partner,
    confirmed: Confirmed = UNSET,
    first: First = UNSET,
    after: After = UNSET,
) -> Page[ObligationType]:
    done = confirmed is True
    page = paging(info, first, after, of=(partner, done))
    found = await at_desk(
        info,
        lambda desk: deletions.list_obligations(
            desk, partner, confirmed=done, after=_due(page), limit=page.size + 1
        ),
    )
    return page.page(found, _obligation, lambda one: (one.due_at.isoformat(), one.row_id))


async def _disclosures(
    info: Info[Any, Any],
    where: DisclosuresWhere | None = UNSET,
    first: First = UNSET,
    after: After = UNSET,
) -> Page[StaffDisclosureType]:
    given = _given(where)
    page = paging(info, first, after, of=given)
    found = await at_desk(
        info,
        lambda desk: disclosures.search_disclosures(
            desk, Wanted(**given), page.size + 1, before=page.number()
        ),
    )
    return page.page(found, _disclosure, lambda row: (row["place"],))


async def _actions(
    info: Info[Any, Any], where: ActionsWhere | None = UNSET, first: First = UNSET, after: After = UNSET
) -> Page[ActionType]:
    given = _given(where)
    act = None if given.get("act") is None else _act(given["act"])
    page = paging(info, first, after, of=given)
    found = await at_desk(
        info,
        lambda desk: list_actions(
            desk,
            officer=given.get("officer"),
            act=act,
            about=given.get("about"),
            number=given.get("member"),
            since=given.get("since"),
            before=page.number(),
            first=page.size + 1,
        ),
    )
    return page.page(found, _action, lambda action: (action.seq,))


async def _officers(info: Info[Any, Any]) -> list[OfficerType]:
    return [shown_as(OfficerType, view) for view in await at_desk(info, accounts.list_officers)]


async def _take(info: Info[Any, Any], input: TakeRequestInput) -> RequestPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        request_id = id_of(input.id, "id")
        view = await at_desk(info, lambda desk: requests.take_request(desk, request_id))
        return {"request": _queued(view)}

    return await concluded(RequestPayload, steps())


async def _answer(info: Info[Any, Any], input: AnswerRequestInput) -> RequestPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        request_id = id_of(input.id, "id")
        view = await at_desk(
            info,
            lambda desk: requests.answer_request(desk, request_id, input.outcome, declined=input.declined),
        )
        return {"request": _queued(view)}

    return await concluded(RequestPayload, steps())


async def _create_officer(
    info: Info[Any, Any],
    input: CreateOfficerInput,  # noqa: A002 - the GraphQL name
) -> EnrolmentCodePayload:
    async def steps() -> Mapping[str, Any]:
        roles, tokens = _roles(input.roles), context_of(info).means.tokens
        code = await at_desk(
            info,
            lambda desk: accounts.create_officer(
                desk, tokens, name=input.name, display_name=input.display_name, roles=roles
            ),
        )
        return {"enrolment": code}

    return await concluded(EnrolmentCodePayload, steps())


async def _change_roles(info: Info[Any, Any], input: ChangeRolesInput) -> DonePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        roles = _roles(input.roles)
        await at_desk(info, lambda desk: accounts.change_roles(desk, input.name, roles))
        return {}

    return await concluded(DonePayload, steps())


async def _disable(info: Info[Any, Any], input: OfficerInput) -> DonePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        await at_desk(info, lambda desk: accounts.disable_officer(desk, input.name))
        return {}

    return await concluded(DonePayload, steps())


async def _reset(info: Info[Any, Any], input: OfficerInput) -> EnrolmentCodePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        tokens = context_of(info).means.tokens
        return {"enrolment": await at_desk(info, lambda d: accounts.reset_factor(d, tokens, input.name))}

    return await concluded(EnrolmentCodePayload, steps())


def _given(where: Any) -> dict[str, Any]:
    """What a search names; what is null narrows nothing."""
    if where is None or where is UNSET:
        return {}
    return {name: value for name, value in stated(where).items() if value is not None}


def _due(page: Paging) -> tuple[datetime, UUID] | None:
    """The cursor as a date and an id."""
    if page.position is None:
        return None
    try:
        due, text = page.position
        row_id = parse_uuid(text)
        if row_id is not None:
            return datetime.fromisoformat(due), row_id
    except ValueError:
        pass
    raise CursorError("`after` is not a cursor of this list: pass an `endCursor` you were given")


def _act(text: str) -> Act:
    try:
        return Act(text)
    except ValueError as error:
        raise InputError("`act`: a word of the log, such as `profile.read`: see `viewer`") from error


def _roles(texts: list[str]) -> list[Role]:
    try:
        return [Role(text) for text in texts]
    except ValueError as error:
        raise InputError(f"`roles`: of {', '.join(Role)}") from error


def _queued(view: RequestView) -> QueuedRequestType:
    return shown_as(QueuedRequestType, view)


def _obligation(one: Obligation) -> ObligationType:
    return shown_as(ObligationType, one, id=strawberry.ID(str(one.row_id)))


def _disclosure(row: Record) -> StaffDisclosureType:
    return StaffDisclosureType(
        recorded_at=row["recorded_at"],
        partner=row["partner"],
        client_id=row["client_id"],
        token_id=row["token_id"],
        operation_name=row["operation_name"],
        basis=Basis(row["basis"]),
        purpose=Purpose(row["purpose"]),
        categories=list(row["categories"]),
        members=row["members"],
        writer=strawberry.ID(str(row["writer"])),
        position=row["position"],
    )


def _action(action: Action) -> ActionType:
    return shown_as(ActionType, action, seq=strawberry.ID(str(action.seq)))


@strawberry.type
class StaffRecordQuery:
    """What officers read of requests and records."""

    member: ProfileType | None = asks(
        Act.PROFILE_READ,
        "A member's profile, for a reason.",
        _member,
        RootKind.NAMED,
    )
    requests: Page[QueuedRequestType] = asks(
        Act.REQUEST_LIST, "Requests, what is due first before the others.", _requests
    )
    request: FullRequestType = asks(Act.REQUEST_READ, "One request, with what was written.", _request)
    overdue_deletions: list[OverdueType] = asks(
        Act.DELETION_READ, "The partners that are late, the longest first.", _overdue
    )
    deletions: Page[ObligationType] = asks(
        Act.DELETION_READ, "What a partner has to delete, what is due first before the others.", _deletions
    )
    disclosures: Page[StaffDisclosureType] = asks(
        Act.DISCLOSURE_READ, "What has left to partners, newest first.", _disclosures
    )
    actions: Page[ActionType] = asks(Act.ACTION_READ, "What officers did, newest first.", _actions)
    officers: list[OfficerType] = asks(Act.OFFICER_READ, "Every officer, by name.", _officers)


@strawberry.type
class StaffRecordMutation:
    """What officers do with requests and accounts."""

    take_request: RequestPayload = does(
        Act.REQUEST_ANSWER, "Note that a request is worked on: it cannot be taken back any more.", _take
    )
    answer_request: RequestPayload = does(
        Act.REQUEST_ANSWER, "Close a request with its outcome, and mail that there is one.", _answer
    )
    create_officer: EnrolmentCodePayload = does(
        Act.OFFICER_CHANGE, "Make an account; its enrolment code is shown this once.", _create_officer
    )
    change_roles: DonePayload = does(
        Act.OFFICER_CHANGE, "Other roles, from the next request on.", _change_roles
    )
    disable_officer: DonePayload = does(
        Act.OFFICER_CHANGE, "Let an officer sign in no more, and end every session.", _disable
    )
    reset_factor: EnrolmentCodePayload = does(
        Act.OFFICER_CHANGE, "Enrol an officer anew: what signed in before counts no more.", _reset
    )
