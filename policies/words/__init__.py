"""The words of everything that people read about the policy: one catalogue for each language.

A language is one module with one `Words`. A phrase that a translation lacks stops the type checker, and what
lacks in a mapping fails `tests/policies/test_words.py`. What an officer wrote in a rule is not in here: see
`policies.member_text.rule_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policies.words.catalogue import Stay, Words
from policies.words.english import ENGLISH
from policies.words.german import GERMAN
from schema.vocabulary import Language

__all__ = ["ENGLISH", "WORDS", "Stay", "Words", "spoken"]

WORDS: Final[Mapping[Language, Words]] = MappingProxyType({Language.EN: ENGLISH, Language.DE: GERMAN})
"""All of them."""


def spoken(tag: str) -> Language:
    """The language of ours that a language tag names (BCP 47); English where we do not speak it."""
    known = {language.value: language for language in Language}
    return known.get(tag.partition("-")[0], Language.EN)
