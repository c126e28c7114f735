"""`schema.json`: a JSON Schema (2020-12) of `data.json`, with the data category of every value.

Made from the tables, so that it cannot say anything else than what is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Date, DateTime, Integer, Numeric, SmallInteger, Uuid

from gateway.archive.records import NUMBER, RECEIPT, STANDS_FOR
from schema.archive import SECTIONS, VERSION, Entry, Found, Section, label_of
from schema.categories import CATEGORY_LABELS, DataCategory

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_AGREEMENT: Final[dict[str, Any]] = {
    "type": ["object", "null"],
    "description": "The agreement that this is about.",
    "properties": dict.fromkeys(("partner", "basis", "purpose"), _TEXT),
}
_HEAD: Final[dict[str, Any]] = {
    "schema_version": {"const": VERSION},
    "made_at": {"type": "string", "format": "date-time", "description": "What was stored at this moment."},
    "made_by": {
        "type": "object",
        "description": "Who stores the data: the controller.",
        "properties": dict.fromkeys(("name", "email", "url"), _TEXT),
    },
    "request_id": {"type": "string", "format": "uuid", "description": "The request that this answers."},
    "telephone_numbers_opened": {
        "type": "boolean",
        "description": "Whether this archive was made with the key that opens telephone numbers. Without it"
        " no archive has a number, whoever it is about.",
    },
}


def data_schema() -> dict[str, Any]:
    """The schema of `data.json`."""
    properties = dict(_HEAD)
    for section in SECTIONS:
        record = _record(section)
        if section.found is Found.SELF:
            properties[section.name] = {"description": section.says, **record}
        else:
            properties[section.name] = {"type": "array", "description": section.says, "items": record}
    return {
        "$schema": DIALECT,
        "title": "Everything stored about one member",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _record(section: Section) -> dict[str, Any]:
    properties = _properties(section.entries)
    for part in section.parts:
        inner = _object(_properties(part.entries))
        properties[part.name] = {"type": "array", "items": inner}
    required = list(properties)
    if section.name == "telephone_numbers":
        number = DataCategory.PHONE_NUMBER
        properties[NUMBER] = {
            **_TEXT,
            "description": "The number in E.164, where `telephone_numbers_opened`.",
            "x-data-category": number.value,
            "x-data-category-label": CATEGORY_LABELS[number],
        }
    if section.name == "choices":
        properties[RECEIPT] = {
            "type": "object",
            "description": "The receipt, with the structure of ISO/IEC TS 27560:2023.",
        }
    return _object(properties, required)


def _object(properties: dict[str, Any], required: Iterable[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def _properties(entries: Iterable[Entry]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for entry in entries:
        properties[entry.name] = {
            **_type(entry),
            "description": entry.label,
            "x-data-category": entry.category.value,
            "x-data-category-label": CATEGORY_LABELS[entry.category],
        }
        if entry.name in STANDS_FOR:
            name = STANDS_FOR[entry.name]
            named = {"type": ["string", "null"], "description": f"{label_of(name)}, by its name."}
            properties[name] = _AGREEMENT if name == "agreement" else named
    return properties


def _type(entry: Entry) -> dict[str, Any]:
    if entry.is_mask:
        return {"type": "array", "items": {"enum": [category.value for category in DataCategory]}}
    kind: dict[str, Any]
    match entry.column.type:
        case Uuid():
            kind = {"type": "string", "format": "uuid"}
        case DateTime():
            kind = {"type": "string", "format": "date-time"}
        case Date():
            kind = {"type": "string", "format": "date"}
        case Boolean():
            kind = {"type": "boolean"}
        case Integer() | BigInteger() | SmallInteger():
            kind = {"type": "integer"}
        case Numeric():
            kind = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
        case ARRAY():
            kind = {"type": "array", "items": _TEXT}
        case _:
            kind = dict(_TEXT)
    if entry.column.nullable:
        kind["type"] = [kind["type"], "null"]
    return kind
