"""What identity needs to know of who calls: a partner's client with its agreement, a member's standing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from policies.aggregate_agreement import AggregateTerms
from policies.agreement import AgreementTerms
from resolvers.aggregate_terms import read_terms as read_aggregate_terms
from resolvers.connection import Link
from resolvers.decision_facts import read_terms
from schema.tables.member import MemberStatus
from schema.tables.sharing import ClientStatus
from schema.vocabulary import ClientAuth, Restriction


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A partner's API client: whether it may get in, and under which terms it acts."""

    active: bool
    terms: AgreementTerms | AggregateTerms
    auth: ClientAuth | None = None
    """How it proves who it is where it gets its tokens."""
    dpop: bool = False
    """Whether every token of it has to be bound to a key (RFC 9449)."""
    restriction: Restriction = Restriction.NONE
    """What overdue deletions have done to its tokens."""


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """Whether a member may sign in: those who left may not."""

    active: bool


async def read_client(connection: Link, client_id: str) -> ClientFacts | None:
    """The client of that id, or None."""
    row = await connection.fetchrow(
        "SELECT c.status AS client_status, c.auth_method, c.dpop, c.aggregate_agreement_id, a.id,"
        " a.partner_id, a.basis, a.purpose, a.categories, a.valid_from, a.valid_until, a.status, a.version,"
        " a.restriction"
        " FROM partner_client c LEFT JOIN agreement a ON a.id = c.agreement_id WHERE c.client_id = $1",
        client_id,
    )
    if row is None:
        return None
    terms: AgreementTerms | AggregateTerms | None
    if row["aggregate_agreement_id"] is None:
        terms = read_terms(row)
    else:
        terms = await read_aggregate_terms(connection, row["aggregate_agreement_id"])
    if terms is None:
        return None
    auth = None if row["auth_method"] is None else ClientAuth(row["auth_method"])
    return ClientFacts(
        row["client_status"] == ClientStatus.ACTIVE,
        terms,
        auth,
        row["dpop"],
        Restriction(row["restriction"] or Restriction.NONE),
    )


async def read_standing(connection: Link, member_id: UUID) -> MemberStanding | None:
    """The standing of a member, or None if there is none of that id."""
    status = await connection.fetchval("SELECT status FROM member WHERE id = $1", member_id)
    if status is None:
        return None
    return MemberStanding(status not in (MemberStatus.CLOSED, MemberStatus.PENDING))


async def find_member(connection: Link, number: str) -> UUID | None:
    """The id of the member with that number, or None."""
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM member WHERE number = $1 AND status <> $2", number, MemberStatus.PENDING.value
    )
    return found
