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

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from policies.officer_lines import has_control
from policies.rules import PolicySource
from schema.errors import PolicyError

MANIFEST: Final = "policy.toml"
RULES: Final = "sharing.cedar"
SCHEMA: Final = "sharing.cedarschema"

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
    """What an officer wrote. Made by `read_directory` only.

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


_REQUIRED: Final = (MANIFEST, RULES, SCHEMA)


def _one_line(title: str) -> str:
    if has_control(title):
        raise PydanticCustomError("control", "has a control character: remove it")
    return title


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_one_line)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    effective: date | None = None


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
        return _Manifest.model_validate(_toml(MANIFEST, text))
    except ValidationError as error:
        lines = [
            f"`{MANIFEST}`: `{'.'.join(map(str, fault['loc']))}` "
            f"{'is missing' if fault['type'] == 'missing' else fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise PolicyError("\n".join(lines)) from error


def _texts(path: str, text: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for rule, sentence in _toml(path, text).items():
        if not isinstance(sentence, str) or not sentence.strip():
            raise PolicyError(f"`{path}`: `{rule}` has no text; write one sentence in quotes")
        texts[rule] = " ".join(sentence.split())
        if has_control(texts[rule]):
            raise PolicyError(f"`{path}`: a text has a control character: remove it")
    return texts


def _toml(path: str, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"`{path}`: not TOML: {error}") from error
    except RecursionError as error:
        raise PolicyError(f"`{path}`: not TOML: lists too deep in each other") from error
