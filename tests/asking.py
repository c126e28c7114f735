"""The engine without HTTP: asks as any caller, and tells which statements ran and what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gateway.app import Product
from gateway.contracts import Contract
from gateway.cursors import SealedCursors
from gateway.database import Database
from gateway.egress import Egress
from gateway.execution import Engine
from gateway.http.errors import execution_errors
from gateway.keys import Keyring
from gateway.limits import Limits
from gateway.operations import Preparer, digest_of
from gateway.planner import Operation
from gateway.policy_in_force import PolicyInForce
from gateway.settings import Settings
from gateway.variables import coerce_variables
from policies.principal import ClientPrincipal, PartnerPrincipal, Principal
from resolvers.binding import PageLimits
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog
from resolvers.exchange import Exchange
from resolvers.means import Means


class RecordedLog(DisclosureLog):
    """Keeps records in memory: for tests of what is recorded, not of how."""

    def __init__(self) -> None:
        self.entries: list[DisclosureEntry] = []

    async def record(self, entry: DisclosureEntry) -> None:
        self.entries.append(entry)


async def still_counts(_: ClientPrincipal) -> None:
    """Credentials do not end while these tests ask."""


class Uncounted:
    """Quotas that count nothing."""

    async def count(self, _: PartnerPrincipal) -> None:
        """There is always enough."""

    def headers(self, _: PartnerPrincipal) -> Sequence[tuple[bytes, bytes]]:
        """Nothing is told."""
        return ()


@dataclass(frozen=True)
class Reply:
    """What one request gave. `statements` are SQL texts with their parameters."""

    body: bytes
    statements: tuple[tuple[str, tuple[Any, ...]], ...]
    recorded: tuple[DisclosureEntry, ...]

    @property
    def data(self) -> Any:
        return orjson.loads(self.body)["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in orjson.loads(self.body).get("errors", [])]


class Asking:
    """An engine on a database, with the clock stopped."""

    def __init__(
        self,
        product: Product,
        database: Database,
        keys: Keyring,
        settings: Settings,
        means: Means,
        now: datetime,
    ) -> None:
        self.product = product
        self.database = database
        self.log = RecordedLog()
        self.now = now
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.preparer = Preparer(Limits.of(settings), 100)
        self.engine = Engine(
            catalogue=product.catalogue,
            policy=PolicyInForce(product.matrix),
            fetch=self._fetch,
            transaction=database.transaction,
            cursors=SealedCursors(keys.cursor_key),
            pages=PageLimits(settings.default_page_size, settings.max_page_size),
            egress=Egress(self.log, still_counts),
            means=means,
            clock=lambda: self.now,
            cache_size=settings.plan_cache_size,
        )

    async def _fetch(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
        self.statements.append((sql, tuple(parameters)))
        async with self.database.reader.acquire() as connection:
            return await connection.fetch(sql, *parameters)

    def contract(self, principal: Principal) -> Contract:
        return self.product.contracts.of(principal)

    async def ask(
        self,
        principal: Principal,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation_name: str | None = None,
        by_executor: bool = False,
        exchange: Exchange | None = None,
    ) -> Reply:
        """As the handler does, one step after the other."""
        given = dict(variables or {})
        contract = self.contract(principal)
        prepared = self.preparer.prepare(contract.key, contract.schema, document)
        operation = prepared.operation(operation_name)
        coerced = coerce_variables(contract.schema, operation.definition, given)
        operation.check_cost(coerced.coerced, self.preparer.limits)
        self.statements.clear()
        self.log.entries.clear()
        asked = Operation(prepared.document, operation.definition, digest_of(document))
        planned = self.engine.plan(contract, asked, coerced)
        answer = await self.engine.run(planned, principal, exchange, by_executor=by_executor)
        body = b'"data":' + answer.data + b"}"
        if answer.errors:
            body = b'"errors":' + orjson.dumps(execution_errors(answer.errors, "r1")) + b"," + body
        return Reply(b"{" + body, tuple(self.statements), tuple(self.log.entries))

    async def both(
        self, principal: Principal, document: str, variables: Mapping[str, Any] | None = None
    ) -> Reply:
        """`ask`, after having made sure that the executor gives the same bytes and record."""
        direct = await self.ask(principal, document, variables)
        long_way = await self.ask(principal, document, variables, by_executor=True)
        assert long_way.body == direct.body
        assert long_way.statements == direct.statements
        assert long_way.recorded == direct.recorded
        return direct
