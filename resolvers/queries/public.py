"""Root fields that every audience has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import Info

from policies.document import Document, sections
from policies.member_text import Standing, member_text
from policies.words import WORDS
from policies.words.rule_texts import rule_text
from resolvers.context import Work, context_of
from resolvers.notices import PublishedNotice, published_notices
from resolvers.policy_standing import policy_standing
from schema.catalogue import RootKind, root
from schema.categories import Audience, Basis, Purpose, categories_of
from schema.types.public import (
    PolicyRuleType,
    PolicySectionType,
    PolicyType,
    SharingRuleType,
    ViewerType,
)
from schema.types.requests import NoticeType
from schema.vocabulary import Language

_EVERYBODY = (Audience.VISITOR, Audience.MEMBER, Audience.PARTNER, Audience.RECIPIENT)
"""Officers have a schema of their own (`resolvers.staff`)."""


NoticeLanguage = Annotated[
    Language | None,
    strawberry.argument(description="Where it was announced in it; not given: in the company's own."),
]


def _keys(mask: int) -> list[str]:
    return sorted(category.value for category in categories_of(mask))


def _policy(info: Info[Any, Any]) -> PolicyType:
    matrix = context_of(info).matrix
    rules = [
        SharingRuleType(
            basis=basis,
            purpose=purpose,
            categories=_keys(mask),
            until_opt_out=_keys(matrix.presumed_mask(basis, purpose, None)),
        )
        for basis in Basis
        for purpose in Purpose
        if (mask := matrix.share_mask(basis, purpose, protected=False))
    ]

    async def in_words(language: Language) -> list[PolicySectionType]:
        async def read(work: Work) -> Document:
            announced = await published_notices(work.connection, work.now, language)
            standing = await policy_standing(work.connection)
            return member_text(matrix, WORDS[language], standing, announced, work.now)

        document = await context_of(info).perform(read)
        return [
            PolicySectionType(level=part.level, title=part.title, paragraphs=list(part.paragraphs))
            for part in sections(document)
        ]

    async def standing() -> tuple[str | None, datetime | None]:
        async def read(work: Work) -> Standing:
            return await policy_standing(work.connection)

        found: Standing = await context_of(info).perform(read)
        return found.version, found.since

    def of_rules(language: Language) -> list[PolicyRuleType]:
        return [
            PolicyRuleType(
                id=rule.name, effect=rule.effect, clause=rule.clause, text=rule_text(rule, language)
            )
            for rule in matrix.rules.values()
        ]

    return PolicyType(
        digest=matrix.digest, rules=rules, standing=standing, in_words=in_words, of_rules=of_rules
    )


def _viewer(info: Info[Any, Any]) -> ViewerType:
    context = context_of(info)
    return ViewerType(audience=context.principal.audience, scopes=_keys(context.contract_mask))


async def _notices(info: Info[Any, Any], language: NoticeLanguage = None) -> list[NoticeType]:
    async def read(work: Work) -> Sequence[PublishedNotice]:
        return await published_notices(
            work.connection, work.now, None if language is None else Language(language)
        )

    return [
        NoticeType(**(asdict(notice) | {"id": strawberry.ID(str(notice.id))}))
        for notice in await context_of(info).perform(read)
    ]


@strawberry.type
class PublicQuery:
    """What everybody may ask.

    CLAUSE (C16): the policy in force and the notices are everybody's to read, at any time.
    """

    policy: PolicyType = root(
        RootKind.PLAIN, *_EVERYBODY, description="The sharing policy in force (C16).", resolver=_policy
    )
    viewer: ViewerType = root(
        RootKind.PLAIN, *_EVERYBODY, description="Who the gateway takes you for.", resolver=_viewer
    )
    notices: list[NoticeType] = root(
        RootKind.PLAIN,
        *_EVERYBODY,
        description="The announcements of new practices, newest first (C16).",
        resolver=_notices,
    )
