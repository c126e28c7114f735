"""Everybody gives the same answers, or nothing is measured.

In: running contestants. Out: nothing, or the first difference. The gateway's answer is the one that the
others have to give. Cursors are each one's own, so they are taken out; that paging on with them gives the
same pages is compared. Data is compared as JSON, whatever the order of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import httpx

from benchmarks.population import World
from benchmarks.processes import Running
from benchmarks.texts import NUMBER, PAGE, PROFILE
from benchmarks.workloads import Cursors, Request, Workload

COMPARED: Final = 24
"""Requests of each workload."""


class DifferenceError(Exception):
    """A contestant answers differently."""


class Asking:
    """Asks one contestant."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._client = httpx.Client(base_url=running.url, timeout=30)
        self._cursors: dict[tuple[str, int, int], Sequence[str | None]] = {}

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def ask(self, request: Request) -> Mapping[str, Any]:
        """The data of an answer.

        Raises:
            DifferenceError: it is an error.
        """
        answer = self._client.post(
            "/graphql",
            content=request.body,
            headers={
                "Authorization": f"Bearer {request.token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
        )
        name = self.running.contestant.name
        if answer.status_code != httpx.codes.OK:
            raise DifferenceError(f"`{name}` answers {answer.status_code}: {answer.text[:500]}")
        told = answer.json()
        if told.get("errors") or not told.get("data"):
            raise DifferenceError(f"`{name}` answers with errors: {answer.text[:500]}")
        data: Mapping[str, Any] = told["data"]
        return data

    def refuses(self, request: Request) -> bool:
        """Whether it keeps everything from this caller."""
        answer = self._client.post(
            "/graphql", content=request.body, headers={"Authorization": f"Bearer {request.token}"}
        )
        try:
            told = answer.json()
        except ValueError:
            return answer.status_code >= httpx.codes.BAD_REQUEST
        return not any((told.get("data") or {}).values())

    def cursors(self, token: str, size: int, depth: int) -> Sequence[str | None]:
        """Where the first pages of a token begin; remembered, because each costs a request."""
        known = self._cursors.get((token, size, depth))
        if known is None:
            found: list[str | None] = [None]
            while len(found) < depth:
                data = self.ask(Request(PAGE, {"first": size, "after": found[-1]}, token))
                info = data["members"]["pageInfo"]
                if not info["hasNextPage"]:
                    break
                found.append(info["endCursor"])
            # A list that is shorter begins again, so that all are as deep.
            known = self._cursors[token, size, depth] = [found[at % len(found)] for at in range(depth)]
        return known


def compare(world: World, askings: Sequence[Asking], workload: Workload) -> int:
    """Go on only if all give the data that the first of `askings` gives; how many answers were compared.

    Raises:
        DifferenceError: one does not.
    """
    theirs = [sample(workload, world, asking.cursors) for asking in askings]
    for position, asked in enumerate(zip(*theirs, strict=True)):
        data = [
            without_cursors(asking.ask(numbered(request, position * len(askings) + place)))
            for place, (asking, request) in enumerate(zip(askings, asked, strict=True))
        ]
        for asking, answer in zip(askings[1:], data[1:], strict=True):
            if without_number(answer) != without_number(data[0]):
                raise DifferenceError(
                    f"`{workload.name}`: `{asking.running.contestant.name}` answers\n{answer}\nwhere"
                    f" `{askings[0].running.contestant.name}` answers\n{data[0]}"
                )
    return len(theirs[0])


def sample(workload: Workload, world: World, cursors: Cursors) -> Sequence[Request]:
    """Some requests of a workload, spread over all of them."""
    every = workload.ask(world, cursors)
    return every[:: max(1, len(every) // COMPARED)][:COMPARED]


def numbered(request: Request, number: int) -> Request:
    """The request with a number of its own where one belongs."""
    text = f"{number:0{len(NUMBER)}d}"
    return replace(
        request,
        query=request.query.replace(NUMBER, text),
        variables=_replaced(request.variables, NUMBER, text),
    )


def _replaced(value: Any, old: str, new: str) -> Any:
    match value:
        case str():
            return value.replace(old, new)
        case Mapping():
            return {name: _replaced(one, old, new) for name, one in value.items()}
        case list():
            return [_replaced(one, old, new) for one in value]
    return value


def without_cursors(value: Any) -> Any:
    """`value` with nothing but true in the place of cursors."""
    match value:
        case Mapping():
            return {
                name: one is not None if name == "endCursor" else without_cursors(one)
                for name, one in value.items()
            }
        case list():
            return [without_cursors(one) for one in value]
    return value


def without_number(value: Any) -> Any:
    """`value` without the interest that differs in each correction."""
    match value:
        case Mapping():
            return {name: without_number(one) for name, one in value.items()}
        case list():
            return [without_number(one) for one in value if not (isinstance(one, str) and one[:4] == "no. ")]
    return value


def compare_refusals(world: World, askings: Sequence[Asking]) -> None:
    """Go on only if nobody answers those who may not ask.

    Raises:
        DifferenceError: somebody does.
    """
    page, member = world.client_token(0), world.member_token(world.members[0])
    head, claims, signature = member.split(".")
    other = world.member_token(world.members[1]).split(".")
    nobody = {
        "a text that is no token": "nobody",
        "another's signature": f"{head}.{other[1]}.{signature}",
        "no signature": f"{head}.{claims}.",
    }
    for asking in askings:
        for what, token in nobody.items():
            if not asking.refuses(Request(PROFILE, {}, token)):
                raise DifferenceError(f"`{asking.running.contestant.name}` answers somebody with {what}")
        if not asking.refuses(Request(PROFILE, {}, page)):
            raise DifferenceError(f"`{asking.running.contestant.name}` gives a profile to a partner")
        if not asking.refuses(Request(PAGE, {"first": 1}, member)):
            raise DifferenceError(f"`{asking.running.contestant.name}` gives members to a member")
