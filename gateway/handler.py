"""From a well-formed request to bytes that may leave: contract, document, cost, execution.

1. the contract of the principal;
2. the document, prepared once for that contract;
3. the operation, its method and its variables;
4. the cost of this very request;
5. execution, which records a disclosure before it returns.
"""

from __future__ import annotations

from typing import Final

import orjson

from gateway.contracts import Contract, Contracts
from gateway.execution import Engine
from gateway.http.errors import execution_errors
from gateway.http.messages import GraphQLRequest, GraphQLResponse
from gateway.http.streams import Event, Following
from gateway.operations import Preparer
from gateway.planner import Operation, Planned
from gateway.variables import coerce_variables
from policies.principal import PartnerPrincipal, Principal

MOST_CONTRACTS: Final = 8
"""For which one body is remembered ready to run; more rights than that do not share a text every day."""


class GraphQLHandler:
    """The engine as the HTTP edge knows it (`gateway.http.messages.Handler`)."""

    def __init__(self, contracts: Contracts, preparer: Preparer, engine: Engine) -> None:
        self._contracts = contracts
        self._preparer = preparer
        self._engine = engine

    async def follow(self, request: GraphQLRequest, principal: Principal) -> Following | None:
        """Admit a subscription, and read its first page; None if the operation is none.

        Raises:
            GatewayError: the request is refused as a whole, and nothing leaves.
        """
        contract = self._contracts.of(principal)  # 1.
        document = self._preparer.prepare(
            contract.key, contract.schema, request.document, request.kept_as or request.digest
        )  # 2.
        prepared = document.operation(request.operation_name)  # 3.
        if not prepared.is_subscription or not isinstance(principal, PartnerPrincipal):
            return None
        variables = coerce_variables(contract.schema, prepared.definition, request.variables)
        prepared.check_cost(variables.coerced, self._preparer.limits)  # 4.
        operation = Operation(document.document, prepared.definition, request.digest, request.kept_as)

        async def page(after: str | None) -> Event:
            read = await self._engine.follow(contract, operation, variables, principal, after)  # 5.
            body = b'{"data":' + read.answer.data + b"}" if read.lines else None
            return Event(read.end or "", body)

        after = request.last_event or self._engine.begins_after(contract, operation, variables)
        return Following(principal, await page(after), page, lambda: self._engine.confirm(principal))

    async def execute(self, request: GraphQLRequest, principal: Principal) -> GraphQLResponse:
        """Answer one request.

        Raises:
            GatewayError: the request is refused as a whole, and nothing leaves.
        """
        contract = self._contracts.of(principal)  # 1.
        memory = request.memory
        planned: Planned | None = None if memory is None else contract.ready.get(memory)
        if planned is None:
            planned = self._planned(contract, request)
            if memory is not None and planned.is_query and len(memory.keepers) < MOST_CONTRACTS:
                memory.keepers.add(contract)
                contract.ready[memory] = planned
        answer = await self._engine.run(planned, principal, request.exchange)  # 5.
        if not answer.errors:
            return GraphQLResponse(b"".join((b'{"data":', answer.data, b"}")))  # copied once
        errors = orjson.dumps(execution_errors(answer.errors, request.request_id))
        return GraphQLResponse(b'{"errors":' + errors + b',"data":' + answer.data + b"}")

    def _planned(self, contract: Contract, request: GraphQLRequest) -> Planned:
        """What the request asks for, within the limits: contract, document and variables decide it alone."""
        document = self._preparer.prepare(
            contract.key, contract.schema, request.document, request.kept_as or request.digest
        )  # 2.
        prepared = document.operation(request.operation_name)  # 3.
        prepared.check_method(read_only=request.read_only)
        variables = coerce_variables(contract.schema, prepared.definition, request.variables)
        prepared.check_cost(variables.coerced, self._preparer.limits)  # 4.
        return self._engine.plan(
            contract,
            Operation(document.document, prepared.definition, request.digest, request.kept_as),
            variables,
        )
