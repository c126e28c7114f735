"""Runs one operation of one contract: projections first, then the answer is put together.

In: a contract, a validated operation, coerced variables, a principal. Out: an `Answer`, whose bytes
may leave: for a partner the disclosure record is durable by then (R2).

1. find or make the selection, then the plans, both kept with a bound;
2. run each projection: one statement, one generated function (of a mutation, after its commit);
3. put the answer together: directly when every root field is a projection, otherwise by
   graphql-core's executor, which passes finished projections through. Both ways give the same
   bytes (`tests/gateway/test_execution.py`);
4. record the disclosure, then release.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from inspect import isawaitable
from typing import Any, Final, TypeAlias
from uuid import UUID

from graphql import ExecutionResult
from graphql.execution.values import VariableValues

from gateway.answers import Answer, Outcome, assemble, encode
from gateway.contracts import Contract
from gateway.egress import Egress
from gateway.fragment_executor import FragmentExecutor
from gateway.planner import Operation, Planned, Planner
from gateway.policy_in_force import PolicyInForce
from gateway.released import Released
from gateway.telemetry import failure
from policies.principal import (
    Entrance,
    MemberPrincipal,
    OfficerPrincipal,
    PartnerPrincipal,
    Principal,
    RecipientPrincipal,
)
from policies.principal import Visitor as VisitorPrincipal
from policies.sharing import EVERYTHING
from resolvers.binding import Binding, CursorCodec, PageLimits
from resolvers.commands.deletions_told import note_told
from resolvers.connection import Link, Transactions
from resolvers.context import Command, Path, RequestContext, Work
from resolvers.desk import Desk
from resolvers.exchange import Exchange
from resolvers.means import Means
from resolvers.officers.members import open_profile
from resolvers.parameters import Statement
from resolvers.previewing import previewed_agreement
from resolvers.projection import SHARED_KINDS
from resolvers.statement import Plan
from schema.catalogue import Catalogue, RootKind
from schema.errors import (
    ForbiddenError,
    GatewayError,
    InputError,
    PolicyChangedError,
    UnauthenticatedError,
)
from schema.ids import parse_uuid

TELLING: Final = 2.0
"""Seconds for noting that a partner has been told what to delete: its answer does not wait for longer."""

Fetch: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Runs one statement as the reader role and gives its rows."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a subscription that may leave: where it ends, and how many lines it shows."""

    answer: Answer
    end: str | None
    lines: int


