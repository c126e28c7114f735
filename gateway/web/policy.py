"""`/policy`: the policy in force in words, as a table, and what is stored; `/policy.json` for programs (C16).

Everything is made from the compiled policy of the moment, the catalogue and what was announced: nothing here
is written by hand, and nothing depends on who asks or on any member. Another policy is shown as soon as it
decides, without a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import orjson

from gateway.cache import BoundedCache
from gateway.contracts import Contracts
from gateway.datamap import data_document
from gateway.http.reading import accept_header
from gateway.web.edge import Visit
from gateway.web.languages import addressed, preferred
from gateway.web.pages import Html, Link, Page, links
from policies.document import Document, as_html, sections
from policies.matrix import Matrix
from policies.member_text import Standing, member_text
from policies.render import cell_words, matrix_document
from policies.rules import Rule
from policies.table import sharing_table
from policies.words import WORDS, Words
from policies.words.rule_texts import rule_text
from resolvers.notices import PublishedNotice
from schema.catalogue import Catalogue
from schema.vocabulary import Language

TEXT: Final = "/policy"
TABLE: Final = "/policy/matrix"
DATA: Final = "/policy/data"
MACHINE: Final = "/policy.json"

KEPT_DOCUMENTS: Final = 8
"""Two pages in each language, under the policy before and the one now."""

ReadNotices: TypeAlias = Callable[[Language], Awaitable[Sequence[PublishedNotice]]]
ReadStanding: TypeAlias = Callable[[], Awaitable[Standing]]


@dataclass(frozen=True, slots=True)
class Published:
    """What the pages are made from."""

    policy: Callable[[], Matrix]
    catalogue: Catalogue
    contracts: Contracts
    notices: ReadNotices
    standing: ReadStanding
    clock: Callable[[], datetime]


class PolicyPages:
    """The pages."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._kept: BoundedCache[tuple[str, str, Language], Document] = BoundedCache(KEPT_DOCUMENTS)

    async def text(self, visit: Visit) -> Page:
        """Show it in words."""
        return _page(visit, TEXT, await self._text(self._published.policy(), words_of(visit)))

    async def table(self, visit: Visit) -> Page:
        """Show it as a table."""
        matrix, words = self._published.policy(), words_of(visit)
        return _page(
            visit, TABLE, self._remembered(TABLE, matrix, words, lambda: matrix_document(matrix, words))
        )

    async def data(self, visit: Visit) -> Page:
        """Show what is stored."""
        matrix, words = self._published.policy(), words_of(visit)
        catalogue, contracts = self._published.catalogue, self._published.contracts
        document = self._remembered(DATA, matrix, words, lambda: data_document(catalogue, contracts, words))
        return _page(visit, DATA, document)

    async def machine(self, visit: Visit) -> Page:
        """The same for programs."""
        matrix, words = self._published.policy(), words_of(visit)
        standing = await self._published.standing()
        text = await self._text(matrix, words)
        answer = {
            "language": words.language,
            "digest": matrix.digest,
            "version": standing.version,
            "inForceSince": standing.since,
            "text": [asdict(section) for section in sections(text)],
            "rules": [_rule(rule, words) for rule in matrix.rules.values()],
            "announcedRules": [_rule(rule, words) for rule in matrix.waiting],
            "cells": _cells(matrix, words),
            "notices": [_notice(notice) for notice in await self._published.notices(words.language)],
        }
        return Page(
            words.text_title, Html(""), language=words.language, public=True, data=orjson.dumps(answer)
        )

    async def _text(self, matrix: Matrix, words: Words) -> Document:
        published = self._published
        announced = await published.notices(words.language)
        return member_text(matrix, words, await published.standing(), announced, published.clock())

    def _remembered(self, path: str, matrix: Matrix, words: Words, make: Callable[[], Document]) -> Document:
        """A page that depends on the policy and the language alone."""
        key = (path, matrix.digest, words.language)
        document = self._kept.get(key)
        if document is None:
            document = make()
            self._kept.put(key, document)
        return document


def _rule(rule: Rule, words: Words) -> dict[str, Any]:
    return {
        "id": rule.name,
        "effect": rule.effect,
        "clause": rule.clause,
        "text": rule_text(rule, words.language),
    }


def _notice(notice: PublishedNotice) -> dict[str, Any]:
    return {
        "id": str(notice.id),
        "title": notice.title,
        "body": notice.body,
        "basis": notice.basis,
        "purpose": notice.purpose.name,
        "categories": notice.categories,
        "publishedAt": notice.published_at,
        "effectiveAt": notice.effective_at,
    }


def _cells(matrix: Matrix, words: Words) -> list[dict[str, Any]]:
    table = sharing_table(matrix)
    return [
        {
            "basis": column.basis,
            "purpose": column.purpose.name,
            "category": row.category,
            "label": words.categories[row.category],
            "shared": cell.mark.name,
            "inRegions": {region: mark.name for region, mark in cell.exceptions},
            "words": cell_words(cell, words),
            "rules": [rule.name for number in cell.notes if (rule := table.notes[number - 1]) is not None],
        }
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    ]


def words_of(visit: Visit) -> Words:
    """The words of the language in which the page is to be shown."""
    language = addressed(visit.scope["query_string"])
    return WORDS[language or preferred(accept_header(visit.scope, b"accept-language"))]


def _page(visit: Visit, path: str, document: Document) -> Page:
    words = words_of(visit)
    return Page(
        document.title,
        Html(as_html(document.blocks)),
        language=words.language,
        navigation=navigation(words, visit, path),
        broad=path != TEXT,
        public=True,
    )


def navigation(words: Words, visit: Visit, here: str) -> Html:
    """Links to the pages about the policy, in the language that the address names, and to other languages."""
    language = addressed(visit.scope["query_string"])
    asked = "" if language is None else f"?lang={language}"
    pages = (
        (words.nav_home, "/"),
        (words.nav_text, TEXT),
        (words.nav_matrix, TABLE),
        (words.nav_data, DATA),
        (words.nav_machine, MACHINE),
    )
    return links(
        words.nav_label,
        [
            *(Link(label, f"{path}{asked}", current=path == here) for label, path in pages),
            *(
                Link(other.name, f"{here}?lang={other.language}", language=other.language)
                for other in WORDS.values()
                if other is not words
            ),
        ],
    )
