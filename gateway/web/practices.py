"""`/refuse/TOKEN`: a member refuses what a version of the policy opens, by one click, not signed in (C16).

POST is what the button sends: the token says it all. GET and HEAD touch nothing, not even the database, so
that programs which open every link of a mail refuse nothing. What is shown and how long it takes is the same
for a member and for one who was erased.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from gateway.database import Database
from gateway.web.edge import Visit
from gateway.web.pages import Page, button, joined, text
from policies.matrix import Matrix
from resolvers.commands.practices import read_practice_token, refuse_practices
from resolvers.pace import even_time
from resolvers.tokens import SealedTokens

_UNKNOWN: Final = Page(
    "This link is not complete",
    text("Open the link in the mail again, or copy all of it. Nothing was changed."),
    HTTPStatus.NOT_FOUND,
)
_ASKED: Final = Page(
    "Refuse what is new?",
    joined(
        text("Press the button, and what the mail announced is not done with data about you."),
        text("You need not sign in. What was shared before, and your other choices, stay as they are."),
        button("I refuse"),
    ),
)
_DONE: Final = Page(
    "You have refused",
    joined(
        text("What the mail announced is not done with data about you, neither now nor later."),
        text("If you change your mind, choose it on your account page.", kind="quiet"),
    ),
)


class RefusingPractices:
    """The page.

    CLAUSE (C16): a member opts out of a new practice by one click and without signing in.
    """

    def __init__(
        self,
        database: Database,
        tokens: SealedTokens,
        policy: Callable[[], Matrix],
        clock: Callable[[], datetime],
        floor: float,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._policy = policy
        self._clock = clock
        self._floor = floor

    async def look(self, visit: Visit) -> Page:
        """Show the button."""
        return _UNKNOWN if read_practice_token(self._tokens, visit.token) is None else _ASKED

    async def act(self, visit: Visit) -> Page:
        """Refuse, for the member that the token names."""
        named = read_practice_token(self._tokens, visit.token)
        if named is None:
            return _UNKNOWN
        member_id, version = named
        async with even_time(self._floor), self._database.transaction() as connection:
            await refuse_practices(connection, self._policy, member_id, version, self._clock())
        return _DONE
