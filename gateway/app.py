"""The composition: settings, keys and a database in, a Starlette application out.

`open_gateway` is the one place where the parts meet. It starts nothing that it does not stop.

1. the policy is compiled, the full schema assembled and proved: either fails, nothing is served;
2. the database is opened; its migrations must be current;
3. the shares are made to follow the policy in force (a new database begins with this one), and the passing
   of time;
4. identity, contracts, execution and the disclosure log are put together behind HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gateway.account_means import open_means
from gateway.announcements import Announcements
from gateway.application import Application
from gateway.bulk import PATH as BULK
from gateway.bulk import BulkMembers
from gateway.contracts import Contracts
from gateway.cursors import SealedCursors
from gateway.database import Database, open_database
from gateway.delivery.letters import read_letterhead
from gateway.delivery.posting import Poster
from gateway.delivery.sender import Sender
from gateway.delivery.transports import open_transport
from gateway.delivery.webhooks import Dispatcher, endpoint_counts
from gateway.disclosure_upkeep import DisclosureUpkeep
from gateway.documents import RememberingFinder
from gateway.driver_errors import translate_driver_errors
from gateway.egress import Egress
from gateway.execution import Engine
from gateway.handler import GraphQLHandler
from gateway.http.cors import cors
from gateway.http.elsewhere import answers
from gateway.http.exchange import origin_of
from gateway.http.graphql import GraphQLEndpoint
from gateway.http.health import health_routes
from gateway.http.messages import Authenticator, Meter
from gateway.http.partner_edge import PartnerEndpoint
from gateway.http.streams import Streams
from gateway.http.suppressions import SuppressionRoutes
from gateway.http.well_known import well_known_routes
from gateway.identity.officers import PATH as OFFICERS
from gateway.identity.officers import OfficerAuthenticator
from gateway.identity.principals import open_authenticator
from gateway.keys import Keyring
from gateway.limits import Limits
from gateway.migrations import current_revision, expected_revision
from gateway.oauth.routes import oauth_routes
from gateway.officers_contract import officers_contracts
from gateway.operations import Preparer
from gateway.policy_in_force import PolicyInForce
from gateway.policy_keeper import PolicyKeeper
from gateway.policy_source import load_directory
from gateway.quotas import Quotas, quota_settings
from gateway.settings import DocumentPolicy, Settings
from gateway.suppressions import SuppressionLimits, Suppressions
from gateway.upkeep import Upkeep
from gateway.web.addresses import addresses_of
from gateway.web.routes import page_routes
from policies.check import checked_matrix
from policies.destinations import Rules
from policies.directory import PolicyDirectory
from policies.matrix import Matrix, compile_matrix
from resolvers.binding import PageLimits
from resolvers.disclosure_log import DisclosureLog
from resolvers.queries import full_schema
from schema.catalogue import Catalogue
from schema.errors import UnavailableError
from schema.proof import prove

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of a running gateway."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Product:
    """What needs no database: the policy to begin with, the catalogue, the contracts."""

    directory: PolicyDirectory
    matrix: Matrix
    catalogue: Catalogue
    contracts: Contracts


def load_product(settings: Settings) -> Product:
    """Compile the policy and prove the catalogue.

    Raises:
        PolicyError: the policy may not be used.
        CatalogueError: the schema may not be served.
    """
    # The policy that ships is checked by the tests; checking it again would double the time to start.
    directory = load_directory(settings.policy_dir)
    compiled = compile_matrix if settings.policy_dir is None else checked_matrix
    matrix = compiled(directory.source)
    schema = full_schema()
    catalogue = prove(schema)
    return Product(directory, matrix, catalogue, Contracts(schema, catalogue, PolicyInForce(matrix)))


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: the application, and the parts that tests and commands look at."""

    app: Starlette
    engine: Engine
    product: Product
    policy: PolicyInForce
    database: Database
    sender: Sender
    """Empties the outbox while it is entered; a test lets it `drain`."""
    dispatcher: Dispatcher
    """Tells partners of withdrawals while it is entered; a test lets it `drain`."""


@asynccontextmanager
async def open_gateway(settings: Settings, keys: Keyring, clock: Clock = utc_now) -> AsyncIterator[Gateway]:
    """A gateway on the database of these settings."""
    product = load_product(settings)  # 1
    async with (
        open_database(settings, keys) as database,  # 2
        _migrated(database),
        compose(settings, keys, database, product, clock) as gateway,
        at_work(gateway),
    ):
        yield gateway


@asynccontextmanager
async def at_work(gateway: Gateway) -> AsyncIterator[None]:
    """What a gateway does by itself while it serves: letters and webhooks go out.

    Whoever serves enters this, and so nobody forgets one of them.
    """
    async with gateway.sender, gateway.dispatcher:
        yield


