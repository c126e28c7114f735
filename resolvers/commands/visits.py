"""Visits and page views, recorded only with the visitor's choice (C3, C4).

The choice is a cookie, so that visitors can make it, and `Sec-GPC: 1` overrules it. A visit is known by a
cookie with its id, which counts for the member whose visit it is, and for as long as she goes on.

What is kept of a page and of a referrer is where it is: no query and no fragment, which may say anything. The
provider's domain is not looked up: whoever answers such questions would learn who visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from policies.principal import MemberPrincipal
from resolvers.browsers import browser_of
from resolvers.commands.correction import Checks
from resolvers.context import Work
from resolvers.exchange import Cookie, Exchange
from schema.errors import FieldErrors, FieldProblem, ForbiddenError, UnauthenticatedError
from schema.ids import new_id, parse_uuid

TRACKING: Final = "tracking"
VISIT: Final = "visit"

CHOICE_LASTS: Final = timedelta(days=180)
"""Half a year, after which a visitor is asked again (CNIL, guidelines on cookies of 2020)."""

IDLE: Final = timedelta(minutes=30)
"""A visit is over when no page was looked at for so long, as web analytics usually counts."""

MAX_PAGE: Final = 500
"""Characters of a path or a referrer."""

MAX_SECONDS: Final = int(IDLE.total_seconds())
"""A page that is open longer was not looked at all the time."""

MAX_PAGES: Final = 500
MAX_VISITS_A_DAY: Final = 100
"""Pages of a visit and visits of a member: beyond them nobody reads, and a program writes."""

_MOST_ENCODED: Final = 4
"""How often a text may be percent-encoded over and over."""


def set_tracking(exchange: Exchange, *, tracking: bool) -> None:
    """Keep the choice in a cookie that a front-end can read; a visit that goes on is over when it says no.

    Raises:
        ForbiddenError: a page of another origin sent this.
        FieldErrors: the browser declines tracking itself.
    """
    if not exchange.origin_admitted:
        raise ForbiddenError("a page of this origin may not choose for its visitors here")
    if tracking and exchange.opts_out:
        message = "your browser sends `Sec-GPC: 1`, which declines tracking: turn that off first"
        raise FieldErrors([FieldProblem(("tracking",), "COOKIES_DECLINED", message)])
    chosen = "yes" if tracking else "no"
    lasts = int(CHOICE_LASTS.total_seconds())
    exchange.set_cookie(Cookie(TRACKING, chosen, lasts, readable_by_scripts=True))
    if not tracking:
        exchange.set_cookie(Cookie(VISIT, "", 0))


def is_tracked(exchange: Exchange) -> bool:
    """Whether this visitor chose to be tracked, and the browser does not say otherwise.

    CLAUSE (C4): without the visitor's own yes, or against the browser's signal, there is no trail.
    """
    return exchange.origin_admitted and not exchange.opts_out and exchange.cookies.get(TRACKING) == "yes"


async def record_page_view(work: Work, given: Mapping[str, Any]) -> None:
    """Write a page view, into the visit that goes on or into a new one.

    CLAUSE (C3, C4): technical data is stored of visitors who chose it, and for the member alone.

    1. the visitor chose it;
    2. the member exists, and is not erased meanwhile;
    3. what was sent is fit to be kept;
    4. the visit that the cookie names goes on, if it is the member's own, or else one begins;
    5. the page is written, and the visit's cookie is renewed.

    Raises:
        FieldErrors: nothing was recorded.
    """
    if not is_tracked(work.exchange):  # 1
        message = (
            "pages are recorded only with the cookie `__Host-tracking`, which `chooseCookies(input:"
            " {tracking: true})` sets, and without `Sec-GPC: 1`: nothing was recorded"
        )
        raise FieldErrors([FieldProblem((), "COOKIES_DECLINED", message)])
    member_id, region = await _member(work)  # 2
    checks = Checks(region)  # 3
    path = _path(checks, given["path"])
    referrer = _referrer(checks, given.get("referrer"))
    seconds = given.get("seconds") or 0
    if seconds < 0:
        checks.refuse("BAD_FORMAT", "`seconds`: how long the page was looked at, from 0 up", "seconds")
    checks.together("referrer", "path", texts=(referrer, path))
    checks.done()
    seconds = min(seconds, MAX_SECONDS)
    opened_at = work.now - timedelta(seconds=seconds)
    visit_id = await _visit_that_goes_on(work, member_id, opened_at)  # 4
    if visit_id is None:
        visit_id = await _begin(work, member_id, referrer, opened_at)
    await work.connection.execute(  # 5
        "INSERT INTO page_view (id, visit_id, path, viewed_at, seconds) VALUES ($1, $2, $3, $4, $5)",
        new_id(),
        visit_id,
        path,
        opened_at,
        seconds,
    )
    await work.connection.execute(
        "UPDATE visit SET exit_page = (SELECT path FROM page_view WHERE visit_id = $1"
        " ORDER BY viewed_at DESC, id DESC LIMIT 1) WHERE id = $1",
        visit_id,
    )
    work.exchange.set_cookie(Cookie(VISIT, str(visit_id), int(IDLE.total_seconds())))


async def _member(work: Work) -> tuple[UUID, str | None]:
    if not isinstance(work.principal, MemberPrincipal):
        raise ForbiddenError("only a member's pages are recorded")
    row = await work.connection.fetchrow(
        "SELECT id, region FROM member WHERE id = $1 FOR KEY SHARE", work.principal.member_id
    )
    if row is None:
        raise UnauthenticatedError("this account does not exist any more: sign in again")
    return row["id"], row["region"]


async def _visit_that_goes_on(work: Work, member_id: UUID, opened_at: datetime) -> UUID | None:
    named = parse_uuid(work.exchange.cookies.get(VISIT, ""))
    if named is None:
        return None
    visit_id: UUID | None = await work.connection.fetchval(
        "SELECT id FROM visit WHERE id = $1 AND member_id = $2 FOR UPDATE", named, member_id
    )
    if visit_id is None:
        return None
    (pages,) = await work.connection.fetch(
        "SELECT count(*) AS count, max(viewed_at + make_interval(secs => seconds)) AS last FROM page_view"
        " WHERE visit_id = $1",
        visit_id,
    )
    if pages["last"] is None or opened_at - pages["last"] > IDLE:
        return None
    if pages["count"] >= MAX_PAGES:
        raise _too_many("a visit", MAX_PAGES, "pages")
    return visit_id


async def _begin(work: Work, member_id: UUID, referrer: str | None, started_at: datetime) -> UUID:
    begun = await work.connection.fetchval(
        "SELECT count(*) FROM visit WHERE member_id = $1 AND started_at > $2",
        member_id,
        work.now - timedelta(days=1),
    )
    if begun >= MAX_VISITS_A_DAY:
        raise _too_many("a day", MAX_VISITS_A_DAY, "visits")
    visit_id = new_id()
    await work.connection.execute(
        "INSERT INTO visit (id, member_id, started_at, ip_address, browser, referring_page)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        visit_id,
        member_id,
        started_at,
        work.exchange.ip_address or "unknown",
        browser_of(work.exchange.user_agent),
        referrer,
    )
    return visit_id


def _too_many(of: str, most: int, what: str) -> FieldErrors:
    return FieldErrors(
        [FieldProblem((), "TOO_MANY", f"{of} has at most {most} {what}: nothing was recorded")]
    )


def _path(checks: Checks, given: str) -> str:
    """Where the page is, without query and fragment. The text is refused if it says more than that."""
    path = given.partition("#")[0].partition("?")[0]
    if not path.startswith("/"):
        checks.refuse("BAD_FORMAT", "`path`: a page of this site, from `/` on", "path")
        return path
    path = checks.text("path", path, longest=MAX_PAGE)
    if not checks.refused("path"):
        # What stands there percent-encoded is read by whoever reads the page's name.
        checks.text("path", _decoded(path), longest=MAX_PAGE)
    return path


def _referrer(checks: Checks, given: str | None) -> str | None:
    """Where the visit came from. A page whose name holds a number is told by its site alone (R1)."""
    if not given:
        return None
    try:
        parts = urlsplit(given)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        checks.refuse("BAD_FORMAT", "`referrer`: an address that begins with `https://`", "referrer")
        return None
    site = f"{parts.scheme}://{parts.hostname}{port}"
    for told in (f"{site}{parts.path}", f"{site}/"):
        judged = Checks(checks.country)
        judged.text("referrer", told, longest=MAX_PAGE)
        judged.text("referrer", _decoded(told), longest=MAX_PAGE)
        if not judged.problems:
            return told
    return None


def _decoded(text: str) -> str:
    for _ in range(_MOST_ENCODED):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return text
