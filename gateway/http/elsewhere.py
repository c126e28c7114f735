"""What is answered where there is nothing: an unknown path, or a method that a path does not take.

Comes in: what Starlette found wanting. Goes out: the same answer for every such request, as JSON for programs
and as a small page for browsers. The path is neither repeated nor logged: it might be half a link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.partner_edge import SECURITY
from gateway.refusals import Code
from gateway.web.pages import HEADERS, HTML, UNKEPT, Page, problems, rendered

_NOTHING: Final = "there is nothing at this address: check it; GraphQL is asked at `/graphql`"
_METHOD: Final = "this address does not take this method: `Allow` names those it takes"
_TITLES: Final = {404: "This page does not exist", 405: "This does not work here"}


def answers(site: str) -> Callable[[Request, Exception], Response]:
    """What answers in place of Starlette's own words. `site` is who runs the pages."""

    def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
        status = error.status_code
        code, message = (
            (str(Code.METHOD_NOT_ALLOWED), _METHOD) if status == 405 else ("NOT_FOUND", _NOTHING)  # noqa: PLR2004
        )
        if _is_browser(request):
            page = Page(_TITLES.get(status, _TITLES[404]), problems([message]), status, (), code)
            body, media = rendered(page, site), HTML
            headers = [*HEADERS, *UNKEPT]
        else:
            body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
            media, headers = b"application/json", [*SECURITY]
        told = {name.decode(): value.decode() for name, value in (*headers, (b"content-type", media))}
        return Response(body, status, {**told, **(error.headers or {})})

    return answer


def _is_browser(request: Request) -> bool:
    """Whether a person looks at the answer: only browsers ask for HTML by name."""
    return "text/html" in request.headers.get("accept", "").lower()
