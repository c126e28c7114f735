"""`/`: what was announced (C16), and where the policy in force is read, for whoever types the address."""

from __future__ import annotations

from gateway.web.edge import Visit
from gateway.web.pages import Html, Page
from gateway.web.policy import Published, navigation, words_of
from policies.document import Heading, Paragraph, as_html
from policies.member_text import announcements


class Home:
    """The page.

    CLAUSE (C16): a new use is announced on the home page, with its first day and how to refuse it.
    """

    def __init__(self, published: Published) -> None:
        self._published = published

    async def look(self, visit: Visit) -> Page:
        """Show it."""
        words = words_of(visit)
        notices = await self._published.notices(words.language)
        blocks = (
            Paragraph(words.home_intro),
            *(
                announcements(notices, words, self._published.clock())
                or (Paragraph(words.nothing_announced),)
            ),
            Heading(words.choice),
            Paragraph(words.choice_text),
            Heading(words.minors),
            Paragraph(words.minors_text),
            Heading(words.nav_machine),
            Paragraph(words.machine_text),
            Paragraph(words.fingerprint.format(digest=self._published.policy().digest), quiet=True),
        )
        return Page(
            words.home_title,
            Html(as_html(blocks)),
            language=words.language,
            navigation=navigation(words, visit, "/"),
            public=True,
        )
