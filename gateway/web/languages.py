"""In which language a page is shown: what its address says, else what the browser asks for, else English.

Comes in: a query string and `Accept-Language` (RFC 9110, 12.5.4; ranges after RFC 4647, 3.4). Goes out: a
language that we have, whatever was sent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from schema.vocabulary import Language

DEFAULT: Final = Language.EN

MAX_HEADER: Final = 500
"""Characters that are read; browsers send about 50."""

_ADDRESSED: Final = {f"lang={language}".encode(): language for language in Language}


def addressed(query: bytes) -> Language | None:
    """The language that the address names, as `lang=de`; None if it names none."""
    return _ADDRESSED.get(query)


@lru_cache(maxsize=256)
def preferred(header: str | None) -> Language:
    """The language of ours that the browser likes best; of several alike, the one it names first."""
    best, chosen = 0.0, DEFAULT
    for part in (header or "")[:MAX_HEADER].split(","):
        name, *parameters = part.split(";")
        quality = _quality(parameters)
        language = _language(name.strip().lower().partition("-")[0])
        if language is not None and quality > best:
            best, chosen = quality, language
    return chosen


def _language(subtag: str) -> Language | None:
    if subtag == "*":
        return DEFAULT
    try:
        return Language(subtag)
    except ValueError:
        return None


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.strip().partition("=")
        if key.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0
