"""The partner's feed: what changed of the members that it may see, and what it has to delete."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import derived, related, stored, structural
from schema.categories import DataCategory
from schema.tables import Share, ShareChange
from schema.types.connections import Edge, PageInfo
from schema.types.sharing import SharedMemberType
from schema.vocabulary import ChangeKind


@strawberry.type(
    name="Change",
    description="Something that happened to one member. Keep `member` in place of what you had of her; where"
    " it is null, delete all of it.",
)
class ChangeType:
    """A line of `share_change`, cut to the contract, with the member as she is now."""

    kind: ChangeKind = derived(
        "change_kind",
        DataCategory.OPERATIONS,
        "What happened.",
        ShareChange.before,
        ShareChange.after,
        ShareChange.erased,
    )
    id: strawberry.ID = stored(ShareChange.subject, "The pairwise id of the member.")
    changed_at: datetime = stored(ShareChange.changed_at, "When it was asked for.")
    categories: list[str] = derived(
        "change_categories",
        DataCategory.OPERATIONS,
        "What it is about, as data categories; each stands for the fields of exactly that category. Of"
        " WITHDRAWN and ERASED: what must be deleted.",
        ShareChange.mask,
        ShareChange.before,
        ShareChange.after,
    )
    member: SharedMemberType | None = related(
        DataCategory.PSEUDONYM,
        "The member as you may see her now, whatever happened then; null when you may not.",
        parent=ShareChange.subject,
        child=Share.subject,
    )


@strawberry.type(name="ChangeConnection", description="What happened, in order, by page.")
class ChangeConnection:
    """Relay's connection, without a count: the feed has no end."""

    edges: list[Edge[ChangeType]] = structural("The changes of this page.")
    page_info: PageInfo = structural(
        "Where this page stands. `endCursor` is there on an empty page as well; of `first: 0` without `after`"
        " it is the present end of the feed."
    )
