"""Queues and records, as officers read them: requests, deletions, disclosures, actions, officers."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import Basis, DataCategory, Purpose
from schema.tables.requests import RequestKind, RequestStatus
from schema.types.commands import FieldErrorType
from schema.vocabulary import Restriction

_OPS = DataCategory.OPERATIONS


@strawberry.type(name="QueuedRequest", description="A request in the queue: what is to be done, until when.")
class QueuedRequestType:
    """Nothing of what was written: that is `request`."""

    id: strawberry.ID = structural("Names the request.")
    kind: RequestKind = structural("What was asked.")
    status: RequestStatus = structural("Where it stands.")
    opened_at: datetime = structural("When it was asked.")
    due_at: datetime = structural("Until when it has to be answered.")
    member_number: str | None = structural("Who asked; null: a visitor.")


@strawberry.type(name="RequestInFull", description="A request, with what was written.")
class FullRequestType:
    """For whoever works it off."""

    id: strawberry.ID = structural("Names the request.")
    kind: RequestKind = structural("What was asked.")
    status: RequestStatus = structural("Where it stands.")
    opened_at: datetime = structural("When it was asked.")
    due_at: datetime = structural("Until when it has to be answered.")
    closed_at: datetime | None = structural("When it was over.")
    member_number: str | None = structural("Who asked; null: a visitor.")
    subject: str = structural("What it is about.")
    body: str = structural("What was written.")
    reply_to: str | None = structural("Where a visitor wants the answer.")
    target_kind: str | None = structural("Of a correction: what is to be corrected.")
    target_id: strawberry.ID | None = structural("Which record of that kind.")
    outcome: str | None = structural("What came of it.")


@strawberry.input(name="RequestsWhere", description="Which requests.")
class RequestsWhere:
    """All that are under way, if nothing is given."""

    kind: RequestKind | None = accepts(_OPS, "Only of this kind.", optional=True)
    status: RequestStatus | None = accepts(_OPS, "Only those that stand so.", optional=True)


@strawberry.input(name="TakeRequestInput", description="Which request.")
class TakeRequestInput:
    """One of them."""

    id: strawberry.ID = accepts(_OPS, "The `id` in `requests`.")


@strawberry.input(name="AnswerRequestInput", description="What came of a request.")
class AnswerRequestInput:
    """The asker reads the outcome."""

    id: strawberry.ID = accepts(_OPS, "The `id` in `requests`.")
    outcome: str = accepts(DataCategory.PRIVATE_CONTENT, "The asker reads this. No telephone numbers.")
    declined: bool = strawberry.field(
        default=False, description="It is not done; say why.", metadata=accepts(_OPS, "").metadata
    )


@strawberry.type(name="RequestPayload", description="What came of a command on a request.")
class RequestPayload:
    """The request as it stands, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    request: QueuedRequestType | None = structural("As it stands; null when refused.", default=None)


@strawberry.type(name="Overdue", description="A partner that is late with deletions.")
class OverdueType:
    """Of all its agreements."""

    partner: str = structural("Short name of the partner.")
    overdue: int = structural("How many members it should have deleted something of.")
    since: datetime = structural("When the first was due.")
    restriction: Restriction = structural("What came of it so far.")


@strawberry.type(name="Obligation", description="What a partner has to delete of one member, or has deleted.")
class ObligationType:
    """One row of `deletion`. The member is named as the partner knows her, and in no other way."""

    id: strawberry.ID = structural("Names the obligation.")
    subject: strawberry.ID = structural("The member, by the id that the partner knows.")
    basis: Basis = structural("Of the agreement.")
    purpose: Purpose = structural("Of the agreement.")
    categories: list[str] = structural("The keys to delete.")
    withdrawn_at: datetime = structural("When it was withdrawn.")
    due_at: datetime = structural("Until when it has to be confirmed.")
    told_at: datetime | None = structural("When the partner was told.")
    confirmed_at: datetime | None = structural("When it confirmed.")


