"""How long the rows of each table are kept. Durations are those that the program itself goes by.

What hangs on a member goes with the account, unless it goes sooner; what is not listed here and does not hang
on one holds nothing about a person. `tests/gateway/test_datamap.py` holds that no table is without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from gateway.delivery.sender import GIVEN_UP_AFTER
from policies.words import Stay, Words
from resolvers.commands.upkeep import KEEP_DELIVERED, KEEP_DONE_COMMANDS, KEEP_LINKS, KEEP_SESSIONS
from schema.tables.member import Member


@dataclass(frozen=True, slots=True)
class Kept:
    """Until something happens, and for this long after it."""

    stay: Stay
    time: timedelta | None = None

    def words(self, words: Words) -> str:
        """As people read it."""
        return words.stays[self.stay].format(time="" if self.time is None else words.duration(self.time))


_ACCOUNT: Final = Kept(Stay.ACCOUNT)
_REMOVABLE: Final = Kept(Stay.REMOVABLE)

KEPT: Final[Mapping[str, Kept]] = MappingProxyType(
    {
        "billing_method": _REMOVABLE,
        "deletion": Kept(Stay.UNTIL_DELETED_THERE),
        "disclosure": Kept(Stay.RECORD),
        "done_command": Kept(Stay.AFTER_DONE, KEEP_DONE_COMMANDS),
        "officer_action": Kept(Stay.RECORD),
        "one_time_link": Kept(Stay.AFTER_EXPIRED, KEEP_LINKS),
        "outgoing_mail": Kept(Stay.UNTIL_SENT, GIVEN_UP_AFTER),
        "phone": _REMOVABLE,
        "postal_address": _REMOVABLE,
        "refused_address": Kept(Stay.WHILE_REFUSED),
        "session": Kept(Stay.AFTER_ENDED, KEEP_SESSIONS),
        "share_change": Kept(Stay.RECORD),
        "suppression": Kept(Stay.WHILE_REFUSED),
        "webhook_message": Kept(Stay.AFTER_DELIVERED, KEEP_DELIVERED),
        "vault.billing_token": _REMOVABLE,
        "vault.sealed_phone": _REMOVABLE,
        "vault.client_secret": Kept(Stay.COMPANY),
        "vault.officer_credential": Kept(Stay.STAFF),
        "vault.officer_recovery": Kept(Stay.STAFF),
    }
)
"""Where it is not simply with the account."""


def kept(table: Any) -> Kept | None:
    """How long the rows of this table are kept; None where nothing says."""
    found = KEPT.get(table.fullname)
    if found is None and _hangs_on_member(table, frozenset()):
        return _ACCOUNT
    return found


def _hangs_on_member(table: Any, seen: frozenset[str]) -> bool:
    if table.name == Member.__tablename__ or (table.schema is not None and "member_id" in table.columns):
        return True
    return any(
        key.column.table.name not in seen and _hangs_on_member(key.column.table, seen | {table.name})
        for key in table.foreign_keys
    )
