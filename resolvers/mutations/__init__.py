"""The commands as GraphQL mutations, by noun."""

from __future__ import annotations

import strawberry

from resolvers.mutations.contact_data import ContactDataMutation
from resolvers.mutations.deletions import DeletionMutation
from resolvers.mutations.passwords import PasswordMutation
from resolvers.mutations.profile import ProfileMutation
from resolvers.mutations.registration import RegistrationMutation
from resolvers.mutations.requests import RequestsMutation
from resolvers.mutations.sessions import SessionMutation
from resolvers.mutations.visits import VisitsMutation


@strawberry.type(name="Mutation", description="What can be changed. Each field is one transaction.")
class Mutation(
    ProfileMutation,
    ContactDataMutation,
    RequestsMutation,
    RegistrationMutation,
    SessionMutation,
    PasswordMutation,
    VisitsMutation,
    DeletionMutation,
):
    """All commands of all audiences."""
