"""`/`: the policy in force in words, and what was announced (C16), for whoever types the address.

The policy comes from the same query that every caller may ask, so that both always say the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import orjson

from gateway.http.messages import GraphQLRequest, Handler
from gateway.operations import digest_of
from gateway.web.edge import Visit
from gateway.web.pages import Html, Page, joined, text
from policies.principal import Visitor
from resolvers.notices import PublishedNotice
from schema.categories import CATEGORY_LABELS, Basis, DataCategory, Purpose
from schema.errors import GatewayError

QUERY: Final = "{ policy { digest rules { basis purpose categories untilOptOut } } }"

WITH_WHOM: Final[Mapping[Basis, str]] = MappingProxyType(
    {
        Basis.STRATEGIC: "Companies with which we work closely",
        Basis.MARKETING: "Companies with which we advertise",
        Basis.LEGAL: "Courts and authorities, where the law requires it",
        Basis.INSOLVENCY: "Whoever takes over our business if we become insolvent",
        Basis.MEMBER_REQUEST: "A company from which you asked for something",
    }
)
WHAT_FOR: Final[Mapping[Purpose, str]] = MappingProxyType(
    {
        Purpose.PARTNER_OFFERS: "offers that suit you",
        Purpose.PARTNER_EMAIL: "offers by e-mail",
        Purpose.JOINT_SERVICE: "a service that we provide together",
        Purpose.MEMBER_ASKED: "what you asked for",
        Purpose.LEGAL_OBLIGATION: "what the case names, and no more",
        Purpose.BUSINESS_TRANSFER: "going on with the business",
        Purpose.OWN_OFFERS: "our own offers",
        Purpose.PERSONALISATION: "showing what suits you",
        Purpose.REPORTING: "statistics",
    }
)


class Home:
    """The page."""

    def __init__(
        self, handler: Handler, notices: Callable[[], Awaitable[Sequence[PublishedNotice]]], site: str
    ) -> None:
        self._handler = handler
        self._notices = notices
        self._site = site

    async def look(self, visit: Visit) -> Page:
        """Show it."""
        request = GraphQLRequest(
            document=QUERY,
            digest=digest_of(QUERY),
            operation_name=None,
            variables={},
            extensions={},
            read_only=True,
            request_id=visit.request_id,
        )
        answer: dict[str, Any] = orjson.loads((await self._handler.execute(request, Visitor())).body)
        if answer.get("errors"):
            raise GatewayError("the policy could not be read")
        policy = answer["data"]["policy"]
        return Page(
            "Your data, and who may see it",
            joined(
                text(
                    "This is what may be shared with others, and why. What is not listed here is not shared."
                    " Telephone numbers and passwords are never shared with anybody."
                ),
                *_announced(await self._notices()),
                *_rules(policy["rules"]),
                text("People under 18", tag="h3"),
                text("Nothing is shared about them, unless the law requires it."),
                text("Your choice", tag="h2"),
                text(
                    "On your account page you see what each company may get about you and what it got, and"
                    " you can refuse all of it or a part. Of several requests of yours, the latest counts."
                ),
                text("For programs", tag="h2"),
                Html(
                    "<p>GraphQL is spoken at <code>/graphql</code>; the same policy is the field"
                    " <code>policy</code> there. Its fingerprint today:</p>"
                ),
                Html(f"<p>{text(policy['digest'], tag='code')}</p>"),
            ),
        )


def _announced(notices: Sequence[PublishedNotice]) -> Sequence[Html]:
    if not notices:
        return ()
    parts = [text("What is new", tag="h2")]
    for notice in notices:
        parts.append(text(notice.title, tag="h3"))
        parts += [text(paragraph) for paragraph in notice.body.split("\n\n") if paragraph.strip()]
        dates = (
            f"Announced on {notice.published_at:%-d %B %Y}; in effect from {notice.effective_at:%-d %B %Y}"
            " for those who do not refuse it on their account page."
        )
        parts.append(text(dates, kind="quiet"))
    return parts


def _rules(rules: Sequence[Mapping[str, Any]]) -> Sequence[Html]:
    parts = [text("What is shared", tag="h2")]
    for basis in Basis:
        grouped: dict[tuple[str, str], list[Purpose]] = {}
        for rule in (rule for rule in rules if rule["basis"] == basis.name):
            said = (_listed(rule["categories"]), _when(basis, rule))
            grouped.setdefault(said, []).append(Purpose[rule["purpose"]])
        if grouped:
            parts.append(text(WITH_WHOM[basis], tag="h3"))
        for (categories, when), purposes in grouped.items():
            uses = " and ".join(WHAT_FOR[purpose] for purpose in purposes)
            parts.append(text(f"For {uses}: {categories}. {when}"))
    return parts


def _when(basis: Basis, rule: Mapping[str, Any]) -> str:
    """Until what the member says it is shared."""
    if basis in {Basis.LEGAL, Basis.INSOLVENCY}:
        return "This does not depend on your choices."
    if not rule["untilOptOut"]:
        return "Only what you asked to have shared, until it is done or you withdraw it."
    if set(rule["untilOptOut"]) == set(rule["categories"]):
        return "Until you refuse."
    return f"Until you refuse: {_listed(rule['untilOptOut'])}. The rest only if you agree to it."


def _listed(keys: Sequence[str]) -> str:
    """The categories in words, without those that another one covers."""
    categories = [DataCategory(key) for key in keys]
    whole = [c for c in categories if not any(o != c and o.covers(c) for o in categories)]
    return ", ".join(sorted((CATEGORY_LABELS[category] for category in whole), key=str.casefold))
