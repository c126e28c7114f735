"""`gateway policy compare A B`: what another policy opens and closes, and who would notice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli.counting import counted
from gateway.cli.office import Office, in_office, parse_moment
from gateway.cli.progress import ProgressBar
from gateway.cli.words import listed, one_of
from gateway.policy_replay import ReplayedDocument, ReplayedRelease, replay_documents, replay_releases
from gateway.policy_source import load_directory
from policies.check import checked_matrix
from policies.compare import ComparedCell, Comparison, compare
from policies.directory import PolicyDirectory
from policies.matrix import Matrix
from resolvers.officers.policies import Consequences, foresee, read_version
from resolvers.policy_effects import Effects, Touched
from resolvers.policy_versions import Compiler, directory_of_version
from resolvers.queries import full_schema
from schema.categories import CATEGORY_LABELS
from schema.proof import prove

REPLAYED: Final = timedelta(days=90)
"""How far back the log is replayed where nothing else is asked for: a quarter shows what partners live by."""

Name = Annotated[str, typer.Argument(help="The directory of a policy, a version, or `current`.")]


CURRENT: Final = "current"
"""Names the policy in force; a number names a version, as `gateway policy history` prints it."""


class Form(StrEnum):
    """The forms of a comparison."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Compared:
    """All that a comparison found. What was not asked for is None."""

    comparison: Comparison
    effects: Effects | None = None
    documents: Sequence[ReplayedDocument] | None = None
    releases: Sequence[ReplayedRelease] | None = None
    dropped_languages: Sequence[str] = ()
    """In which there are texts before, and none after."""


def compare_command(
    before: Name,
    after: Name,
    members: Annotated[
        bool, typer.Option("--members", help="Count the members and partners that each cell touches.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Say what partners' queries would have gained or lost.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Replay from here on; default: 90 days.")
    ] = None,
    form: Annotated[
        Form,
        typer.Option("--format", parser=one_of(Form), metavar=listed(Form, "|"), help="How to write it."),
    ] = Form.TEXT,
) -> None:
    """Show what the policy AFTER opens and closes compared with BEFORE, cell by cell."""
    begin = parse_moment(since, "--since") or (datetime.now(UTC) - REPLAYED if replay else None)
    compiled = Compiler()
    if members or begin is not None or any(_is_published(name) for name in (before, after)):
        found = _foreseen(before, after, compiled, members=members, since=begin)
    else:
        old, new = load_directory(Path(before)), load_directory(Path(after))
        found = Compared(
            compare(checked_matrix(old.source), checked_matrix(new.source)),
            dropped_languages=old.languages_beside(new),
        )
    lines = {Form.TEXT: as_text, Form.MARKDOWN: as_markdown, Form.JSON: as_json}[form](found)
    for line in lines:
        typer.echo(line)


def _is_published(name: str) -> bool:
    """Whether it names a policy of the database. A directory called `3` is `./3`."""
    return name == CURRENT or re.fullmatch(r"[0-9]{1,9}", name) is not None


async def _named(office: Office, name: str, compiled: Compiler) -> tuple[Matrix, PolicyDirectory]:
    if name == CURRENT:
        return office.matrix, await directory_of_version(office.connection, office.policy.version)
    if _is_published(name):
        directory = await read_version(office.desk, int(name))
        return compiled(directory.source), directory
    directory = load_directory(Path(name))
    return checked_matrix(directory.source), directory


def _foreseen(
    before: str, after: str, compiled: Compiler, *, members: bool, since: datetime | None
) -> Compared:
    with ProgressBar("deciding members", 1) as bar:

        async def work(office: Office) -> tuple[Compared, Consequences | None]:
            (old, old_files), (new, new_files) = [
                await _named(office, name, compiled) for name in (before, after)
            ]
            comparison = compare(old, new)
            compared = Compared(comparison, dropped_languages=old_files.languages_beside(new_files))
            if not members and since is None:
                return compared, None
            return compared, await foresee(
                office.desk,
                comparison,
                members=members,
                since=since,
                on_progress=lambda done, total: bar.show(done / max(total, 1)),
            )

        compared, held = in_office(work)
    if held is None:
        return compared
    if held.released is None or held.documents is None:
        return replace(compared, effects=held.effects)
    schema = full_schema()
    old, new = compared.comparison.before, compared.comparison.after
    documents = replay_documents(schema, prove(schema), old, new, held.documents, held.released)
    releases = replay_releases(old, new, held.released, held.documents)
    return replace(compared, effects=held.effects, documents=list(documents), releases=list(releases))


