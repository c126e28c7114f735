"""`/unsubscribe/TOKEN`: the newsletter ends by one click, without signing in (C9, RFC 8058).

The link in a mail to somebody who may be no member refuses promotional mail at that address, ours and our
partners'. Whether a member has the address is neither asked nor told.

POST is what the button sends, and what programs that show mail send by themselves: neither a cookie nor an
origin nor anything in the body is asked for, the token says it all. GET and HEAD touch nothing, not even the
database, so that programs which open every link of a mail end no newsletter.

What is shown and how long it takes is the same for a member and for one who was erased.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from gateway.database import Database
from gateway.web.edge import Visit
from gateway.web.pages import Page, button, joined, text
from resolvers.commands.refusing import read_refusal_token, refuse_by_link
from resolvers.commands.unsubscribing import read_unsubscribe_token, unsubscribe
from resolvers.pace import even_time
from resolvers.tokens import SealedTokens

_UNKNOWN: Final = Page(
    "This link is not complete",
    text("Open the link in the mail again, or copy all of it. Nothing was changed."),
    HTTPStatus.NOT_FOUND,
)
_ASKED: Final = Page(
    "Stop the newsletter?",
    joined(
        text("Press the button and we send no more newsletters to this address. You need not sign in."),
        text("Mails about the account, such as those with a new password, still come."),
        button("Stop the newsletter"),
    ),
)
_DONE: Final = Page(
    "The newsletter is stopped",
    joined(
        text("We send no more newsletters to this address."),
        text("If you change your mind, choose the newsletter again on your account page.", kind="quiet"),
    ),
)
_ASKED_FOR_ADDRESS: Final = Page(
    "No more promotional mail?",
    joined(
        text(
            "Press the button, and neither we nor our partners are to send promotional mail to this address."
        ),
        text("You need not sign in, nor be a member.", kind="quiet"),
        button("No more promotional mail"),
    ),
)
_DONE_FOR_ADDRESS: Final = Page(
    "No more promotional mail",
    joined(
        text("We send none to this address any more, and our partners are told not to when they ask us."),
        text("It may take them some days. You may close this page.", kind="quiet"),
    ),
)


class Unsubscribing:
    """The page.

    CLAUSE (C9): one click and no sign-in; the page is the same whoever the link belongs to, member or not.
    """

    def __init__(
        self, database: Database, tokens: SealedTokens, clock: Callable[[], datetime], floor: float
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._floor = floor

    async def look(self, visit: Visit) -> Page:
        """Show the button."""
        if read_unsubscribe_token(self._tokens, visit.token) is not None:
            return _ASKED
        return _UNKNOWN if read_refusal_token(self._tokens, visit.token) is None else _ASKED_FOR_ADDRESS

    async def act(self, visit: Visit) -> Page:
        """Stop the newsletter of the member, or promotional mail to the address, that the token names."""
        member_id = read_unsubscribe_token(self._tokens, visit.token)
        if member_id is None:
            return await self._refuse(visit.token)
        async with even_time(self._floor), self._database.transaction() as connection:
            await unsubscribe(connection, member_id, self._clock())
        return _DONE

    async def _refuse(self, token: str) -> Page:
        address = read_refusal_token(self._tokens, token)
        if address is None:
            return _UNKNOWN
        async with even_time(self._floor), self._database.transaction() as connection:
            await refuse_by_link(connection, address, self._clock())
        return _DONE_FOR_ADDRESS
