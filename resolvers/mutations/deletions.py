"""The command by which a partner confirms that it has deleted what was withdrawn."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from policies.principal import PartnerPrincipal
from resolvers.commands.deletions import Confirmed, confirm_deletions
from resolvers.context import Work, context_of
from resolvers.mutations.payload import field_errors
from schema.catalogue import RootKind, root
from schema.categories import Audience
from schema.errors import FieldErrors, ForbiddenError
from schema.types.deletions import ConfirmDeletionInput, ConfirmDeletionPayload


async def _confirm(
    info: Info[Any, Any],
    input: ConfirmDeletionInput,  # noqa: A002 - the GraphQL name
) -> ConfirmDeletionPayload:
    context = context_of(info)
    principal = context.principal
    if not isinstance(principal, PartnerPrincipal):
        raise ForbiddenError("only a partner confirms deletions")

    async def confirm(work: Work) -> Confirmed:
        return await confirm_deletions(
            work.connection,
            work.means.read_statement,
            input.statement,
            partner_id=principal.partner_id,
            client_id=principal.client_id,
            token_id=principal.token_id,
            ids=None if input.ids is strawberry.UNSET else input.ids,
            now=work.now,
        )

    try:
        done: Confirmed = await context.perform(confirm)
    except FieldErrors as refused:
        return ConfirmDeletionPayload(
            errors=field_errors(refused), statement=None, confirmed=[], still_owed=[], not_owed=[]
        )
    context.disclose(done.log_ids, len(done.confirmed) + len(done.still_owed))
    confirmed, still_owed, not_owed = (
        [strawberry.ID(str(subject)) for subject in subjects]
        for subjects in (done.confirmed, done.still_owed, done.not_owed)
    )
    return ConfirmDeletionPayload(
        errors=[],
        statement=strawberry.ID(str(done.statement_id)),
        confirmed=confirmed,
        still_owed=still_owed,
        not_owed=not_owed,
    )


@strawberry.type
class DeletionMutation:
    """What a partner states."""

    confirm_deletion: ConfirmDeletionPayload = root(
        RootKind.COMMAND,
        Audience.PARTNER,
        description="Confirm by a signed statement that what was withdrawn is deleted.",
        resolver=_confirm,
    )
