"""`/refuse/TOKEN`: a member refuses what a version of the policy opens, by one click, not signed in (C16).

POST is what the button sends: the token says it all. GET and HEAD touch nothing, not even the database, so
that programs which open every link of a mail refuse nothing. What is shown and how long it takes is the same
for a member and for one who was erased.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from gateway.database import Database
from gateway.policy_in_force import PolicyInForce
from gateway.web.edge import Visit
from gateway.web.pages import Page, button, joined, text
from gateway.web.policy import words_of
from policies.words import Words
from resolvers.commands.practices import read_practice_token, refuse_practices
from resolvers.means import Means
from resolvers.pace import even_time
from schema.errors import PolicyChangedError


def _unknown(words: Words) -> Page:
    return Page(
        words.broken_link_title,
        text(words.broken_link_text),
        HTTPStatus.NOT_FOUND,
        language=words.language,
    )


def _asked(words: Words) -> Page:
    return Page(
        words.refuse_title,
        joined(text(words.refuse_text), text(words.refuse_rest), button(words.refuse_button)),
        language=words.language,
    )


def _done(words: Words) -> Page:
    return Page(
        words.refused_title,
        joined(text(words.refused_text), text(words.refused_rest, kind="quiet")),
        language=words.language,
    )


class RefusingPractices:
    """The page.

    CLAUSE (C16): a member opts out of a new practice by one click and without signing in.
    """

    def __init__(self, database: Database, means: Means, policy: PolicyInForce) -> None:
        self._database = database
        self._means = means
        self._policy = policy

    async def look(self, visit: Visit) -> Page:
        """Show the button."""
        words = words_of(visit)
        known = read_practice_token(self._means.tokens, visit.token) is not None
        return _asked(words) if known else _unknown(words)

    async def act(self, visit: Visit) -> Page:
        """Refuse, for the member that the token names."""
        words = words_of(visit)
        named = read_practice_token(self._means.tokens, visit.token)
        if named is None:
            return _unknown(words)
        async with even_time(self._means.rules.answer_floor):
            try:
                await self._refuse(*named)
            except PolicyChangedError:
                # A policy was published a moment ago, and nothing was written: decide by it once it is known.
                await self._means.hear()
                await self._policy.settled()
                await self._refuse(*named)
        return _done(words)

    async def _refuse(self, member_id: UUID, version: int) -> None:
        async with self._database.transaction() as connection:
            await refuse_practices(connection, self._policy, member_id, version, self._means.clock())