class Engine:
    """Runs operations. One for a process."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        policy: PolicyInForce,
        fetch: Fetch,
        transaction: Callable[[], AbstractAsyncContextManager[Link]],
        cursors: CursorCodec,
        pages: PageLimits,
        egress: Egress,
        means: Means,
        clock: Callable[[], datetime],
        cache_size: int,
        announce: Callable[[set[UUID]], None] | None = None,
    ) -> None:
        self._planner = Planner(catalogue, cache_size)
        self._policy = policy
        self._fetch = fetch
        self._transaction = transaction
        self._cursors = cursors
        self._pages = pages
        self._egress = egress
        self._means = means
        self._clock = clock
        self._announce = announce
        self._commits: set[asyncio.Future[Any]] = set()

    def plan(self, contract: Contract, operation: Operation, variables: VariableValues) -> Planned:
        """An operation of a contract, ready to be run: for every caller who has it."""
        return self._planner.plan(contract, operation, variables)  # 1

    async def run(
        self,
        planned: Planned,
        principal: Principal,
        exchange: Exchange | None = None,
        *,
        by_executor: bool = False,
    ) -> Answer:
        """Answer one operation. What HTTP is to tell besides the answer is left in `exchange`.

        `by_executor` takes the long way even where the short one would do: for the test of both.

        Raises:
            DisclosureUnrecordedError: R2; nothing may leave.
            UnauthenticatedError: the credential ended while it was answered.
            GatewayError: nothing can be answered.
        """
        plans, binding = planned.plans, self._binding(planned, principal)
        released = Released()
        outcomes: dict[Path, Outcome] = {}
        if planned.is_query:  # what a mutation shows is read after it has been committed
            for path, plan in plans.items():
                outcomes[path] = await self._outcome(plan, binding, principal, released)  # 2
        if planned.direct and not by_executor:
            answer = assemble(planned.contract.schema, planned.operation.node, planned.selection, outcomes)
        else:

            async def answered(path: Path) -> Outcome:
                """The outcome of a projection, run when it is first asked for."""
                if path not in outcomes:
                    outcomes[path] = await self._outcome(plans[path], binding, principal, released)
                return outcomes[path]

            answer = await self._execute(planned, principal, exchange or Exchange(), answered, released)  # 3
        outcomes.clear()  # they are encoded: what waits for the record is bytes, not a thousand objects
        if released.shared and isinstance(principal, PartnerPrincipal):
            await self._release(principal, planned.operation, released, binding.now)  # 4
        if isinstance(principal, RecipientPrincipal):
            # What it was answered is on record and paid for; whether it may still leave is asked once more.
            await self._egress.confirm(principal)
        return answer

    async def read(self, planned: Planned, principal: PartnerPrincipal) -> Any:
        """The value of a query's only root, a projection, which may leave: for streams, chunk by chunk.

        Raises:
            QuotaExceededError: fewer members are left than it holds; nothing may leave.
            DisclosureUnrecordedError: R2; nothing may leave.
            UnauthenticatedError: the credential has ended.
            GatewayError: it cannot be read.
        """
        binding = self._binding(planned, principal)
        (plan,) = planned.plans.values()
        released = Released()
        outcome = await self._outcome(plan, binding, principal, released)
        if isinstance(outcome, GatewayError):
            raise outcome
        await self._release(principal, planned.operation, released, binding.now)
        return outcome

    async def follow(
        self,
        contract: Contract,
        operation: Operation,
        variables: VariableValues,
        principal: PartnerPrincipal,
        after: str | None,
    ) -> Page:
        """The next page of what a subscription follows, after a cursor; without one, where the feed ends now.

        A page that shows nothing is not released, because nothing of it leaves.

        Raises:
            CursorError: `after` is none of this feed.
            DisclosureUnrecordedError: R2; nothing may leave.
            UnauthenticatedError: the credential ended meanwhile.
            GatewayError: nothing can be answered.
        """
        key, selection, slots = self._planner.select(contract, operation, variables)
        if len(selection.roots) != 1 or selection.roots[0].slot is None:
            raise InputError("a subscription follows exactly one field: select it")
        root = slots[selection.roots[0].slot]
        wanted = {"first": 0} if after is None else {"after": after}
        root.arguments = {**root.arguments, "after": None, **wanted}
        plans = self._planner.plans(key, selection, slots)
        binding = Binding(self._caller(contract, principal), self._clock(), slots)
        released = Released()
        outcomes = {
            path: await self._outcome(plan, binding, principal, released) for path, plan in plans.items()
        }
        for outcome in outcomes.values():
            if isinstance(outcome, GatewayError):
                raise outcome
        answer = assemble(contract.schema, operation.node, selection, outcomes)
        if released.lines:
            await self._release(principal, operation, released, binding.now)
        return Page(answer, root.end, released.lines)

    def begins_after(self, contract: Contract, operation: Operation, variables: VariableValues) -> str | None:
        """The argument `after` of a subscription."""
        _, selection, slots = self._planner.select(contract, operation, variables)
        for root in selection.roots:
            if root.slot is not None:
                after: str | None = slots[root.slot].arguments.get("after")
                return after
        return None

    async def confirm(self, principal: PartnerPrincipal) -> None:
        """Return if the credential still counts: for a subscription that waits with nothing to send.

        Raises:
            UnauthenticatedError: it ended meanwhile.
            UnavailableError: whether it did cannot be found out.
        """
        await self._egress.confirm(principal)

    async def _release(
        self, principal: PartnerPrincipal, operation: Operation, released: Released, now: datetime
    ) -> None:
        """Record, confirm, and note whom the partner is told to delete.

        Noting takes a while when the database is busy: so it is confirmed anew that the answer may leave.
        """
        entry = released.entry(principal, operation.name, operation.document_hash, now)
        await self._egress.release(entry, counted=len(released.delivered))
        if released.withdrawn:
            try:
                async with asyncio.timeout(TELLING), self._transaction() as connection:
                    subjects, read_to = released.withdrawn, released.read_to
                    await note_told(connection, principal.agreement_id, subjects, read_to, now)
            except (GatewayError, TimeoutError) as error:
                failure("deletions.told", error)  # the partner is told all the same
        for command in released.afterwards:
            async with self._transaction() as link:
                await command(Work(link, self._policy(), principal, now, self._means, Exchange()))
        if released.withdrawn or released.afterwards:
            await self._egress.confirm(principal)

    async def _whatever_happens(self, work: Awaitable[Any]) -> Any:
        """Do it to its end, also when nobody waits for it any more."""
        task = asyncio.ensure_future(work)
        self._commits.add(task)
        task.add_done_callback(self._settled)
        return await asyncio.shield(task)

    def _settled(self, task: asyncio.Future[Any]) -> None:
        """Let go of a command; what it raised was told to its caller, if there still is one."""
        self._commits.discard(task)
        if not task.cancelled():
            task.exception()

    # -- 1: what a plan is bound to

    def _binding(self, planned: Planned, principal: Principal) -> Binding:
        return Binding(self._caller(planned.contract, principal), self._clock(), planned.slots())

    def _caller(self, contract: Contract, principal: Principal) -> dict[str, Any]:
        match principal:
            case MemberPrincipal(member_id=member_id):
                return {"id": member_id, "member_id": member_id, "contract_mask": EVERYTHING}
            case PartnerPrincipal(agreement_id=agreement_id):
                return {"id": agreement_id, "agreement_id": agreement_id, "contract_mask": contract.key.mask}
            case OfficerPrincipal(officer_id=officer_id):
                return {"id": officer_id}
            case VisitorPrincipal() | RecipientPrincipal() | Entrance():
                return {}

    # -- 2: projections

    async def _outcome(
        self, plan: Plan, binding: Binding, principal: Principal, released: Released
    ) -> Outcome:
        kind = plan.projection.kind
        try:
            if kind is RootKind.PREVIEW:
                await self._name_agreement(plan, binding)
            elif kind is RootKind.NAMED:
                await self._name_member(plan, binding, principal)
            self._open_pages(plan, binding)
            rows = await self._rows(plan.rows, binding)
            total = await self._rows(plan.total, binding)
        except GatewayError as error:
            return error
        if kind in SHARED_KINDS and isinstance(principal, PartnerPrincipal):
            released.note(plan, rows, binding)
        value = plan.encode(rows, binding.slots, total[0][0] if total else None)
        if value is None and kind is RootKind.SELF:
            return UnauthenticatedError("this account does not exist any more: sign in again")
        return value

    async def _rows(self, statement: Statement | None, binding: Binding) -> Sequence[Any]:
        if statement is None:
            return ()
        return await self._fetch(statement.sql, statement.bind(binding))

    async def _name_agreement(self, plan: Plan, binding: Binding) -> None:
        """A preview is of an agreement; where the caller names the partner instead, find its agreement."""
        if plan.projection.slot is None:
            return
        slot = binding.slots[plan.projection.slot]
        partner, agreement = slot.arguments.get("partner"), slot.arguments.get("agreement")
        if (partner is None) == (agreement is None):
            raise InputError("pass either `agreement` or `partner`: see `partners`")
        if partner is not None:
            found = await previewed_agreement(self._fetch, partner, binding.caller["member_id"], binding.now)
            slot.arguments = {**slot.arguments, "agreement": found}

    async def _name_member(self, plan: Plan, binding: Binding, principal: Principal) -> None:
        """Who is shown to an officer: found only after the line with the reason has been committed."""
        if plan.projection.slot is None:
            return
        if not isinstance(principal, OfficerPrincipal):
            raise ForbiddenError("only an officer reads the profile of another")
        slot = binding.slots[plan.projection.slot]
        number, reason = slot.arguments["number"], slot.arguments["reason"]
        async with self._transaction() as connection:
            desk = Desk(connection, principal.officer, binding.now, self._policy)
            named = await open_profile(desk, number, reason)
        slot.arguments = {**slot.arguments, "named": named}

    def _open_pages(self, plan: Plan, binding: Binding) -> None:
        """Check page sizes and open cursors of every connection of the plan; read looked-up ids."""
        for index, coordinate in plan.projection.lists:
            slot = binding.slots[index]
            arguments = slot.arguments
            slot.first = self._pages.size(arguments.get("first"))
            slot.codec = self._cursors
            where = arguments.get("where")
            self._pages.check_filter(where)
            if plan.projection.kind is RootKind.SHARED_CHANGES:
                # What was told so far depends on the rights: with others, a copy has to be begun anew.
                coordinate = f"changes {binding.caller['contract_mask']}"  # noqa: PLW2901
            if plan.projection.kind is RootKind.NAMED and plan.projection.slot is not None:
                # A cursor counts for the profile that it was given in.
                named = binding.slots[plan.projection.slot].arguments["named"]
                coordinate = f"{named} {coordinate}"  # noqa: PLW2901
            slot.list_of = (binding.caller["id"], coordinate)
            after = arguments.get("after")
            if after is not None:
                slot.position = self._cursors.decode(slot.scope(), after)
        if plan.projection.slot is not None:
            slot = binding.slots[plan.projection.slot]
            for name in ("id", "agreement"):
                given = slot.arguments.get(name)
                if isinstance(given, str):
                    slot.arguments = {**slot.arguments, name: parse_uuid(given)}

    # -- 3: by graphql-core

    async def _execute(
        self,
        planned: Planned,
        principal: Principal,
        exchange: Exchange,
        answered: Callable[[Path], Awaitable[Outcome]],
        released: Released,
    ) -> Answer:
        now = self._clock()

        async def fragment(path: Path) -> Any:
            outcome = await answered(path)
            if isinstance(outcome, GatewayError):
                raise outcome
            return outcome

        async def once(command: Command[Any]) -> Any:
            # INVARIANT (one-commit): the only place where a mutation is committed.
            grown: set[UUID] | None = None if self._announce is None else set()
            async with self._transaction() as connection:
                done = await command(
                    Work(connection, self._policy(), principal, now, self._means, exchange, grown)
                )
            if grown and self._announce is not None:
                self._announce(grown)
            return done

        async def commit(command: Command[Any]) -> Any:
            try:
                return await once(command)
            except PolicyChangedError:
                # It waited for a publication, and nothing of it happened: decide by what is in force now.
                await self._means.hear()
                await self._policy.settled()
                return await once(command)

        async def perform(command: Command[Any]) -> Any:
            # A caller who leaves, or does not wait long enough, has still asked: the change is made.
            return await self._whatever_happens(commit(command))

        async def perform_long(operation: Callable[[Transactions], Awaitable[Any]]) -> Any:
            return await self._whatever_happens(operation(self._transaction))

        context = RequestContext(
            principal,
            planned.contract.key.mask,
            self._policy(),
            fragment,
            perform,
            perform_long,
            self._means,
            exchange,
            released.tell,
            released.afterwards.append,
            self._cursors,
            self._pages,
            released.tell_of,
        )
        executor = FragmentExecutor.of(
            planned.contract.schema,
            planned.operation.document,
            planned.operation.node,
            planned.variables,
            context,
        )
        result: Any = executor.execute_operation()
        finished: ExecutionResult = await result if isawaitable(result) else result
        del executor.async_helpers  # they know the executor: a circle, which only the collector would find
        return Answer(encode(finished.data), tuple(finished.errors or ()))
