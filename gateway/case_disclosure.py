"""Hands over what an open legal case asks for as a file: for authorities that have no client of their own.

In: a case, as an officer has begun its disclosure. Out: the members whom it names, exactly as the authority's
own client would be shown them: the same contract, statement and record. The record names the case as the
client and the officer as the token.

INVARIANT (recorded-then-released): the members are returned only after `Egress.release` of each page; whoever
writes them to a file creates it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from gateway.account_means import open_means
from gateway.answers import encode
from gateway.bulk_document import OPERATION, bulk_document
from gateway.contracts import Contracts
from gateway.cursors import SealedCursors
from gateway.database import Database
from gateway.egress import Egress
from gateway.execution import Engine
from gateway.keys import Keyring
from gateway.limits import Limits
from gateway.operations import Preparer
from gateway.planner import Operation
from gateway.policy_in_force import PolicyInForce
from gateway.settings import Settings
from gateway.variables import coerce_variables
from policies.matrix import Matrix
from policies.principal import ClientPrincipal, PartnerPrincipal
from resolvers.binding import PageLimits
from resolvers.cases import CaseStatus, CaseView, read_case
from resolvers.disclosure_log import DisclosureLog
from resolvers.queries import full_schema
from schema.errors import UnauthenticatedError
from schema.proof import prove

PAGE: Final = 50
"""Members of a page, and so of a record."""


def _now() -> datetime:
    return datetime.now(UTC)


async def disclosed_members(
    settings: Settings, keys: Keyring, database: Database, matrix: Matrix, case: CaseView, officer: str
) -> Sequence[Any]:
    """The members of the case as its contract shows them, recorded page by page; `matrix` is in force.

    Raises:
        DisclosureUnrecordedError: R2; nothing may be written down.
        UnauthenticatedError: the case ended meanwhile.
    """
    schema, policy = full_schema(), PolicyInForce(matrix)
    catalogue = prove(schema)
    terms = case.terms
    principal = PartnerPrincipal(
        partner_id=terms.partner_id,
        agreement_id=terms.id,
        agreement_version=terms.version,
        client_id=f"case:{case.id}",
        token_id=f"officer:{officer}",
        basis=terms.basis,
        purpose=terms.purpose,
        mask=terms.mask,
    )

    async def still_open(_: ClientPrincipal) -> None:
        async with database.connection() as connection:
            found = await read_case(connection, case.id)
        if found.status(_now()) is not CaseStatus.OPEN:
            raise UnauthenticatedError("the case is not open any more")

    async with AsyncExitStack() as stack:
        log = DisclosureLog(database.records, flush_interval=0, timeout=settings.disclosure_timeout)
        await stack.enter_async_context(log)
        engine = Engine(
            catalogue=catalogue,
            policy=policy,
            fetch=database.reads.fetch,
            transaction=database.transaction,
            cursors=SealedCursors(keys.cursor_key),
            pages=PageLimits(PAGE, PAGE),
            egress=Egress(log, still_open),
            means=stack.enter_context(open_means(settings, keys, _now)),
            clock=_now,
            cache_size=settings.plan_cache_size,
        )
        contract = Contracts(schema, catalogue, policy).of(principal)
        prepared = Preparer(Limits.of(settings), 1).prepare(
            contract.key, contract.schema, bulk_document(contract.schema)
        )
        found = prepared.operation(OPERATION)
        operation = Operation(prepared.document, found.definition, prepared.digest)
        members: list[Any] = []
        after: str | None = None
        while True:
            given = {"first": PAGE, "after": after}
            coerced = coerce_variables(contract.schema, found.definition, given)
            planned = engine.plan(contract, operation, coerced)
            page = await engine.read(planned, principal)
            members += [orjson.loads(encode(edge["node"])) for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return members
            after = page["pageInfo"]["endCursor"]
