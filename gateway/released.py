"""What one answer takes out of `share`, as the disclosure record will say it.

In: the rows of each projection. Out: an entry of the log, and whom the partner is told to delete. A member
whose values are shown can always be named; of a line of the feed whose member is gone, nobody can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, reduce
from itertools import chain
from operator import itemgetter, or_
from typing import Any, Final
from uuid import UUID

from policies.disclosure_chain import LogIds
from policies.principal import PartnerPrincipal
from resolvers.binding import Binding
from resolvers.commands.deletions_told import Place
from resolvers.context import Command
from resolvers.disclosure_log import DisclosureEntry
from resolvers.encoder import POSITION
from resolvers.statement import Plan
from schema.catalogue import RootKind
from schema.categories import DataCategory, categories_of
from schema.errors import GatewayError

MAX_RECORDED_NAME: Final = 80
"""Characters of an operation's name that the disclosure record keeps; the hash identifies it anyway."""


_PSEUDONYM: Final = frozenset({DataCategory.PSEUDONYM})

_LOG_ID, _MASK = itemgetter(0), itemgetter(1)
"""Of a row below a shared root (`resolvers.statement.DISCLOSED`)."""


@lru_cache(maxsize=4_096)
def _categories_of(mask: int, *, named: bool) -> frozenset[DataCategory]:
    """Each answer asks, and few masks occur. `named`: it has pairwise ids."""
    return categories_of(mask) | _PSEUDONYM if named else categories_of(mask)


@dataclass(slots=True)
class Released:
    """What the projections of one request took out of `share`."""

    shared: bool = False
    lines: int = 0
    members: dict[bytes, None] = field(default_factory=dict)
    """By the bytes of their `log_id`, in the order in which they are shown."""
    delivered: dict[bytes, None] = field(default_factory=dict)
    """Of `members` those who count against a quota: all but whom the feed takes back, or only names. Who took
    back a part counts where the rest is shown: else the feed, read again, would bring it for nothing."""
    mask: int = 0
    withdrawn: list[UUID] = field(default_factory=list)
    """The pairwise ids of whom the partner is told to delete something."""
    read_to: Place = (0, 0)
    """The last line of the feed that is shown."""
    owed: list[UUID] = field(default_factory=list)
    """Members of whom only is told what has to be deleted."""
    afterwards: list[Command[None]] = field(default_factory=list)
    """What is noted once the answer has been released."""
    told_of: list[UUID] = field(default_factory=list)
    """Of whom an answer that is no projection tells something: nobody is delivered by it."""
    told: set[DataCategory] = field(default_factory=set)

    def tell(self, members: Sequence[UUID], pairwise: int) -> None:
        """Remember that an answer tells what has to be deleted, of so many pairwise ids."""
        self.shared = True
        self.lines += pairwise
        self.owed += members

    def tell_of(self, members: Iterable[UUID], categories: Iterable[DataCategory]) -> None:
        """Note what an answer that is no projection tells."""
        self.shared = True
        self.told_of += members
        self.told |= set(categories)

    def note(self, plan: Plan, rows: Sequence[Any], binding: Binding) -> None:
        """Remember what `rows` are about to release. The row that only tells of a next page is not shown.

        Raises:
            GatewayError: values are about to leave of a member whom the record cannot name.
        """
        self.shared = True
        page = plan.projection.page
        shown = rows if page is None else rows[: binding.slots[page.slot].first]
        members = dict.fromkeys(map(_LOG_ID, shown))
        # Members mostly share alike: there are few masks, whatever the number of rows.
        masks = set(map(_MASK, shown))
        if None in members:
            if any(row[0] is None and row[1] is not None for row in shown):
                raise GatewayError("a member that is shown has no name for the log")
            del members[None]
        self.members.update(members)
        self.lines += len(shown)
        mask = reduce(or_, (mask for mask in masks if mask is not None), 0)
        self.mask |= mask & plan.projection.mask | plan.narrowed
        if plan.projection.kind is RootKind.SHARED_CHANGES:
            self.withdrawn += [row[2] for row in shown if row[2] is not None]
            self.read_to = max([self.read_to, *((row[POSITION], row[POSITION + 1]) for row in shown)])
            members = dict.fromkeys(row[0] for row in shown if row[1] is not None and plan.projection.mask)
        self.delivered.update(members)

    def entry(
        self, principal: PartnerPrincipal, name: str | None, document_hash: str, now: datetime
    ) -> DisclosureEntry:
        """The record of it all."""
        categories = _categories_of(self.mask, named=bool(self.lines))
        if self.told:
            categories |= self.told
        return DisclosureEntry(
            principal=principal,
            recorded_at=now,
            operation_name=None if name is None else name[:MAX_RECORDED_NAME],
            operation_hash=document_hash,
            categories=categories,
            members=LogIds.distinct(chain(self.members, (m.bytes for m in (*self.owed, *self.told_of)))),
        )
