from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from policies.table import Mark
from policies.words import WORDS, Stay, Words
from schema.categories import Basis, DataCategory, Purpose
from schema.tables import Table, VaultTable
from schema.tables.base import CATEGORY_KEY
from schema.vocabulary import Language

VOCABULARIES = {
    "categories": set(DataCategory),
    "whom": set(Basis),
    "basis": set(Basis),
    "uses": set(Purpose),
    "marks": set(Mark),
    "stays": set(Stay),
}


def phrases(words: Words) -> Iterator[tuple[str, str]]:
    """Every phrase of a language, with its place."""
    for field in fields(words):
        value = getattr(words, field.name)
        if isinstance(value, Mapping):
            yield from ((f"{field.name}.{key}", phrase) for key, phrase in value.items())
        elif isinstance(value, tuple):
            yield from ((f"{field.name}.{place}", phrase) for place, phrase in enumerate(value))
        else:
            yield field.name, str(value)


def test_there_are_words_in_every_language() -> None:
    assert set(WORDS) == set(Language)
    assert all(words.language is language for language, words in WORDS.items())


@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_every_vocabulary_is_whole(words: Words) -> None:
    for name, vocabulary in VOCABULARIES.items():
        assert set(getattr(words, name)) == vocabulary, name
    assert all(phrase.strip() for place, phrase in phrases(words) if place != "language")


@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_a_translation_has_the_same_phrases_with_the_same_places_to_fill_in(words: Words) -> None:
    english = dict(phrases(WORDS[Language.EN]))
    for place, phrase in phrases(words):
        assert set(re.findall(r"{\w*}", phrase)) == set(re.findall(r"{\w*}", english[place])), place
    assert len(dict(phrases(words))) == len(english)


@pytest.mark.parametrize("words", WORDS.values(), ids=lambda words: words.language)
def test_every_table_that_holds_something_about_a_person_has_a_name(words: Words) -> None:
    personal = {
        table.fullname
        for base in (Table, VaultTable)
        for table in base.metadata.tables.values()
        if any(column.info[CATEGORY_KEY] is not DataCategory.OPERATIONS for column in table.columns)
    }
    assert personal == set(words.records), "name the new table in each module of policies/words"


def test_days_and_durations_are_written_as_the_language_does() -> None:
    moment = datetime(2027, 3, 5, tzinfo=UTC)
    english, german = WORDS[Language.EN], WORDS[Language.DE]
    assert (english.date(moment), german.date(moment)) == ("5 March 2027", "5. März 2027")
    assert english.duration(timedelta(days=7)) == "7 days"
    assert english.duration(timedelta(days=1)) == "24 hours"
    assert german.duration(timedelta(hours=36)) == "36 Stunden"
    assert german.duration(timedelta(minutes=5)) == "5 Minuten"
    assert english.enumerated(["one", "two", "three"]) == "one, two and three"
