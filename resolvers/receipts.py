"""The receipt of a choice: a record to keep, with the structure of ISO/IEC TS 27560:2023.

In: a choice of the member who asks. Out: JSON text, made of what was stored with the choice and of names
that do not change, so that it is the same bytes whenever it is asked for. What became of the choice later
is not in it: the receipts of later choices tell that. No jurisdiction is named: none is kept by date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from policies.choices import BASES_WITHOUT_CHOICE
from resolvers.connection import Link
from resolvers.means import Company
from schema.categories import CATEGORY_LABELS, SHARE_BITS, Basis, DataCategory, Purpose
from schema.vocabulary import ChoiceSource, ChoiceTopic, Direction

SCHEMA_VERSION: Final = "ISO/IEC TS 27560:2023, profile 1"
"""The profile's number rises when a field of the receipt changes."""

_WITHDRAWAL: Final = "a request of a later date about the same, by `choose` in the member's interface"
_RETENTION: Final = "until the member's account is erased"
_VALIDITY: Final = "until a request of a later date about the same"
_WITHDRAWAL_OF_REQUEST: Final = "by `endSharing` in the member's interface, at any time"

_EVENT_TYPES: Final = {ChoiceSource.GPC: "signal", ChoiceSource.IMPORT: "imported"}
"""How consent was expressed; whatever is not listed was stated by the member."""

_CONTROLLER: Final = "controller"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is downloaded."""

    record_id: UUID
    json: str

    @property
    def file_name(self) -> str:
        """What to call the file."""
        return f"receipt-{self.record_id}.json"


async def read_receipt(
    connection: Link, member_id: UUID, choice_id: UUID | None, company: Company
) -> Receipt | None:
    """The receipt of this choice; None if the member has none of that id."""
    row = await connection.fetchrow(
        "SELECT choice.id, choice.member_id, requested_at, received_at, topic, direction, source,"
        " choice.purpose, choice.categories, choice.basis, choice.policy, choice.ends_at,"
        " partner.name AS partner, partner.display_name AS partner_name, notice_id,"
        " notice.title AS notice_title, notice.published_at AS notice_published_at"
        " FROM choice LEFT JOIN partner ON partner.id = choice.partner_id"
        " LEFT JOIN notice ON notice.id = choice.notice_id"
        " WHERE choice.id = $1 AND choice.member_id = $2",
        choice_id,
        member_id,
    )
    if row is None:
        return None
    text = orjson.dumps(record_of(dict(row), company), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Receipt(row["id"], text.decode())


def record_of(row: Mapping[str, Any], company: Company) -> dict[str, Any]:
    """The consent record: header, processing, parties, event."""
    return {
        "schema_version": SCHEMA_VERSION,
        "record_id": str(row["id"]),
        "pii_principal_id": str(row["member_id"]),
        "pii_processing": _processing(row),
        "party_identification": list(_parties(row, company)),
        "event": [_event(row)],
    }


def _processing(row: Mapping[str, Any]) -> dict[str, Any]:
    newsletter = row["topic"] == ChoiceTopic.NEWSLETTER
    return {
        "privacy_notice": _notice(row),
        "language": "en",
        "service": "newsletter" if newsletter else "sharing with partners",
        "purposes": [_purpose(purpose) for purpose in _purposes(row)],
        "lawful_basis": list(_bases(row)),
        "pii_information": [
            {"pii_type": category.value, "label": CATEGORY_LABELS[category]} for category in _categories(row)
        ],
        "pii_controllers": [_CONTROLLER],
        "recipient_third_parties": [] if newsletter else [row["partner"] or "all partners"],
        "collection_method": row["source"],
        "retention_period": _RETENTION,
        "withdrawal_method": _WITHDRAWAL if row["ends_at"] is None else _WITHDRAWAL_OF_REQUEST,
    }


def _notice(row: Mapping[str, Any]) -> dict[str, Any]:
    """What could be read at the time: the policy, by digest, and the version of the program's own rules."""
    digest, _, version = (row["policy"] or "").partition(":")
    told: dict[str, Any] = {"policy_digest": digest or None, "policy_version": version or None}
    if row["notice_id"] is not None:
        told["notice_id"] = str(row["notice_id"])
        told["title"] = row["notice_title"]
        told["published_at"] = _instant(row["notice_published_at"])
    return told


def _purposes(row: Mapping[str, Any]) -> list[Purpose]:
    if row["topic"] == ChoiceTopic.NEWSLETTER:
        return [Purpose.OWN_OFFERS]
    return list(Purpose) if row["purpose"] is None else [Purpose(row["purpose"])]


def _purpose(purpose: Purpose) -> dict[str, str]:
    return {"purpose": purpose.name, "purpose_type": purpose.value}


def _bases(row: Mapping[str, Any]) -> Iterator[str]:
    """The bases on which the choice counts (C8)."""
    if row["topic"] == ChoiceTopic.NEWSLETTER:
        yield "CONSENT"
    elif row["basis"] is not None:
        yield row["basis"]
    else:
        opt_in = row["direction"] == Direction.IN  # which asks no company for anything: that is a request
        for basis in Basis:
            if basis not in BASES_WITHOUT_CHOICE and not (opt_in and basis is Basis.MEMBER_REQUEST):
                yield basis.value


def _categories(row: Mapping[str, Any]) -> list[DataCategory]:
    if row["topic"] == ChoiceTopic.NEWSLETTER:
        return [DataCategory.EMAIL]
    if row["categories"] is None:
        return sorted(SHARE_BITS)
    return sorted(DataCategory(key) for key in row["categories"])


def _parties(row: Mapping[str, Any], company: Company) -> Iterator[dict[str, str]]:
    yield {
        "party_id": _CONTROLLER,
        "party_name": company.name,
        "party_role": "PII controller",
        "party_email": company.email,
        "party_url": company.url,
    }
    if row["partner"] is not None:
        yield {"party_id": row["partner"], "party_name": row["partner_name"], "party_role": "third party"}


def _event(row: Mapping[str, Any]) -> dict[str, str]:
    given = row["direction"] == Direction.IN
    return {
        "event_time": _instant(row["requested_at"]),
        "received_at": _instant(row["received_at"]),
        "event_type": _EVENT_TYPES.get(ChoiceSource(row["source"]), "explicit"),
        "event_state": "given" if given else "refused",
        "entity_id": str(row["member_id"]),
        "validity_duration": _validity(row),
    }


def _validity(row: Mapping[str, Any]) -> str:
    return _VALIDITY if row["ends_at"] is None else f"until {_instant(row['ends_at'])}, or withdrawn before"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
