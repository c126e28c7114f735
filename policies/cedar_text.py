"""Where in a text of Cedar its parser failed. The parser says what it met, and not where.

In come the text and the parser; out comes the fault with a place for people: line, and rule. What cannot be
read on stays so whatever follows: the token at fault ends the shortest beginning of the text that the parser
refuses for another reason than that it ends. What the parser finds when it has read a whole rule is looked
for there by the word that it names.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*', re.DOTALL)
"""A quoted text, or a comment: what is no code."""

_TOKEN: Final = re.compile(rf"(?P<apart>{QUOTED.pattern}|\s+)|\w+|::|==|!=|<=|>=|&&|\|\||.", re.DOTALL)
_ID: Final = re.compile(r'@id\s*\(\s*"([a-z][a-z0-9-]{0,63})"\s*\)')
_TOKEN_MET: Final = "unexpected token", "invalid token"
_LONG: Final = re.compile(r"`(?![A-Za-z_.:-]{1,40}`|[^\w\s`]{1,3}`)[^`]*`")
"""A token as the parser quotes it that is neither a short word without digits nor a mark."""

_NAMED: Final = re.compile(r"[`'](\S+?)[`']|: @?(\w+)$")
"""What the parser points at, where it does: in quotes of some kind, or after a colon at the end."""

LONGEST_SAID: Final = 200
"""Characters of what the parser says: the longer ones quote expressions."""


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int


def fault_of_rules(text: str, parse: Callable[[str], object]) -> str:
    """`line 3, rule `x`: ...`, of a text that `parse` refuses with a ValueError: the first fault in it."""
    for position, (start, end) in enumerate(_rules(text), start=1):
        said = _refusal(parse, text[start:end])
        if said is None:
            continue
        named = _ID.search(text, start, end)
        rule = f"`{named[1]}`" if named else f"{position}"
        return f"line {_line(text, _fault(text, (start, end), said, parse))}, rule {rule}: {_shown(said)}"
    return _shown(_refusal(parse, text) or "")


def fault_of_schema(text: str, parse: Callable[[str], object]) -> str:
    """`line 3: ...`, of a text that `parse` refuses with a ValueError; without a line if it is the whole."""
    said = _refusal(parse, text) or ""
    if "unexpected end" not in said and not any(met in said for met in _TOKEN_MET):
        return _shown(said)
    return f"line {_line(text, _fault(text, (0, len(text)), said, parse))}: {_shown(said)}"


def _shown(said: str) -> str:
    """What the parser says, without what may be a text out of the file."""
    bare = said.removeprefix("error parsing schema: ")
    return _LONG.sub("that is written there", bare) if len(bare) < LONGEST_SAID else "it cannot be read"


def _refusal(parse: Callable[[str], object], text: str) -> str | None:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return None


def _fault(text: str, bounds: tuple[int, int], said: str, parse: Callable[[str], object]) -> int:
    """Where the token at fault begins; the first of the code between the bounds if it is the whole."""
    start, end = bounds
    tokens = _code(text, start, end)
    if not tokens:
        return start
    if "unexpected end" in said:
        return tokens[-1].start
    if not any(met in said for met in _TOKEN_MET):
        return _last_said(text, tokens, said)

    def refused(length: int) -> bool:
        again = _refusal(parse, text[start : tokens[length].end])
        return again is not None and any(met in again for met in _TOKEN_MET)

    place = bisect_left(range(len(tokens) - 1), True, key=refused)
    return _unclosed(text, tokens[:place]) or tokens[place].start


def _last_said(text: str, tokens: Sequence[_Token], said: str) -> int:
    """Where the word that the parser names stands last in the rule; without one, where the rule begins."""
    words = {name for quoted in _NAMED.finditer(said) for name in quoted.groups() if name}
    named = [token.start for token in tokens if text[token.start : token.end] in words]
    return named[-1] if named else tokens[0].start


def _unclosed(text: str, before: Sequence[_Token]) -> int | None:
    """Where a text begins that runs over lines and ends right before the fault: its quote was forgotten."""
    if not before:
        return None
    last = text[before[-1].start : before[-1].end]
    return before[-1].start if last.startswith('"') and "\n" in last else None


def _code(text: str, start: int, end: int) -> list[_Token]:
    """The tokens, without comments and what parts them."""
    return [
        _Token(match.start(), match.end())
        for match in _TOKEN.finditer(text, start, end)
        if not match["apart"] or match[0].startswith('"')
    ]


def _rules(text: str) -> list[tuple[int, int]]:
    """Where each rule begins and ends, its semicolon included; the rest after the last is one as well."""
    ends = [token.end for token in _code(text, 0, len(text)) if text[token.start : token.end] == ";"]
    found = list(zip([0, *ends], [*ends, len(text)], strict=True))
    return found if _code(text, *found[-1]) else found[:-1]


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