@asynccontextmanager
async def compose(
    settings: Settings, keys: Keyring, database: Database, product: Product, clock: Clock = utc_now
) -> AsyncIterator[Gateway]:
    """A gateway on an open, migrated database."""
    async with AsyncExitStack() as stack:
        policy = PolicyInForce(product.matrix)
        contracts = product.contracts.under(policy)
        keeper = PolicyKeeper(database, policy, product.directory, clock)  # 3
        await stack.enter_async_context(keeper)
        await stack.enter_async_context(Upkeep(database, policy, clock))
        await stack.enter_async_context(
            DisclosureUpkeep(database, keys, clock, settings.disclosure_checkpoint_interval)
        )
        log = DisclosureLog(
            database.records,
            flush_interval=settings.disclosure_flush_interval,
            timeout=settings.disclosure_timeout,
        )
        await stack.enter_async_context(log)
        authenticator = await stack.enter_async_context(open_authenticator(settings, keys, database, policy))
        authenticator.subscribe(keeper.hear)
        await keeper.round()  # what was published since it was read, and before anybody listened
        means = stack.enter_context(open_means(settings, keys, clock))
        quotas = Quotas(database, quota_settings(settings), clock)
        await stack.enter_async_context(quotas)
        means = replace(means, hear=authenticator.hear, budget=quotas.budget)
        authenticator.subscribe(quotas.forget)
        egress = Egress(log, authenticator.confirm, quotas.spend_members)
        suppressions = await stack.enter_async_context(
            Suppressions(database, keys.suppression_key, clock, suppression_limits(settings))
        )
        head = read_letterhead(settings.mail_from, addresses_of(settings, means.tokens))
        sender = Sender(database, open_transport(settings), head, clock)
        dispatcher = Dispatcher(
            database,
            Egress(log, endpoint_counts(database)),
            Poster(Rules.of(settings.webhook_networks, settings.webhook_ports)),
            keys,
            clock,
            most=settings.webhook_concurrency,
        )
        engine_of = partial(
            Engine,
            policy=policy,
            fetch=database.reads.fetch,
            transaction=database.transaction,
            cursors=SealedCursors(keys.cursor_key),
            pages=PageLimits(settings.default_page_size, settings.max_page_size, settings.max_filter_values),
            egress=egress,
            means=means,
            clock=clock,
            cache_size=settings.plan_cache_size,
        )
        announcements = await stack.enter_async_context(Announcements(database))
        engine = engine_of(catalogue=product.catalogue, announce=announcements.tell)
        preparer = Preparer(Limits.of(settings), settings.document_cache_size)
        handler = GraphQLHandler(contracts, preparer, engine)
        documents = RememberingFinder(database.app, translate_driver_errors)
        streams = Streams(
            announcements,
            handler.follow,
            per_client=settings.feed_streams_per_client,
            longest=settings.feed_stream_seconds,
        )
        endpoint = GraphQLEndpoint(
            handler=handler,
            authenticate=authenticator.authenticate,
            meter=quotas,
            documents=documents,
            document_policy=settings.documents,
            max_body_bytes=settings.max_body_bytes,
            request_timeout=settings.request_timeout,
            origins=admitted_origins(settings),
            streams=streams,
        )
        bulk = BulkMembers(
            contracts=contracts,
            preparer=preparer,
            engine=engine,
            documents=documents,
            policy=settings.documents,
            largest_page=settings.max_page_size,
        )
        officer_routes = []
        if settings.officer_contract:
            catalogue, staff = officers_contracts(policy)
            officers = OfficerAuthenticator(settings, keys, database, authenticator.was_revoked, clock)
            officer_routes = [
                Route(
                    OFFICERS,
                    GraphQLEndpoint(
                        handler=GraphQLHandler(staff, preparer, engine_of(catalogue=catalogue)),
                        authenticate=officers.authenticate,
                        meter=quotas,
                        documents=documents,
                        document_policy=DocumentPolicy.ANY,
                        max_body_bytes=settings.max_body_bytes,
                        request_timeout=settings.request_timeout,
                        path=OFFICERS,
                    ),
                )
            ]
        pages = page_routes(
            site=head.name,
            handler=handler,
            database=database,
            means=means,
            policy=policy,
            catalogue=product.catalogue,
            contracts=contracts,
            origins=admitted_origins(settings),
            timeout=settings.request_timeout,
        )
        partner_routes = _partner_routes(
            authenticator.authenticate, quotas, SuppressionRoutes(suppressions, egress, contracts)
        )
        app = Application(
            {"/graphql": endpoint},
            routes=[
                Route("/graphql", endpoint),
                Route(BULK, PartnerEndpoint(BULK, {"GET"}, authenticator.authenticate, quotas, bulk)),
                *partner_routes,
                *officer_routes,
                *health_routes({"database": _pings(database)}),
                *well_known_routes(),
                *oauth_routes(settings, keys, database, means, authenticator),
                *pages,
            ],
            middleware=cors(settings.cors_origins),
            exception_handlers={HTTPException: answers(head.name)},
        )
        # A redirect would be built from the Host header and would repeat the query: there is one path.
        app.router.redirect_slashes = False
        app.state.closing = streams.close
        yield Gateway(app, engine, product, policy, database, sender, dispatcher)  # 4


def _partner_routes(
    authenticate: Authenticator, meter: Meter, suppressions: SuppressionRoutes
) -> Sequence[Route]:
    """What partners ask beside `/graphql`."""
    acts = {
        "/partner/suppressions/check": suppressions.check,
        "/partner/suppressions/scrub": suppressions.scrub,
    }
    return [
        Route(path, PartnerEndpoint(path, ("POST",), authenticate, meter, act)) for path, act in acts.items()
    ]


def suppression_limits(settings: Settings) -> SuppressionLimits:
    """The limits that the settings make."""
    return SuppressionLimits(settings.suppression_digests_per_day, settings.suppression_keep_days)


def admitted_origins(settings: Settings) -> list[str]:
    """Pages of these origins may use cookies here: our own, and those in `cors_origins`."""
    return [origin_of(str(settings.public_url)), *(origin.lower() for origin in settings.cors_origins)]


@asynccontextmanager
async def _migrated(database: Database) -> AsyncIterator[None]:
    """Go on only with the tables that this program expects.

    Raises:
        UnavailableError: the database is at another revision.
    """
    if await current_revision(database.url) != expected_revision():
        raise UnavailableError("the database is not at this program's revision: run `gateway migrate`")
    yield


def _pings(database: Database) -> Callable[[], Any]:
    async def ready() -> bool:
        ((answer,),) = await database.reads.fetch("SELECT 1", ())
        return bool(answer == 1)

    return ready
