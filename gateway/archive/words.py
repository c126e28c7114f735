"""Values of an archive in plain words: vocabularies, categories, agreements; the rest as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from policies.officers import Act
from policies.words.english import ENGLISH
from schema.categories import CATEGORY_LABELS, Basis, DataCategory, Purpose

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Act.REQUEST_FULFIL: "made an archive of your data, for you",
        Act.CONTACT_NUMBER_READ: "saw your telephone numbers, to call you about the account",
        Act.PROFILE_READ: "looked at your profile",
        Act.REQUEST_READ: "read a request of yours",
        Act.REQUEST_ANSWER: "answered a request of yours",
        Act.DECISION_EXPLAIN: "asked what a company may receive about you",
        Act.DISCLOSURE_READ: "looked up what companies received about you",
        Act.TOKEN_ISSUE: "made a token for your account",
    }
)
"""What somebody on the staff did, to whom it concerns."""

_VOCABULARIES: Final = frozenset(
    {"kind", "status", "direction", "source", "topic", "channel", "roles", "target_kind"}
)


def in_words(name: str, value: Any) -> str:
    """A value of the entry `name`, or of one that is named after what it stands for."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(in_words(name, each) for each in value) or "none"
        case dict():
            basis, purpose = _word("basis", value["basis"]), _word("purpose", value["purpose"])
            return f"{value['partner']}: {basis}, for {purpose}"
        case str():
            return _word(name, value)
        case _:
            return str(value)


def _word(name: str, value: str) -> str:
    if name.startswith("categories"):
        return CATEGORY_LABELS[DataCategory(value)] if value in set(DataCategory) else value
    if name == "basis" and value in set(Basis):
        return _lower_first(ENGLISH.whom[Basis(value)])
    if name == "purpose" and value in set(Purpose):
        return ENGLISH.uses[Purpose(value)]
    if name == "act":
        return ACTS.get(value, value.replace(".", " ").replace("-", " "))
    return value.replace("_", " ").lower() if name in _VOCABULARIES else value


def _lower_first(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"
