"""The officer's contract: root fields by noun, and the full schema that each officer's contract is cut from.

It is a schema apart from that of members and partners, so that nothing of it can stand in a contract of
theirs. Each field calls an operation of `resolvers.officers`, as the command line does.
"""

from __future__ import annotations

from datetime import datetime

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from resolvers.staff.agreements import StaffAgreementMutation, StaffAgreementQuery
from resolvers.staff.audience import StaffAudienceQuery
from resolvers.staff.cases import StaffCaseMutation, StaffCaseQuery
from resolvers.staff.policies import StaffPolicyMutation, StaffPolicyQuery
from resolvers.staff.practices import StaffPracticeQuery
from resolvers.staff.records import StaffRecordMutation, StaffRecordQuery
from resolvers.staff.sessions import StaffSessionMutation, StaffSessionQuery
from resolvers.staff.transfers import StaffTransferMutation, StaffTransferQuery
from schema.types.scalars import INSTANT


@strawberry.type(name="Query", description="What officers read. Each answer leaves a line in their log.")
class StaffQuery(
    StaffSessionQuery,
    StaffAgreementQuery,
    StaffRecordQuery,
    StaffCaseQuery,
    StaffPracticeQuery,
    StaffAudienceQuery,
    StaffTransferQuery,
    StaffPolicyQuery,
):
    """All root fields."""


@strawberry.type(name="Mutation", description="What officers do. Each field leaves a line in their log.")
class StaffMutation(
    StaffSessionMutation,
    StaffAgreementMutation,
    StaffRecordMutation,
    StaffCaseMutation,
    StaffTransferMutation,
    StaffPolicyMutation,
):
    """All commands."""


def officers_schema() -> GraphQLSchema:
    """The schema with every field of every role. Nobody is served it: see `gateway.contracts`."""
    config = StrawberryConfig(auto_camel_case=True, scalar_map={datetime: INSTANT})
    schema = strawberry.Schema(query=StaffQuery, mutation=StaffMutation, config=config)
    return schema._schema  # noqa: SLF001 - Strawberry has no public name for the graphql-core schema
