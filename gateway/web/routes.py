"""Which page is found where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from starlette.routing import Route

from gateway.contracts import Contracts
from gateway.database import Database
from gateway.driver_errors import translate_driver_errors
from gateway.http.messages import Handler
from gateway.policy_in_force import PolicyInForce
from gateway.web.edge import PageEndpoint
from gateway.web.home import Home
from gateway.web.links import Links
from gateway.web.policy import DATA, MACHINE, TABLE, TEXT, PolicyPages, Published, ReadNotices, ReadStanding
from gateway.web.practices import RefusingPractices
from gateway.web.unsubscribe import Unsubscribing
from policies.member_text import Standing
from resolvers.means import Means
from resolvers.notices import PublishedNotice, published_notices
from resolvers.policy_standing import policy_standing
from schema.catalogue import Catalogue
from schema.vocabulary import Language


def page_routes(
    *,
    site: str,
    handler: Handler,
    database: Database,
    means: Means,
    policy: PolicyInForce,
    catalogue: Catalogue,
    contracts: Contracts,
    origins: Collection[str],
    timeout: float,
) -> Sequence[Route]:
    """The routes of all pages. `site` is who runs them, `timeout` in seconds."""
    links = Links(handler, origins)
    published = Published(
        policy, catalogue, contracts, _notices(database, means.clock), _standing(database), means.clock
    )
    home, about = Home(published), PolicyPages(published)
    leaving = Unsubscribing(database, means.tokens, means.clock, means.rules.answer_floor)
    refusing = RefusingPractices(database, means, policy)
    pages = (
        ("/", "/", home.look, None),
        (TEXT, TEXT, about.text, None),
        (TABLE, TABLE, about.table, None),
        (DATA, DATA, about.data, None),
        (MACHINE, MACHINE, about.machine, None),
        ("/unsubscribe", "/unsubscribe/{token}", leaving.look, leaving.act),
        ("/refuse", "/refuse/{token}", refusing.look, refusing.act),
        ("/confirm", "/confirm/{token}", links.look_at_confirming, links.confirm),
        ("/reset", "/reset/{token}", links.look_at_resetting, links.reset),
    )
    return [
        Route(
            route,
            PageEndpoint(site=site, path=path, look=look, act=act, timeout=timeout, machine=path == MACHINE),
        )
        for path, route, look, act in pages
    ]


def _notices(database: Database, clock: Callable[[], datetime]) -> ReadNotices:
    async def read(language: Language) -> Sequence[PublishedNotice]:
        async with database.reads.acquire() as connection:
            return await published_notices(connection, clock(), language)

    return read


def _standing(database: Database) -> ReadStanding:
    async def read() -> Standing:
        with translate_driver_errors():
            async with database.app.acquire() as connection:
                return await policy_standing(connection)

    return read