@strawberry.type(name="Disclosure", description="One response that left to a partner (R2).")
class StaffDisclosureType:
    """One row of `disclosure`; of members only how many."""

    recorded_at: datetime = structural("When it left.")
    partner: str | None = structural("Short name of the partner; null: it is gone.")
    client_id: str = structural("Which client asked.")
    token_id: str = structural("With which token.")
    operation_name: str | None = structural("What the client calls the operation.")
    basis: Basis = structural("Why it could leave.")
    purpose: Purpose = structural("What it is used for.")
    categories: list[str] = structural("The data categories that the response held.")
    members: int = structural("Of how many members.")
    writer: strawberry.ID = structural("The chain that the record is in.")
    position: int = structural("Its place in that chain.")


@strawberry.input(name="DisclosuresWhere", description="Which disclosures. All that is given has to hold.")
class DisclosuresWhere:
    """A search of the log."""

    partner: str | None = accepts(_OPS, "Short name of a partner.", optional=True)
    client: str | None = accepts(_OPS, "A client id.", optional=True)
    member: str | None = accepts(_OPS, "A member number.", optional=True)
    category: str | None = accepts(_OPS, "The key of a data category.", optional=True)
    since: datetime | None = accepts(_OPS, "Not before.", optional=True)
    until: datetime | None = accepts(_OPS, "Before, and not then.", optional=True)


@strawberry.type(name="Action", description="One line of the log of officers' actions.")
class ActionType:
    """One row of `officer_action`."""

    seq: strawberry.ID = structural("The number of the line: a later one is higher.")
    done_at: datetime = structural("When.")
    officer: str = structural("Who.")
    roles: list[str] = structural("In which roles.")
    channel: str = structural("By which door: COMMAND_LINE or CONTRACT.")
    act: str = structural("What was done: the noun, a dot, the verb.")
    about: str = structural("To what.")
    reason: str | None = structural("For which reason.")
    member: strawberry.ID | None = structural("About which member, by a random id of the logs.")


@strawberry.input(name="ActionsWhere", description="Which lines. All that is given has to hold.")
class ActionsWhere:
    """A search of the log."""

    officer: str | None = accepts(_OPS, "The name of an officer.", optional=True)
    act: str | None = accepts(_OPS, "Such as `profile.read`.", optional=True)
    about: str | None = accepts(_OPS, "How what it is about begins, such as `agreement`.", optional=True)
    member: str | None = accepts(_OPS, "A member number.", optional=True)
    since: datetime | None = accepts(_OPS, "Not before.", optional=True)


@strawberry.type(name="Officer", description="Somebody on the staff who may sign in here.")
class OfficerType:
    """One row of `officer`."""

    name: str = structural("Short name, as the log of actions keeps it.")
    display_name: str = structural("Name for people.")
    roles: list[str] = structural("PRIVACY_OFFICER, SUPPORT or AUDITOR.")
    status: str = structural("INVITED until enrolled, ACTIVE, or DISABLED.")
    created_at: datetime = structural("Since when.")
    enrolment_until: datetime | None = structural("Until when the enrolment code works; null: used, or none.")


@strawberry.input(name="CreateOfficerInput", description="A new officer.")
class CreateOfficerInput:
    """Names and roles."""

    name: str = accepts(_OPS, "Short name: lower case, digits, dots, hyphens.")
    display_name: str = accepts(_OPS, "Name for people.")
    roles: list[str] = accepts(_OPS, "PRIVACY_OFFICER, SUPPORT or AUDITOR; at least one.")


@strawberry.input(name="ChangeRolesInput", description="Other roles for an officer.")
class ChangeRolesInput:
    """In place of those before."""

    name: str = accepts(_OPS, "Which officer.")
    roles: list[str] = accepts(_OPS, "All roles from now on.")


@strawberry.input(name="OfficerInput", description="An officer.")
class OfficerInput:
    """One of them."""

    name: str = accepts(_OPS, "Which officer.")


@strawberry.type(name="EnrolmentPayload", description="A code that enrols an officer, shown this once.")
class EnrolmentCodePayload:
    """The code, or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    enrolment: str | None = structural("Hand it over by another way than the name.", default=None)
