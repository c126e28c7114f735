"""The root fields, by noun, and the one full schema that every contract is cut from."""

from __future__ import annotations

from datetime import datetime

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from resolvers.mutations import Mutation
from resolvers.queries.audience import AudienceQuery
from resolvers.queries.member import MemberQuery
from resolvers.queries.public import PublicQuery
from resolvers.queries.sharing import SharingQuery, Subscription
from resolvers.queries.suppressions import SuppressionQuery
from schema.types.scalars import INSTANT


@strawberry.type(name="Query", description="What can be read.")
class Query(PublicQuery, MemberQuery, SharingQuery, SuppressionQuery, AudienceQuery):
    """All root fields of all audiences."""


def full_schema() -> GraphQLSchema:
    """The schema with every field of every audience. Nobody is served it: see `gateway.contracts`."""
    config = StrawberryConfig(auto_camel_case=True, scalar_map={datetime: INSTANT})
    schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=config)
    return schema._schema  # noqa: SLF001 - Strawberry has no public name for the graphql-core schema
