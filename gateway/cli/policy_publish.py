"""`gateway policy publish|history|show|rollback|notices`: the policy in force, and those before it (C16)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Final

import typer

from gateway.cli.announcing import announce_by_mail
from gateway.cli.counting import counted
from gateway.cli.office import LongOffice, Office, in_long_office, in_office, parse_moment
from gateway.cli.policy_compare import Compared, as_text
from gateway.policy_source import load_directory
from policies.compare import compare
from policies.directory import PolicyDirectory
from resolvers.officers.policies import (
    list_notices,
    list_versions,
    publish,
    read_version,
    require_publishable,
    roll_back,
    show_version,
)
from resolvers.policy_publishing import NoticeView, Publication, VersionView
from resolvers.policy_versions import Compiler, directory_of_version
from schema.errors import InputError

_WIDTH: Final = 100

NoticeDays = Annotated[
    int | None, typer.Option("--notice-days", help="Default: `GATEWAY_NOTICE_DAYS`.", min=1, max=365)
]
NoMail = Annotated[
    bool, typer.Option("--no-mail", help="Announce on the pages and in the contracts only, and mail nobody.")
]
Why = Annotated[
    str | None, typer.Option("--reason", help="Why; it is kept with the version and in the log of actions.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Number = Annotated[
    int, typer.Argument(metavar="N", help="As `gateway policy history` prints it.", min=1, max=999_999_999)
]


def publish_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory of the policy.")],
    notice_days: NoticeDays = None,
    effective: Annotated[
        str | None,
        typer.Option("--effective", metavar="DATE", help="Default: as in `policy.toml`, or now."),
    ] = None,
    no_mail: NoMail = False,
    reason: Why = None,
    yes: Yes = False,
) -> None:
    """Check, test and compare a policy, and put it in force; announce what it newly opens."""
    wanted = load_directory(directory)
    compiled = Compiler()
    require_publishable(wanted, compiled)
    begins = parse_moment(effective, "--effective") or wanted.begins
    if begins is not None and begins <= datetime.now(UTC):
        typer.echo(f"its date, {_moment(begins)}, has passed: it takes effect at once", err=True)
    _show_and_ask(_compared_with(wanted, compiled), yes=yes)

    async def work(office: LongOffice) -> Publication:
        async with office.transactions() as connection:
            return await publish(
                office.desk(connection),
                wanted,
                notice_days=notice_days or office.settings.notice_days,
                effective_at=begins,
                mailed=not no_mail,
                compiled=compiled,
                reason=reason,
            )

    _tell(in_long_office(work))
    in_long_office(announce_by_mail)


def rollback_command(
    number: Number,
    notice_days: NoticeDays = None,
    no_mail: NoMail = False,
    reason: Why = None,
    yes: Yes = False,
) -> None:
    """Publish an earlier version again. What it opens again is announced like anything new."""
    compiled = Compiler()
    wanted = _version(number)
    _show_and_ask(_compared_with(wanted, compiled), yes=yes)

    async def work(office: LongOffice) -> Publication:
        async with office.transactions() as connection:
            return await roll_back(
                office.desk(connection),
                number,
                notice_days=notice_days or office.settings.notice_days,
                mailed=not no_mail,
                compiled=compiled,
                reason=reason,
            )

    _tell(in_long_office(work))
    in_long_office(announce_by_mail)


def history_command() -> None:
    """List every version, the latest first, one a line."""

    async def work(office: Office) -> Sequence[VersionView]:
        return await list_versions(office.desk)

    for line in map(_line, in_office(work)):
        typer.echo(line)


def show_command(
    number: Number,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write its files into a new directory.")
    ] = None,
) -> None:
    """Print a version: who published it, when and why, and its files; or write those out."""

    async def work(office: Office) -> tuple[VersionView, PolicyDirectory]:
        return await show_version(office.desk, number)

    version, found = in_office(work)
    if out is None:
        for line in _heading(version):
            typer.echo(f"# {line}")
        for path, text in sorted(found.files.items()):
            typer.echo(f"# ---- {path}\n{text}")
        return
    if out.exists():
        raise InputError("`--out`: it is there already: name a new directory")
    for path, text in found.files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")
    typer.echo(f"version {number} is in {out}", err=True)


def notices_command() -> None:
    """List every notice, the latest first, with how many members refused what it announces."""

    async def work(office: Office) -> Sequence[NoticeView]:
        return await list_notices(office.desk)

    found = in_office(work)
    for line in notice_lines(found, datetime.now(UTC), for_people=sys.stdout.isatty()):
        typer.echo(line)
    if not found:
        typer.echo("nothing was announced yet", err=True)


def _version(number: int) -> PolicyDirectory:
    async def work(office: Office) -> PolicyDirectory:
        return await read_version(office.desk, number)

    return in_office(work)


def _compared_with(wanted: PolicyDirectory, compiled: Compiler) -> Compared:
    async def work(office: Office) -> Compared:
        now = await directory_of_version(office.connection, office.policy.version)
        comparison = await asyncio.to_thread(lambda: compare(office.matrix, compiled(wanted.source)))
        return Compared(comparison, dropped_languages=now.languages_beside(wanted))

    return in_office(work)


def _show_and_ask(compared: Compared, *, yes: bool) -> None:
    for line in as_text(compared):
        typer.echo(line)
    if not yes and not typer.confirm("Publish it?", err=True):
        raise InputError("nothing was published")


def _tell(done: Publication) -> None:
    typer.echo(f"version {done.number}, in force from {_moment(done.effective_at)}")
    if done.opens_at is not None:
        notices = counted(len(done.notices), "notice")
        typer.echo(f"{notices}; what is new opens on {_moment(done.opens_at)}")
    if done.withdrawn:
        were = "was" if len(done.withdrawn) == 1 else "were"
        typer.echo(
            f"{counted(len(done.withdrawn), 'notice')} of before {were} taken back, whole or in part: what is"
            " not announced any more does not open"
        )
    changes = done.changes
    typer.echo(
        f"shares: {changes.opened:,} opened, {changes.changed:,} changed, {changes.withdrawn:,} withdrawn",
        err=True,
    )


def _line(version: VersionView) -> str:
    return "\t".join((str(version.number), *_facts(version)))


def _heading(version: VersionView) -> Iterator[str]:
    yield f"version {version.number}: {', '.join(_facts(version))}"


def _facts(version: VersionView) -> Iterator[str]:
    yield version.title
    yield f"published {_moment(version.published_at)} by {version.published_by}"
    yield f"in force from {_moment(version.effective_at)}"
    yield counted(version.notices, "notice")
    if version.mailed is not None:
        yield counted(version.mailed, "mail")
    if version.rolled_back_to is not None:
        yield f"version {version.rolled_back_to} again"
    if version.reason is not None:
        yield f"reason: {version.reason}"


def notice_lines(notices: Sequence[NoticeView], now: datetime, *, for_people: bool) -> Iterator[str]:
    """The notices: a few lines each for people at a terminal, and one for programs, cut by tabs."""
    for notice in notices:
        if not for_people:
            yield "\t".join(_notice_words(notice, now))
            continue
        named, version, title, use, categories, begins, refused = _notice_words(notice, now)
        yield f"{title}"
        yield f"  {'a transfer' if version == '-' else version}, {begins}, {refused}"
        where = f", in {', '.join(notice.regions)}" if notice.regions else ""
        yield f"  {use}{where}"
        yield from wrap(categories, _WIDTH, initial_indent="    ", subsequent_indent="    ")
        yield f"  id {named}"


def _notice_words(notice: NoticeView, now: datetime) -> Iterator[str]:
    yield str(notice.id)
    yield "-" if notice.version is None else f"version {notice.version}"
    yield notice.title
    yield f"{notice.basis} {notice.purpose.name}"
    yield ", ".join(notice.categories)
    if notice.withdrawn_at is not None:
        yield f"taken back {_moment(notice.withdrawn_at)}"
    else:
        yield f"{'begins' if notice.effective_at > now else 'begun'} {_moment(notice.effective_at)}"
    yield f"{notice.refused:,} refused"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
