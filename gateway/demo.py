"""The demonstration: a world of believable members and three partners, made once and found again.

Everything but the requests of step 3 goes through the commands that operators and officers use.

1. three partners, one for each basis that a company uses every day, each with an agreement and a client;
2. members, some of whom made choices about those partners;
3. some of them ask the third partner to be given their data;
4. a token for each kind of caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from gateway.driver_errors import translate_driver_errors
from gateway.identity.officers import PATH as OFFICERS
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring
from gateway.seeding import seed
from gateway.settings import Settings
from policies.matrix import Matrix
from policies.officers import Role
from resolvers.commands.client_credentials import replace_secret
from resolvers.commands.clients import create_client
from resolvers.commands.officer_accounts import create_officer, list_officers, reset_factor
from resolvers.commands.partners import create_agreement, create_partner, list_partners
from resolvers.connection import Link
from resolvers.demonstration import ask_partner_to_share, typical_member
from resolvers.sealing import PhoneSealer
from resolvers.tokens import SealedTokens
from schema.categories import Basis, Purpose
from schema.errors import UnavailableError
from schema.tables.officers import OfficerStatus
from schema.vocabulary import AgreementStatus, ClientAuth

MEMBERS: Final = 2_000
SEED_VALUE: Final = 1

TOKEN_LIFETIME: Final = 86_400
"""Seconds. A day, so that a pasted call works for as long as anybody looks at the demonstration."""


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """A partner of the demonstration, with the categories of its agreement."""

    name: str
    display_name: str
    basis: Basis
    purpose: Purpose
    categories: tuple[str, ...]
    reason: str

    @property
    def client_id(self) -> str:
        """Its one API client."""
        return f"{self.name}-api"


PARTNERS: Final = (
    DemoPartner(
        "northwind-travel",
        "Northwind Travel",
        Basis.STRATEGIC,
        Purpose.JOINT_SERVICE,
        (
            "user.name",
            "user.contact.email",
            "user.contact.address",
            "user.location.imprecise",
            "user.demographic.age_range",
            "user.demographic.profile",
            "user.behavior.purchase_history",
        ),
        "to offer and book journeys together",
    ),
    DemoPartner(
        "brightside-media",
        "Brightside Media",
        Basis.MARKETING,
        Purpose.PARTNER_OFFERS,
        (
            "user.name",
            "user.contact.email",
            "user.location.imprecise",
            "user.demographic.age_range",
            "user.demographic.profile",
        ),
        "to send offers that fit",
    ),
    DemoPartner(
        "harbor-insurance",
        "Harbor Insurance",
        Basis.MEMBER_REQUEST,
        Purpose.MEMBER_ASKED,
        ("user.name", "user.contact.email", "user.contact.address"),
        "to make the offer that the member asked for",
    ),
)


@dataclass(frozen=True, slots=True)
class DemoCall:
    """A call to paste: who makes it, with which token, and what it asks.

    `client`: the id and the secret for which the token has to be got first (RFC 6749, 4.4).
    """

    title: str
    token: str | None
    query: str
    client: tuple[str, str] | None = None
    path: str = "/graphql"


async def make_world(
    database: Database,
    matrix: Matrix,
    sealer: PhoneSealer,
    *,
    now: datetime,
    on_progress: Callable[[int], None],
) -> None:
    """Make what is not there yet. Running it again adds nothing."""
    async with database.transaction() as link:
        known = {partner.name for partner in await list_partners(link)}
    for partner in PARTNERS:
        if partner.name not in known:
            async with database.transaction() as link:
                await _make_partner(link, matrix, partner, now)
    async with database.transaction() as link:
        ids = {partner.name: partner.id for partner in await list_partners(link)}
    with translate_driver_errors():
        async with database.app.acquire() as connection:
            await seed(
                connection,
                MEMBERS,
                SEED_VALUE,
                now=now,
                sealer=sealer,
                matrix=matrix,
                partners=[ids[partner.name] for partner in PARTNERS],
                on_progress=on_progress,
            )
    async with database.transaction() as link:
        await ask_partner_to_share(link, matrix, ids[PARTNERS[2].name], now=now)


async def _make_partner(link: Link, matrix: Matrix, partner: DemoPartner, now: datetime) -> None:
    await create_partner(link, name=partner.name, display_name=partner.display_name, now=now)
    agreement_id, _ = await create_agreement(
        link,
        matrix,
        partner=partner.name,
        basis=partner.basis,
        purpose=partner.purpose,
        categories=partner.categories,
        valid_from=now - timedelta(minutes=1),
        valid_until=None,
        status=AgreementStatus.ACTIVE,
        now=now,
        reasons=dict.fromkeys(partner.categories, partner.reason),
        officer="the demonstration",
    )
    await create_client(
        link, client_id=partner.client_id, agreement_id=agreement_id, now=now, auth=ClientAuth.SECRET
    )


OFFICER: Final = "olga"

MEMBER_QUERY: Final = (
    "{ me { number givenName familyName email birthDate region"
    " phones { edges { node { label addedAt } } }"
    " orders(first: 2) { totalCount edges { node { number status placedAt total currency } } }"
    " shares { edges { node { categories agreement { partner { displayName } basis } } } } } }"
)
PARTNER_QUERIES: Final[Mapping[Basis, str]] = {
    Basis.STRATEGIC: (
        "{ members(first: 3, where: {ageBand: [AGE_25_34, AGE_35_44]}) { totalCount"
        " edges { node { id name email ageBand region interests address { line1 city country } } }"
        " pageInfo { hasNextPage endCursor } } }"
    ),
    Basis.MARKETING: (
        "{ members(first: 3) { totalCount edges { node { id name email ageBand interests } } } }"
    ),
    Basis.MEMBER_REQUEST: (
        "{ agreement { basis purpose categories } members(first: 3) { edges { node { id name email } } } }"
    ),
}


async def calls(database: Database, settings: Settings, keys: Keyring) -> Sequence[DemoCall]:
    """One call for each kind of caller, with tokens that work for a day, and one with a client's secret.

    The secret is a new one each time: the one before is stored nowhere, and counts for a day more.

    Raises:
        UnavailableError: there is no member to show, which a finished `make_world` rules out.
    """
    async with database.transaction() as link:
        member_id = await typical_member(link)
    if member_id is None:
        raise UnavailableError("no member to show: remove the data directory and start again")
    member = mint(
        settings,
        keys,
        kind=SubjectKind.MEMBER,
        subject=str(member_id),
        client_id="web",
        lifetime=TOKEN_LIFETIME,
    )
    found = [
        DemoCall("a visitor", None, "{ viewer { audience } policy { rules { basis purpose categories } } }"),
        DemoCall("a member", member.token, MEMBER_QUERY),
    ]
    for partner in PARTNERS:
        token = mint(
            settings,
            keys,
            kind=SubjectKind.PARTNER,
            subject=partner.client_id,
            client_id=partner.client_id,
            scopes=partner.categories,
            lifetime=TOKEN_LIFETIME,
        )
        title = f"{partner.display_name}, a partner on the basis {partner.basis}"
        found.append(DemoCall(title, token.token, PARTNER_QUERIES[partner.basis]))
    found.append(await _call_with_secret(database, PARTNERS[0]))
    found.append(await _call_of_officer(database, keys))
    return found


async def _call_of_officer(database: Database, keys: Keyring) -> DemoCall:
    """The first step of the officer of the demonstration, with a new code until she has enrolled."""
    now, tokens = datetime.now(UTC), SealedTokens(keys.token_key)
    async with database.transaction() as link:
        known = {officer.name: officer for officer in await list_officers(link)}
        if OFFICER not in known:
            code = await create_officer(
                link, tokens, name=OFFICER, display_name="Olga", roles=list(Role), by_contract=False, now=now
            )
        elif known[OFFICER].status is OfficerStatus.INVITED:
            code = await reset_factor(link, tokens, OFFICER, by_contract=False, now=now)
        else:
            title = f"an officer, {OFFICER}, who has enrolled: docs/api-officers.md says how to sign in"
            return DemoCall(title, None, "{ entrance { advice } }", path=OFFICERS)
    title = f"an officer, {OFFICER}, with all roles: how to begin enrolling (docs/officers.md)"
    query = f'mutation {{ beginEnrolment(input: {{enrolment: "{code}"}}) {{ name authenticator }} }}'
    return DemoCall(title, None, query, path=OFFICERS)


async def _call_with_secret(database: Database, partner: DemoPartner) -> DemoCall:
    async with database.transaction() as link:
        secret = await replace_secret(
            link, client_id=partner.client_id, overlap=timedelta(days=1), now=datetime.now(UTC)
        )
    title = f"{partner.display_name} again, as a partner's program does it: first a token, by OAuth 2"
    query = PARTNER_QUERIES[partner.basis]
    return DemoCall(title, None, query, (partner.client_id, secret))
