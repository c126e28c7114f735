"""`data.json`: one document for programs, written record by record."""

from __future__ import annotations

from typing import IO, Any, Final

import orjson

from gateway.archive.contents import Contents
from schema.archive import SECTIONS, VERSION, Found, Section

_INDENT: Final = b"  "


def heading(contents: Contents) -> dict[str, Any]:
    """What the document says of itself."""
    company = contents.company
    return {
        "schema_version": VERSION,
        "made_at": contents.made_at.isoformat(),
        "made_by": {"name": company.name, "email": company.email, "url": company.url},
        "request_id": str(contents.request_id),
        "telephone_numbers_opened": contents.numbers is not None,
    }


async def write_document(out: IO[bytes], contents: Contents) -> None:
    """Write the whole document: `schema.json` describes it."""
    out.write(b"{\n")
    for name, value in heading(contents).items():
        out.write(_INDENT + orjson.dumps(name) + b": " + orjson.dumps(value) + b",\n")
    for number, section in enumerate(SECTIONS):
        out.write((b",\n" if number else b"") + _INDENT + orjson.dumps(section.name) + b": ")
        await _write_section(out, contents, section)
    out.write(b"\n}\n")


async def _write_section(out: IO[bytes], contents: Contents, section: Section) -> None:
    if section.found is Found.SELF:
        async for record in contents.records(section):
            out.write(orjson.dumps(record))
        return
    before = b"[\n"
    async for record in contents.records(section):
        out.write(before + _INDENT * 2 + orjson.dumps(record))
        before = b",\n"
    out.write(b"[]" if before == b"[\n" else b"\n" + _INDENT + b"]")
