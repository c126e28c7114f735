"""What is asked: for each workload its documents, who asks, and how often what comes.

In: a populated world. Out: requests, the same ones for every contestant but for cursors, which are each one's
own. They are repeated in turn; where `fresh` is true each differs from all before by a number in it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

from benchmarks.population import World
from benchmarks.texts import CORRECTION, FRESH, NUMBER, PAGE, PROFILE, rotation

CONNECTIONS: Final = 16
ASKING_MEMBERS: Final = 1_000
ASKING_CLIENTS: Final = 6
"""One of each partner that gets the most."""

DEPTH: Final = 20
"""Pages, one after the other, that each client asks for."""

MANY_CLIENTS: Final = 64
SHALLOW: Final = 3
"""Pages that each of many asks for."""

INTERESTS: Final = ("chess", "running", "pottery", "sailing", "cooking", "opera", "hiking", "woodwork")


@dataclass(frozen=True, slots=True)
class Request:
    """One request to `/graphql`."""

    query: str
    variables: Mapping[str, Any]
    token: str

    @property
    def body(self) -> str:
        """As it is sent."""
        return json.dumps({"query": self.query, "variables": self.variables}, separators=(",", ":"))


Cursors = Callable[[str, int, int], Sequence[str | None]]
"""Of one contestant: where a token's first pages of a size begin, and how many of them. None begins."""

Asked = Callable[[World, Cursors], Sequence[Request]]


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload, in the words of the report."""

    name: str
    title: str
    ask: Asked
    connections: int = CONNECTIONS
    fresh: bool = False


def _profile(world: World, _: Cursors) -> Sequence[Request]:
    return [Request(PROFILE, {}, world.member_token(member)) for member in world.members[:ASKING_MEMBERS]]


def _pages(size: int, clients: int = ASKING_CLIENTS, deep: int = DEPTH) -> Asked:
    def ask(world: World, cursors: Cursors) -> Sequence[Request]:
        tokens = [world.client_token(index) for index in range(clients)]
        depth = [cursors(token, size, deep) for token in tokens]
        # All clients in turn: neighbours in time ask for different agreements.
        return [
            Request(PAGE, {"first": size, "after": after}, token)
            for at in zip(*depth, strict=True)
            for token, after in zip(tokens, at, strict=True)
        ]

    return ask


def _correction(world: World, _: Cursors) -> Sequence[Request]:
    """The number in the interests makes each correction change something."""
    draw = random.Random(1)  # noqa: S311 - to be repeated
    return [
        Request(
            CORRECTION,
            {"input": {"interests": [*sorted(draw.sample(INTERESTS, 3)), f"no. {NUMBER}"]}},
            world.member_token(member),
        )
        for member in world.members[:ASKING_MEMBERS]
    ]


def _fresh(world: World, _: Cursors) -> Sequence[Request]:
    return [Request(FRESH, {}, world.member_token(member)) for member in world.members[:ASKING_MEMBERS]]


def _rotation(world: World, _: Cursors) -> Sequence[Request]:
    return [
        Request(text, {}, world.member_token(member))
        for (text, _), member in zip(rotation(), cycle(world.members), strict=False)
    ]


WORKLOADS: Final = (
    Workload("profile", "own profile with addresses (10 fields)", _profile),
    Workload("page-50", "partner page of 50 (8 fields)", _pages(50)),
    Workload("page-500", "partner page of 500 (8 fields)", _pages(500)),
    Workload("correction", "a correction that returns the profile", _correction, fresh=True),
    Workload("first-time", "a document never seen before", _fresh, fresh=True),
    Workload("rotation", "1,000 different documents in turn", _rotation),
    Workload(
        "partners",
        "64 clients at once, pages of 50",
        _pages(50, MANY_CLIENTS, SHALLOW),
        connections=MANY_CLIENTS,
    ),
)


def workload(name: str) -> Workload:
    """The workload of that name."""
    return next(one for one in WORKLOADS if one.name == name)