def as_text(found: Compared) -> Iterator[str]:
    """Lines for people: `+` opens, `-` closes."""
    cells = found.comparison.cells
    if not cells:
        yield "the two decide alike"
    for cell in cells:
        yield f"{'+' if cell.opens else '-'} {_words(cell)}{_touched_words(cell, found.effects)}"
    yield from _dropped(found)
    if found.documents is not None:
        yield from _replayed(found)


def as_markdown(found: Compared) -> Iterator[str]:
    """A table of the cells, and lists of what partners would notice."""
    cells = found.comparison.cells
    counted = found.effects is not None
    yield "| | basis | purpose | data | where |" + (" members | partners |" if counted else "")
    yield "|---|---|---|---|---|" + ("---:|---|" if counted else "")
    for cell in cells:
        row = [
            "opens" if cell.opens else "closes",
            cell.basis,
            cell.purpose.name,
            f"{CATEGORY_LABELS[cell.category]} ({_how(cell)})",
            ", ".join(cell.regions) or "everywhere",
        ]
        if found.effects is not None:
            touched = _of(cell, found.effects)
            row += [f"{touched.members:,}", ", ".join(sorted(touched.partners)) or "none"]
        yield f"| {' | '.join(row)} |"
    for line in _dropped(found):
        yield f"\n{line}"
    if found.documents is not None:
        yield ""
        for line in _replayed(found):
            yield f"- {line}"


def as_json(found: Compared) -> Iterator[str]:
    """One JSON document."""
    cells: list[dict[str, Any]] = []
    for cell in found.comparison.cells:
        told: dict[str, Any] = {
            "change": "opens" if cell.opens else "closes",
            "action": cell.action.value,
            "basis": cell.basis.value,
            "purpose": cell.purpose.name,
            "category": cell.category.value,
            "regions": list(cell.regions) or None,
        }
        if found.effects is not None:
            touched = _of(cell, found.effects)
            told |= {"members": touched.members, "partners": sorted(touched.partners)}
        cells.append(told)
    document: dict[str, Any] = {"cells": cells, "droppedLanguages": list(found.dropped_languages)}
    if found.documents is not None and found.releases is not None:
        document["documents"] = [
            {
                "partner": each.partner,
                "client": each.client_id,
                "document": each.document_id,
                "responses": each.responses,
                "gained": each.gained,
                "lost": each.lost,
            }
            for each in found.documents
        ]
        document["releases"] = [
            {
                "partner": each.partner,
                "client": each.client_id,
                "operation": each.operation,
                "responses": each.responses,
                "lost": each.lost,
            }
            for each in found.releases
        ]
    yield json.dumps(document, indent=2)


def _dropped(found: Compared) -> Iterator[str]:
    for language in found.dropped_languages:
        yield f"warning: there are no texts in `{language}` any more: who reads it is shown another language"


def _words(cell: ComparedCell) -> str:
    where = f" in {', '.join(cell.regions)}" if cell.regions else ""
    return f"{cell.basis} {cell.purpose.name} {cell.category} ({_how(cell)}{where})"


def _how(cell: ComparedCell) -> str:
    return "shared at all" if cell.action == "share" else "until opt-out"


def _touched_words(cell: ComparedCell, effects: Effects | None) -> str:
    if effects is None:
        return ""
    touched = _of(cell, effects)
    partners = ", ".join(sorted(touched.partners)) or "no partner"
    return f": {counted(touched.members, 'member')}, {partners}"


def _of(cell: ComparedCell, effects: Effects) -> Touched:
    return effects.get((cell.basis, cell.purpose, cell.category, cell.opens), Touched())


def _replayed(found: Compared) -> Iterator[str]:
    for document in found.documents or ():
        changes = [f"gains {', '.join(document.gained)}"] if document.gained else []
        changes += [f"loses {', '.join(document.lost)}"] if document.lost else []
        yield (
            f"{document.partner}: document `{document.document_id}` of {document.client_id},"
            f" answered {counted(document.responses, 'time')}, {' and '.join(changes)}"
        )
    for release in found.releases or ():
        yield (
            f"{release.partner}: {release.operation} of {release.client_id},"
            f" answered {counted(release.responses, 'time')}, loses {', '.join(release.lost)}"
        )
    if not found.documents and not found.releases:
        yield "no query of a partner would have been answered with other fields"
