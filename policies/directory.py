"""A policy as a directory: rules, schema, texts in other languages, decision tables, and when it begins.

    policy.toml             title, language of the rules' own texts, and the date on which it takes effect
    sharing.cedar           the rules, each with @id, @clause and @text
    sharing.cedarschema     the words that the rules may use
    texts/LANGUAGE.toml     each rule's text in another language, by its id
    decisions/NAME.yaml     decision tables (`policies.decision_tables`)

In come the files by path, out comes a `PolicyDirectory`, which gives the same files back: so a policy can be
kept in a database and written out again. Rules, schema and texts make its digest; a changed table makes no
other policy.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from policies.officer_lines import has_control
from policies.rules import RULES, SCHEMA, PolicySource
from policies.written import numbers_in_file, numbers_in_text, shown_name
from schema.errors import PolicyError

MANIFEST: Final = "policy.toml"

_TEXTS: Final = re.compile(r"texts/([a-z]{2,3}(?:-[A-Z]{2})?)\.toml")
"""Named by a language tag of BCP 47: a language, and a country where it matters (`de`, `pt-BR`)."""

_TABLE: Final = re.compile(r"decisions/[a-z0-9][a-z0-9_-]{0,63}\.yaml")

MAX_FILE: Final = 1_000_000
"""Characters. A policy is read by people."""

DEEPEST: Final = 40
"""Brackets within brackets in rules and schema."""

LONGEST_RULE: Final = 2_000
"""Characters of a rule beside what it quotes and comments."""

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*')


@dataclass(frozen=True, slots=True)
class PolicyDirectory:
    """What an officer wrote. Made by `read_directory` only, which `read_draft` asks.

    `effective` is the date on which it takes effect; None: when it is published. `language` is that of the
    rules' own @text; `source` has the texts in others.
    """

    title: str
    language: str
    effective: date | None
    source: PolicySource
    files: Mapping[str, str]

    @property
    def begins(self) -> datetime | None:
        """The moment at which it takes effect, if it says so: the beginning of that day, in UTC."""
        return None if self.effective is None else datetime.combine(self.effective, time(), UTC)

    @property
    def languages(self) -> frozenset[str]:
        """In which each rule has a text."""
        return frozenset({self.language, *self.source.languages})

    def languages_beside(self, other: PolicyDirectory) -> Sequence[str]:
        """The languages that this policy has and the other has not, in the order of the alphabet."""
        return sorted(self.languages - other.languages)

    @property
    def tables(self) -> Mapping[str, str]:
        """The decision tables, by path."""
        return {path: text for path, text in self.files.items() if _TABLE.fullmatch(path)}


def read_directory(files: Mapping[str, str]) -> PolicyDirectory:
    """Make sense of the files of a policy, by their paths below its directory (`texts/de.toml`).

    Whether rules may be used is not asked here: see `policies.check`.

    Raises:
        PolicyError: one line for each file that is missing, unknown, or not of its form.
    """
    faults = [*_strays(files), *(f"`{name}` is missing" for name in _REQUIRED if name not in files)]
    if faults:
        raise PolicyError("\n".join(faults))
    manifest = _manifest(files[MANIFEST])
    translations: list[tuple[str, str, str]] = []
    for path, text in sorted(files.items()):
        if match := _TEXTS.fullmatch(path):
            translations += ((match[1], rule, told) for rule, told in sorted(_texts(path, text).items()))
    if f"texts/{manifest.language}.toml" in files:
        raise PolicyError(
            f"`texts/{manifest.language}.toml`: in the language of `{MANIFEST}`, texts stand in the rules, as"
            " @text; remove the file"
        )
    return PolicyDirectory(
        title=manifest.title,
        language=manifest.language,
        effective=manifest.effective,
        source=PolicySource(files[RULES], files[SCHEMA], tuple(translations)),
        files=MappingProxyType(dict(files)),
    )


def read_draft(files: Mapping[str, str]) -> PolicyDirectory:
    """Make sense of the files of a policy that is not published yet: nobody has read its words so far.

    Raises:
        PolicyError: as `read_directory`, `refuse_hidden` and `refuse_numbers`.
    """
    directory = read_directory(files)
    refuse_hidden(files)
    refuse_numbers(directory)
    return directory


_REQUIRED: Final = (MANIFEST, RULES, SCHEMA)


_CONTROL: Final = "has a control character: remove it"


def _one_line(title: str) -> str:
    if has_control(title):
        raise PydanticCustomError("control", _CONTROL)
    return title


def _day(value: object) -> object:
    """A date, or one in quotes. Numbers and moments are none: pydantic would count seconds since 1970."""
    if type(value) is date or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date", "no date")


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_one_line)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    effective: Annotated[date | None, BeforeValidator(_day)] = None


_WANTED: Final = MappingProxyType(
    {
        "title": "write it in quotes, 1 to 120 characters",
        "language": 'write a language tag in quotes, such as "en" or "pt-BR"',
        "effective": "write a date such as 2027-01-31",
    }
)
"""What each key of the manifest takes."""

_SENTENCE: Final = "write one sentence in quotes"


def _strays(files: Mapping[str, str]) -> Iterator[str]:
    for path, text in sorted(files.items()):
        if path not in _REQUIRED and not _TEXTS.fullmatch(path) and not _TABLE.fullmatch(path):
            yield (
                f"`{path}` is no file of a policy: it has {', '.join(f'`{name}`' for name in _REQUIRED)},"
                " `texts/LANGUAGE.toml` and `decisions/NAME.yaml`"
            )
        elif len(text) > MAX_FILE:
            yield f"`{path}` is longer than {MAX_FILE:,} characters"
        elif path in {RULES, SCHEMA}:
            yield from _overgrown(path, text)


def refuse_hidden(files: Mapping[str, str]) -> None:
    """Return if every file reads as it is written: none has a control character, not in a comment either.

    Asked of what an officer hands in, and not of what was published before: that stays readable.

    Raises:
        PolicyError: one line for each file that has one.
    """
    faults = [
        f"`{path}`, line {line}: a control character, which may hide what counts: remove it"
        for path, text in sorted(files.items())
        if (line := _line_with_control(text)) is not None
    ]
    if faults:
        raise PolicyError("\n".join(faults))


def refuse_numbers(directory: PolicyDirectory) -> None:
    """Return if no telephone number can be read from the words of the files. Asked as `refuse_hidden` is.

    CLAUSE (R1, C10): no telephone number is published in the words of a policy, nor logged as its title.

    Raises:
        PolicyError: one line for each place that has one.
    """
    told = [(f"texts/{language}.toml", text) for language, _, text in directory.source.translations]
    faults = {
        fault: None
        for found in (
            *(numbers_in_file(path, text) for path, text in sorted(directory.files.items())),
            *(numbers_in_text(path, text) for path, text in ((MANIFEST, directory.title), *told)),
        )
        for fault in found
    }
    if faults:
        raise PolicyError("\n".join(faults))


def _line_with_control(text: str) -> int | None:
    """The number of the first line that does not read as it is written, comments included."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if has_control(line.replace("\t", " ")):
            return number
    return None


