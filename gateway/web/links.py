"""`/confirm/TOKEN` and `/reset/TOKEN`: where links in mails lead if there is no front-end that they lead to.

Looking shows a button or a form and asks nobody. Acting executes the same public mutations that a front-end
would, as a visitor, so that each rule has one path. A form counts only if a page of ours sent it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson

from gateway.http.errors import STATUS
from gateway.http.exchange import read_exchange
from gateway.http.messages import GraphQLRequest, Handler
from gateway.operations import digest_of
from gateway.refusals import Code, refused
from gateway.web.edge import Visit, read_form
from gateway.web.pages import Html, Page, button, joined, password_form, problems, text
from policies.passwords import SHORTEST
from policies.principal import Visitor

FOLLOW: Final = (
    "mutation FollowLink($token: String!, $password: String)"
    " { done: followLink(input: {token: $token, password: $password}) { errors { code message } } }"
)
RESET: Final = (
    "mutation ResetPassword($token: String!, $password: String!)"
    " { done: resetPassword(input: {token: $token, newPassword: $password}) { errors { code message } } }"
)

EXPIRED: Final = "LINK_EXPIRED"
NEEDS_PASSWORD: Final = frozenset({"PASSWORD_REQUIRED", "WRONG_PASSWORD"})

_CONFIRM: Final = Page(
    "Please confirm",
    joined(
        text("Press the button to confirm what the mail asked you."),
        button("Confirm"),
        text("If you did not expect the mail, close this page: nothing happens then.", kind="quiet"),
    ),
)
_CONFIRMED: Final = Page(
    "Thank you",
    joined(
        text("That is confirmed."),
        text(
            "If you were registering or came back, you can sign in now. You may close this page.",
            kind="quiet",
        ),
    ),
)
_WAS_RESET: Final = Page(
    "Your password is set",
    joined(
        text("From now on, sign in with your new password. You may close this page."),
        text("If you were signed in anywhere, you have to sign in again there.", kind="quiet"),
    ),
)
_TITLE_RESET: Final = "Set a new password"


class Links:
    """Both pages."""

    def __init__(self, handler: Handler, origins: Collection[str]) -> None:
        self._handler = handler
        self._origins = frozenset(origin.lower() for origin in origins)

    async def look_at_confirming(self, _: Visit) -> Page:
        """Show the button."""
        return _CONFIRM

    async def confirm(self, visit: Visit) -> Page:
        """Follow the link."""
        password = read_form(visit).get("password") if visit.body else None
        given = {"token": visit.token, "password": password}
        return await self._act(visit, FOLLOW, given, _CONFIRMED, again=False)

    async def look_at_resetting(self, _: Visit) -> Page:
        """Show the form."""
        return _reset_form()

    async def reset(self, visit: Visit) -> Page:
        """Set the password."""
        given = {"token": visit.token, "password": read_form(visit).get("password", "")}
        return await self._act(visit, RESET, given, _WAS_RESET, again=True)

    async def _act(
        self, visit: Visit, document: str, variables: Mapping[str, str | None], done: Page, *, again: bool
    ) -> Page:
        """Execute a mutation; `done` if nothing was found, and otherwise what was, with the form `again`.

        Raises:
            RequestRefused: a page elsewhere sent this.
        """
        exchange = read_exchange(visit.scope, self._origins)
        if not exchange.origin_admitted:
            raise refused(
                Code.BAD_REQUEST, "this came from a page that is not ours: open the link in the mail"
            )
        request = GraphQLRequest(
            document=document,
            digest=digest_of(document),
            operation_name=None,
            variables=variables,
            extensions={},
            read_only=False,
            request_id=visit.request_id,
            exchange=exchange,
        )
        answer: dict[str, Any] = orjson.loads((await self._handler.execute(request, Visitor())).body)
        payload = (answer.get("data") or {}).get("done")
        errors = [*answer.get("errors", ()), *((payload or {}).get("errors") or ())]
        if not errors:
            return done
        codes = [error.get("code") or error["extensions"]["code"] for error in errors]
        said = problems([error["message"] for error in errors])
        status = STATUS.get(codes[0], HTTPStatus.BAD_REQUEST)
        if again and EXPIRED not in codes:
            return _reset_form(said, status=status, code=codes[0])
        if codes[0] in NEEDS_PASSWORD:
            return _claim_form(said, status=status, code=codes[0])
        return Page("That did not work", said, status, code=codes[0])


def _claim_form(*before: Html, status: int, code: str) -> Page:
    hint = "If you did not register, close this page: nothing happens then."
    form = password_form("Password that you registered with", hint, "Confirm", new=False)
    return Page("Is it you?", joined(*before, form), status, code=code)


def _reset_form(*before: Html, status: int = HTTPStatus.OK, code: str | None = None) -> Page:
    hint = (
        f"At least {SHORTEST} characters. Any characters will do, and a sentence is good; a password that"
        " others use often is refused."
    )
    form = password_form("New password", hint, "Set the password")
    return Page(_TITLE_RESET, joined(*before, form), status, code=code)
