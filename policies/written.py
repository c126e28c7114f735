"""What people write into the files of a policy, and what may not stand there: a telephone number (R1).

In come texts, out come faults with file and line. Titles, annotations and comments are shown to officers and
members, and a title stands in the officers' log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.cedar_text import QUOTED
from policies.free_text import find_phone_number
from policies.split_texts import find_split_number

NUMBER: Final = "a telephone number stands in it: remove it"


def shown_name(name: str, otherwise: str) -> str:
    """A name out of a file as errors show it: in backticks if it is a plain word, else other words for it."""
    return f"`{name}`" if _WORD.fullmatch(name) else otherwise


_WORD: Final = re.compile(r"(?!(?:[^0-9]*[0-9]){6})[A-Za-z0-9_.-]{1,64}")
"""With fewer digits than a telephone number has."""


def numbers_in_text(path: str, text: str) -> Iterator[str]:
    """What may not stand in a text out of a file, as it is read: the file may write it with escapes."""
    if find_phone_number(text, region=None):
        yield f"`{path}`: {NUMBER}"


def numbers_in_file(path: str, text: str) -> Iterator[str]:
    """What may not stand in a file, whatever is code there and whatever comment; the line comes with each.

    Of decision tables only the comments are asked: their rows are full of moments, and their names are read
    with them (`policies.decision_tables`).

    CLAUSE (R1, C10): a policy in whose words a telephone number can be read is refused.

    1. each line as it stands, comments included;
    2. what is quoted, with its escapes undone, in the files that Cedar reads;
    3. lines that follow each other: a number may go on in the next one.
    """
    tried: set[tuple[str, bool]] = set()  # of one file together: so a file of figures keeps nobody waiting
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if path.endswith(".yaml"):
        lines = [line[match.start() :] if (match := _COMMENT.search(line)) else "" for line in lines]
    told = [*enumerate(lines, start=1), *(_quoted(text) if ".cedar" in path else ())]  # 1, 2
    found = {number for number, words in told if find_phone_number(words, region=None, tried=tried)}
    yield from (f"`{path}`, line {number}: {NUMBER}" for number in sorted(found))
    if not found and find_split_number(lines, region=None):  # 3
        yield f"`{path}`: a telephone number stands in lines that follow each other: remove it"


_COMMENT: Final = re.compile(r"(?:^|\s)#")


def _quoted(text: str) -> Iterator[tuple[int, str]]:
    """Each quoted text with the line that it begins on."""
    line, read = 1, 0
    for match in QUOTED.finditer(text):
        line, read = line + text.count("\n", read, match.start()), match.start()
        if match[0].startswith('"'):
            yield line, _ESCAPE.sub(_escaped, match[0][1:-1])


_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f_]{1,8})\}|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def _escaped(match: re.Match[str]) -> str:
    digits = match[1] or (match[2] or "").replace("_", "")
    if digits:
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004 - the last code point
    return _LETTERS.get(match[3] or "", match[3] or "")