def _overgrown(path: str, text: str) -> Iterator[str]:
    """What no person writes, and what would take the program down that reads it: the parser recurses."""
    bare = _QUOTED.sub('""', text)
    if any(len(rule) > LONGEST_RULE for rule in bare.split(";")):
        yield f"`{path}`: a rule is too long: up to {LONGEST_RULE:,} characters beside texts and comments"
    depth = 0
    for each in bare:
        depth += (each in "([{") - (each in ")]}")
        if depth > DEEPEST:
            yield f"`{path}`: brackets are too deep in each other: up to {DEEPEST}"
            return


def _manifest(text: str) -> _Manifest:
    try:
        return _Manifest.model_validate(_toml(MANIFEST, text, _WANTED))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        lines = [f"`{MANIFEST}`: {_said(str(fault['loc'][0]), fault['type'])}" for fault in faults]
        raise PolicyError("\n".join(lines)) from error


def _said(key: str, fault: str) -> str:
    if key not in _WANTED:
        return (
            f"{shown_name(key, 'a key')} is none of {', '.join(f'`{name}`' for name in _WANTED)}: remove it"
        )
    match fault:
        case "missing":
            return f"`{key}` is missing: {_WANTED[key]}"
        case "control":
            return f"`{key}` {_CONTROL}"
        case _:
            return f"`{key}`: {_WANTED[key]}"


def _texts(path: str, text: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for rule, sentence in _toml(path, text, {}).items():
        name = shown_name(rule, "a rule")
        if not isinstance(sentence, str) or not sentence.strip():
            raise PolicyError(f"`{path}`: {name} has no text; {_SENTENCE}")
        texts[rule] = " ".join(sentence.split())
        if has_control(texts[rule]):
            raise PolicyError(f"`{path}`: {name} {_CONTROL}")
    return texts


def _toml(path: str, text: str, wanted: Mapping[str, str]) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"`{path}`, {_misread(text, str(error), wanted)}") from error
    except RecursionError as error:
        raise PolicyError(f"`{path}`: not TOML: lists too deep in each other") from error


def _misread(text: str, said: str, wanted: Mapping[str, str]) -> str:
    """Which line is not TOML, and what to write there; what the parser quotes is left out."""
    lines = text.split("\n")
    place = _AT_LINE.search(said)
    number = min(int(place[1]), len(lines)) if place else len(lines)
    key = _KEY.match(lines[number - 1])
    if key is None:
        return f"line {number}: not TOML: write NAME = VALUE on a line, and texts in quotes"
    if said.startswith("Cannot overwrite"):
        return f"line {number}: {shown_name(key[1], 'a name')} stands there twice: remove one"
    return f"line {number}: {shown_name(key[1], 'a name')}: {wanted.get(key[1], _SENTENCE)}"


_AT_LINE: Final = re.compile(r"\(at line ([0-9]+)")
_KEY: Final = re.compile(r"""\s*["']?([^\s"'=]+)["']?\s*=""")
