"""JSON: answers to bytes, and bodies to values. msgspec takes part where it is installed.

Before anything is measured all of them have to give the same bytes, or the same values.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from benchmarks.choices.measuring import Alternative, Cost, Measured, Turn, measure
from benchmarks.figures import MICRO
from benchmarks.processes import ContestantError
from benchmarks.texts import PROFILE

_MISSING: Final = "msgspec, which is not installed: `.venv/bin/python -m pip install msgspec`"
_JOINED: Final = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def page(length: int = 50) -> Mapping[str, Any]:
    """A page of members with 8 fields each, as rows become it."""
    nodes = [
        {
            "id": f"9f1c{number:028x}",
            "name": f"Zoë Example {number}",
            "email": f"zoe.{number}@example.org",
            "ageBand": "AGE_35_44",
            "region": "US-CA",
            "interests": ["chess", "running", "pottery"],
            "givenName": "Zoë",
            "familyName": f"Example {number}",
        }
        for number in range(length)
    ]
    return {"members": {"edges": [{"node": node} for node in nodes], "pageInfo": {"hasNextPage": True}}}


def profile() -> Mapping[str, Any]:
    """A member's own profile, with a date and an instant."""
    node = {"line1": "1 High Street", "city": "Leeds", "postalCode": "LS1 1AA", "country": "GB"}
    return {
        "me": {
            "number": "M00000001",
            "givenName": "Grace",
            "familyName": "Example",
            "email": "grace@example.org",
            "birthDate": date(1980, 1, 1),
            "region": "GB",
            "interests": ["chess", "sailing"],
            "joinedAt": _JOINED,
            "addresses": {"edges": [{"node": node}, {"node": node}]},
        }
    }


BODY: Final = json.dumps({"query": PROFILE, "variables": {"first": 50, "after": None}}).encode()


def _orjson(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_text, separators=(",", ":"), ensure_ascii=False).encode()


def _text(value: date) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _msgspec() -> Any:
    return importlib.import_module("msgspec.json") if importlib.util.find_spec("msgspec") else None


def encoders() -> Mapping[str, Callable[[Any], bytes]]:
    """Values to bytes, by library; the first is what the gateway uses."""
    found: dict[str, Callable[[Any], bytes]] = {"orjson": _orjson, "json": _json}
    msgspec = _msgspec()
    return {**found, "msgspec": msgspec.Encoder().encode} if msgspec else found


def decoders() -> Mapping[str, Callable[[bytes], Any]]:
    """Bytes to values, by library; the first is what the gateway uses."""
    found: dict[str, Callable[[bytes], Any]] = {"orjson": orjson.loads, "json": json.loads}
    msgspec = _msgspec()
    return {**found, "msgspec": msgspec.Decoder().decode} if msgspec else found


def _turn(work: Callable[[Any], Any], value: Any, times: int) -> Turn:
    async def turn() -> Cost:
        before = time.process_time()
        for _ in range(times):
            work(value)
        return Cost((time.process_time() - before) / times * MICRO)

    return turn


async def measure_json(rounds: int, times: int) -> Sequence[Measured]:
    """A page and a profile to bytes, a body to values.

    Raises:
        ContestantError: two libraries do not agree.
    """
    left_out = [] if _msgspec() else [_MISSING]
    asked: Sequence[tuple[str, str, Mapping[str, Callable[[Any], Any]], Any, int]] = (
        ("JSON: a page", "writing a page of 50 with 8 fields", encoders(), page(), times),
        ("JSON: a profile", "writing a profile of 10 fields", encoders(), profile(), times * 10),
        ("JSON: a body", "reading the body of a request", decoders(), BODY, times * 10),
    )
    told = []
    for title, use, ways, value, often in asked:
        first, *others = (way(value) for way in ways.values())
        if any(other != first for other in others):
            raise ContestantError(f"not all libraries agree: {title}")
        alternatives = [
            Alternative(name, _turn(way, value, often), used=name == "orjson") for name, way in ways.items()
        ]
        told.append(await measure(title, use, alternatives, rounds, left_out))
    return told
