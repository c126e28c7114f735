"""The feed of suppressions: what has changed about addresses that the asking partner has brought."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import strawberry
from strawberry import Info

from policies.principal import PartnerPrincipal
from resolvers.context import Work, context_of
from resolvers.suppression_reads import Page, Position, read_page
from resolvers.suppressions import is_due, settle
from resolvers.tokens import SealedTokens, TokenUse
from schema.catalogue import RootKind, root
from schema.categories import Audience, DataCategory
from schema.errors import CursorError, ForbiddenError, PageSizeError
from schema.types.connections import After, First
from schema.types.suppressions import SuppressionChangeType, SuppressionKind, SuppressionPageType

USUAL_PAGE: Final = 100
LARGEST_PAGE: Final = 1_000
"""Lines of a page. A line is three short values."""

_UUID_BYTES: Final = 16
_NUMBER_BYTES: Final = 8


async def _suppressions(
    info: Info[Any, Any], after: After = strawberry.UNSET, first: First = strawberry.UNSET
) -> SuppressionPageType:
    """What has changed since `after`.

    1. decide what is due, and commit that: then it is in the feed;
    2. read a page;
    3. note of whom it tells, for the record.
    """
    context = context_of(info)
    principal = context.principal
    if not isinstance(principal, PartnerPrincipal):
        raise ForbiddenError("only partners follow suppressions")
    size = _page_size(first)
    agreement_id = principal.agreement_id
    position = _position(context.means.tokens, agreement_id, after)

    async def decide(work: Work) -> None:
        if await is_due(work.connection):
            await settle(work.connection, work.means.suppression_key, work.now)

    async def read(work: Work) -> Page:
        return await read_page(work.connection, agreement_id, position, size)

    await context.perform(decide)  # 1
    page: Page = await context.perform(read)  # 2
    context.disclose_categories(page.members, (DataCategory.PRIVACY_PREFERENCES,))  # 3
    return SuppressionPageType(
        changes=[
            SuppressionChangeType(
                kind=SuppressionKind.SUPPRESSED if line.suppressed else SuppressionKind.LIFTED,
                digest=line.digest.hex(),
                requested_at=line.since,
            )
            for line in page.lines
        ],
        end_cursor=_cursor(context.means.tokens, agreement_id, page.end),
        has_next_page=page.more,
    )


def _page_size(first: Any) -> int:
    if first in (None, strawberry.UNSET):
        return USUAL_PAGE
    if not 1 <= first <= LARGEST_PAGE:
        raise PageSizeError(f"`first` must be between 1 and {LARGEST_PAGE}: ask for smaller pages")
    return int(first)


def _cursor(tokens: SealedTokens, agreement_id: UUID, position: Position) -> str:
    """A position, sealed: it opens for this feed of this agreement and for nothing else."""
    numbers = (position.transaction, position.seq)
    name = agreement_id.bytes + b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in numbers)
    return tokens.seal(TokenUse.SUPPRESSIONS, name)


def _position(tokens: SealedTokens, agreement_id: UUID, after: Any) -> Position:
    if after in (None, strawberry.UNSET):
        return Position()
    name = tokens.open(TokenUse.SUPPRESSIONS, after)
    if name is None or name[:_UUID_BYTES] != agreement_id.bytes:
        raise CursorError("`after` is not a cursor of this list: pass an `endCursor` you were given for it")
    numbers = name[_UUID_BYTES:]
    return Position(
        int.from_bytes(numbers[:_NUMBER_BYTES], "big"), int.from_bytes(numbers[_NUMBER_BYTES:], "big")
    )


@strawberry.type
class SuppressionQuery:
    """What a partner who mails may ask besides."""

    suppressions: SuppressionPageType = root(
        RootKind.PLAIN,
        Audience.PARTNER,
        description="What has changed about addresses that you have brought to a check or a scrub; from the"
        " beginning: all of them that must not be mailed.",
        resolver=_suppressions,
        mailers_only=True,
    )
