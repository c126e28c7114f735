"""Root fields that every audience has."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from resolvers.context import context_of
from schema.catalogue import RootKind, root
from schema.categories import Audience, Basis, Purpose, categories_of
from schema.types.public import PolicyType, SharingRuleType, ViewerType

_EVERYBODY = tuple(Audience)


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
    return PolicyType(digest=matrix.digest, rules=rules)


def _viewer(info: Info[Any, Any]) -> ViewerType:
    context = context_of(info)
    return ViewerType(audience=context.principal.audience, scopes=_keys(context.contract_mask))


@strawberry.type
class PublicQuery:
    """What everybody may ask."""

    policy: PolicyType = root(
        RootKind.PLAIN, *_EVERYBODY, description="The sharing policy in force (C16).", resolver=_policy
    )
    viewer: ViewerType = root(
        RootKind.PLAIN, *_EVERYBODY, description="Who the gateway takes you for.", resolver=_viewer
    )
