"""A small world, the same in every run: fixed ids, fixed clock, members and partners of every kind.

`PEOPLE` says of each member what is special. Ids are made of a table's number and the row's, so that a
wrong one in a golden file can be read. Pairwise ids are laid down before the shares are decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from gateway.database import Database
from policies.agreement import AgreementTerms, scope_mask
from policies.disclosure_chain import ChainedRecord, beginning, digest
from policies.matrix import Matrix
from policies.principal import MemberPrincipal, PartnerPrincipal, Principal, Visitor
from resolvers.commands.partners import as_of
from resolvers.connection import Link
from resolvers.shares import refresh_shares
from schema.categories import Basis, DataCategory, Purpose, mask_of
from schema.vocabulary import AgreementStatus

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
JUNE: Final = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
"""When the shares were first decided."""
NOVEMBER: Final = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
"""When Ben moved."""

TABLES: Final = (
    "member", "postal_address", "phone", "billing_method", "cart", "cart_item", "customer_order",
    "order_line", "interaction", "visit", "page_view", "communication", "choice", "disclosure", "partner",
    "agreement",
)  # fmt: skip


def row_id(table: str, number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-{TABLES.index(table) + 1:04x}{number:08x}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    name: str
    family: str | None
    why: str
    born: date | None = date(1980, 5, 1)
    region: str | None = "US-CA"
    status: str = "ACTIVE"
    username: str | None = None
    interests: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()
    city: str | None = "Springfield"
    choices: tuple[Mapping[str, Any], ...] = ()

    @property
    def number(self) -> int:
        return [person.name for person in PEOPLE].index(self.name) + 1

    @property
    def id(self) -> UUID:
        return row_id("member", self.number)

    @property
    def log_id(self) -> UUID:
        """The name under which the disclosure log knows the member."""
        return UUID(f"00000000-0000-4000-9000-{self.number:012x}")

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.org"


def _out(on: str, **selectors: Any) -> Mapping[str, Any]:
    return {"requested_at": at(on), "direction": "OUT", "source": "PROFILE_PAGE", **selectors}


def _in(on: str, **selectors: Any) -> Mapping[str, Any]:
    return {**_out(on, **selectors), "direction": "IN"}


PARTNERS: Final = ("acme", "bolt", "wish")


def partner_id(name: str) -> UUID:
    return row_id("partner", PARTNERS.index(name) + 1)


PEOPLE: Final = (
    Person(
        "Ada", "Lovelace", "has something in every table", username="ada", interests=("chess", "go"),
        bought=("books",),
    ),
    Person("Ben", "Ali", "no address; moved in November", date(1995, 2, 3), "DE", city=None),
    Person("Cid", "Young", "under 18", born=date(2012, 1, 1)),
    Person("Dot", "Ageless", "birth date unknown", born=None),
    Person("Eve", None, "invited", status="INVITED"),
    Person("Fay", "Gone", "closed", status="CLOSED"),
    Person("Gus", "Out", "opted out of everything", choices=(_out("2026-01-05", source="MAIL"),)),
    Person(
        "Hal", "Back", "GPC, then in for acme", date(1958, 7, 9), interests=("go",),
        choices=(_out("2026-01-05", source="GPC"), _in("2026-02-06", partner_id=partner_id("acme"))),
    ),
    Person("Ida", "Picky", "out for acme", choices=(_out("2026-01-05", partner_id=partner_id("acme")),)),
    Person(
        "Jon", "Mailless", "withholds the e-mail address", region="US-NY", interests=("chess",),
        choices=(_out("2026-01-05", categories=["user.contact.email"]),),
    ),
    Person(
        "Kim", "Nowhere", "withholds address and region", date(1990, 1, 1),
        choices=(_out("2026-01-05", categories=["user.contact.address", "user.location.imprecise"]),),
    ),
    Person(
        "Lea", "Secret", "withholds the last name, a part of the name", region="FR",
        choices=(_out("2026-01-05", categories=["user.name.last"]),),
    ),
    Person(
        "Max", "Asker", "asked to have something shared with wish", region=None, username="max",
        choices=(
            _in(
                "2026-03-04",
                partner_id=partner_id("wish"),
                purpose=Purpose.MEMBER_ASKED.value,
                categories=["user.account.username", "user.contact.email"],
                basis=Basis.MEMBER_REQUEST.value,
                ends_at=at("2027-03-04"),
            ),
        ),
    ),
    Person("Nia", "Old", "of age today; opted in last", date(2008, 11, 23), "FR", bought=("music", "books"),
        choices=(
            _in("2026-05-02", purpose=Purpose.PARTNER_OFFERS.value),
            _out("2026-05-01", purpose=Purpose.PARTNER_OFFERS.value),
        ),
    ),
)  # fmt: skip


def person(name: str) -> Person:
    return next(person for person in PEOPLE if person.name.lower() == name)


_STRATEGIC: Final = frozenset(
    {
        DataCategory.NAME, DataCategory.EMAIL, DataCategory.ADDRESS, DataCategory.REGION,
        DataCategory.AGE_RANGE, DataCategory.PROFILE, DataCategory.PURCHASE_HISTORY,
    }
)  # fmt: skip


def _terms(number: int, partner: str, basis: Basis, purpose: Purpose, **other: Any) -> AgreementTerms:
    terms: dict[str, Any] = {
        "categories": _STRATEGIC,
        "valid_from": at("2020-01-01"),
        "valid_until": None,
        "status": AgreementStatus.ACTIVE,
        **other,
    }
    return AgreementTerms(
        row_id("agreement", number), partner_id(partner), basis, purpose, version=1, **terms
    )


AGREEMENTS: Final[Mapping[str, AgreementTerms]] = {
    "acme": _terms(1, "acme", Basis.STRATEGIC, Purpose.PARTNER_OFFERS),
    "bolt": _terms(
        2, "bolt", Basis.MARKETING, Purpose.PARTNER_EMAIL, categories=frozenset({DataCategory.NAME,
        DataCategory.EMAIL, DataCategory.AGE_RANGE, DataCategory.PROFILE}),
    ),
    "wish": _terms(
        3, "wish", Basis.MEMBER_REQUEST, Purpose.MEMBER_ASKED, categories=frozenset(
            {DataCategory.NAME, DataCategory.USERNAME, DataCategory.EMAIL}
        ),
    ),
    "acme-suspended": _terms(
        4, "acme", Basis.STRATEGIC, Purpose.JOINT_SERVICE, status=AgreementStatus.SUSPENDED
    ),
    "bolt-begins": _terms(5, "bolt", Basis.MARKETING, Purpose.PARTNER_OFFERS, valid_from=at("2099-01-01")),
    "acme-ended": _terms(
        6, "acme", Basis.STRATEGIC, Purpose.JOINT_SERVICE, valid_until=at("2026-10-01")
    ),
}  # fmt: skip
"""By client: the client of an agreement has its name."""


def subject(partner: str, name: str) -> UUID:
    """The pairwise id: the later a member in `PEOPLE`, the earlier for bolt, so that orders differ."""
    number = person(name).number
    position = number if partner != "bolt" else 100 - number
    return UUID(f"{PARTNERS.index(partner) + 0xA:x}0000000-0000-4000-8000-{position:012x}")


@dataclass(frozen=True)
class Caller:
    """Whom a test asks as. `scopes` of a partner: None for all that the agreement names."""

    name: str
    principal: Principal
    scopes: tuple[str, ...] | None = None


def member(name: str) -> Caller:
    return Caller(name, MemberPrincipal(person(name).id, "web", f"token-{name}"))


def partner(client: str, *scopes: str, name: str | None = None) -> Caller:
    terms = AGREEMENTS[client]
    granted = scopes or tuple(sorted(terms.categories))
    principal = PartnerPrincipal(
        partner_id=terms.partner_id,
        agreement_id=terms.id,
        agreement_version=terms.version,
        client_id=client,
        token_id=f"token-{name or client}",
        basis=terms.basis,
        purpose=terms.purpose,
        mask=scope_mask(terms, granted),
    )
    return Caller(name or client, principal, granted)


CALLERS: Final[Mapping[str, Caller]] = {
    caller.name: caller
    for caller in (
        Caller("visitor", Visitor()),
        *(member(p.name.lower()) for p in PEOPLE),
        *(partner(client) for client in AGREEMENTS),
        partner("acme", "user.name", name="acme-names"),
        partner("acme", "user.contact.address.city", "user.name.first", name="acme-city"),
        partner("acme", "user.demographic", name="acme-demographic"),
        partner("acme", "user.device", name="acme-nothing"),
    )
}


@dataclass
class _Rows:
    """Inserts rows and counts them, so that ids follow."""

    connection: Link
    counts: dict[str, int] = field(default_factory=dict)

    async def insert(self, table: str, **columns: Any) -> UUID:
        number = self.counts[table] = self.counts.get(table, 0) + 1
        new = columns.setdefault("id", row_id(table, number))
        places = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
        await self.connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", *columns.values()
        )
        assert isinstance(new, UUID)
        return new


async def build(database: Database, matrix: Matrix) -> None:
    """Fill an empty database with the world, as of `NOW`."""
    async with database.transaction() as connection:
        rows = _Rows(connection)
        await as_of(connection, at("2020-01-01"))
        await _partners(rows)
        for someone in PEOPLE:
            await _member(rows, someone)
        await _activity(rows, person("ada").id)
        await _order(rows, person("ben").id, 99, "2026-10-10", [("K-1", "Kite", "toys", 1, "8.00")])
        await _disclosures(rows)
        await _subjects(connection)
        await refresh_shares(connection, matrix, now=JUNE)
        moved = mask_of({DataCategory.REGION})
        await refresh_shares(connection, matrix, now=NOVEMBER, members=[person("ben").id], changed=moved)
        await refresh_shares(connection, matrix, now=NOW)
        # The number of a transaction is the server's, and stands in cursors.
        await connection.execute("UPDATE share_change SET transaction = 7")


async def _partners(rows: _Rows) -> None:
    for name in PARTNERS:
        await rows.insert("partner", name=name, display_name=name.title(), created_at=at("2020-01-01"))
    for client, terms in AGREEMENTS.items():
        await rows.insert(
            "agreement",
            partner_id=terms.partner_id,
            basis=terms.basis.value,
            purpose=terms.purpose.value,
            categories=sorted(terms.categories),
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            status=terms.status.value,
            version=terms.version,
        )
        await rows.connection.executemany(
            "INSERT INTO agreement_category (agreement_id, category, reason, approved_by, approved_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            [
                (terms.id, key.value, f"Needs {key.value}.", "Olga", at("2020-01-01"))
                for key in sorted(terms.categories)
            ],
        )
        await rows.connection.execute(
            "INSERT INTO partner_client (client_id, agreement_id, status, created_at)"
            " VALUES ($1, $2, 'ACTIVE', $3)",
            client,
            terms.id,
            at("2020-01-01"),
        )


async def _member(rows: _Rows, someone: Person) -> None:
    await rows.insert(
        "member",
        log_id=someone.log_id,
        number=f"M-{someone.number:03}",
        status=someone.status,
        username=someone.username,
        given_name=None if someone.family is None else someone.name,
        family_name=someone.family,
        email=someone.email,
        birth_date=someone.born,
        region=someone.region,
        interests=list(someone.interests),
        purchase_categories=list(someone.bought),
        joined_at=at(f"2024-03-{someone.number:02}"),
        updated_at=JUNE,
        version=1,
    )
    if someone.city is not None:
        await _address(rows, someone.id, "HOME", someone.city, is_primary=True)
    for choice in someone.choices:
        await rows.insert("choice", member_id=someone.id, received_at=JUNE, **choice)


async def _address(rows: _Rows, owner: UUID, kind: str, city: str, *, is_primary: bool = False) -> None:
    await rows.insert(
        "postal_address",
        member_id=owner,
        kind=kind,
        is_primary=is_primary,
        line1=f"{kind.title()} Street 1",
        city=city,
        state="CA",
        postal_code="90210",
        country="US",
        created_at=at("2024-04-01"),
    )


async def _activity(rows: _Rows, ada: UUID) -> None:
    await _address(rows, ada, "SHIPPING", "Shelbyville")
    await _address(rows, ada, "BILLING", "Ogdenville")
    for label in ("mobile", "home"):
        await rows.insert("phone", member_id=ada, label=label, added_at=at("2024-04-02"))
    for brand, month in (("Visa", 3), ("Mastercard", 12)):
        await rows.insert(
            "billing_method",
            member_id=ada,
            brand=brand,
            last_four="0000",
            expiry_month=month,
            expiry_year=2030,
            added_at=at(f"2024-05-{month:02}"),
        )
    for number, status in enumerate(("ABANDONED", "ORDERED", "OPEN"), start=1):
        cart = await rows.insert(
            "cart",
            member_id=ada,
            status=status,
            created_at=at(f"2026-0{number}-01"),
            updated_at=at(f"2026-0{number}-02"),
        )
        for item in range(number - 1):
            await rows.insert(
                "cart_item",
                cart_id=cart,
                sku=f"S-{item}",
                name=f"Article {item}",
                quantity=item + 1,
                unit_price=Decimal("1.50"),
                currency="USD",
            )
    await _order(rows, ada, 1, "2026-01-10", [("B-1", "Book", "books", 1, "10.00")])
    await _order(
        rows,
        ada,
        2,
        "2026-02-10",
        [("B-2", "Atlas", "books", 2, "20.25"), ("G-1", "Board", "games", 1, "30")],
    )
    await _order(rows, ada, 3, "2026-03-10", [])
    for number, kind in enumerate(("PURCHASE_FORM", "SURVEY", "SWEEPSTAKES", "RECEIVED_EMAIL"), start=1):
        await rows.insert(
            "interaction",
            member_id=ada,
            kind=kind,
            source="web",
            occurred_at=at(f"2026-04-0{number}"),
            content=f"answer {number}",
        )
    await _visits(rows, ada)
    for number, direction in enumerate(("FROM_MEMBER", "TO_MEMBER"), start=1):
        await rows.insert(
            "communication",
            member_id=ada,
            direction=direction,
            subject="A question" if number == 1 else "Re: A question",
            body="Text with “quotes”, a\nline and ünïcode.",
            sent_at=at(f"2026-04-2{number}"),
        )


async def _order(
    rows: _Rows, owner: UUID, number: int, placed: str, lines: Sequence[tuple[str, str, str, int, str]]
) -> None:
    order = await rows.insert(
        "customer_order",
        member_id=owner,
        number=f"O-{number}",
        status="DELIVERED",
        placed_at=at(placed),
        total=sum((Decimal(price) * quantity for *_, quantity, price in lines), Decimal(0)),
        currency="USD",
    )
    for sku, name, category, quantity, price in lines:
        await rows.insert(
            "order_line",
            order_id=order,
            sku=sku,
            name=name,
            category=category,
            quantity=quantity,
            unit_price=Decimal(price),
        )


async def _visits(rows: _Rows, ada: UUID) -> None:
    for number in (1, 2):
        visit = await rows.insert(
            "visit",
            member_id=ada,
            started_at=at(f"2026-05-0{number}"),
            ip_address=f"192.0.2.{number}",
            domain="example.net",
            browser="Mosaic",
            referring_page=None if number == 1 else "https://search.example/",
            exit_page="/bye",
        )
        for page in range(number + 1):
            await rows.insert(
                "page_view",
                visit_id=visit,
                path=f"/page/{page}",
                viewed_at=at(f"2026-05-0{number}T10:0{page}:00.123456"),
                seconds=page * 10,
            )


async def _disclosures(rows: _Rows) -> None:
    writer, before = row_id("disclosure", 0), beginning(row_id("disclosure", 0), at("2026-01-01"))
    await rows.connection.execute(
        "INSERT INTO disclosure_writer (id, started_at) VALUES ($1, $2)", writer, at("2026-01-01")
    )
    for number, (client, whose) in enumerate(
        (("acme", ("ada", "ben")), ("bolt", ("ada",)), ("acme", ("ben",))), start=1
    ):
        terms = AGREEMENTS[client]
        record = ChainedRecord(
            id=row_id("disclosure", number),
            recorded_at=at(f"2026-07-0{number}"),
            partner_id=terms.partner_id,
            agreement_id=terms.id,
            client_id=client,
            token_id="token",
            operation_name="Export",
            operation_hash="0" * 64,
            basis=terms.basis.value,
            purpose=terms.purpose.value,
            categories=["user.name", "user.unique_id.pseudonymous"],
            members=[person(name).log_id for name in whose],
            writer=writer,
            position=number,
        )
        before = digest(record, before)
        columns = {name: getattr(record, name) for name in ChainedRecord.__slots__}
        await rows.insert("disclosure", **columns, digest=before)


async def _subjects(connection: Link) -> None:
    for partner_name in PARTNERS:
        for someone in PEOPLE:
            await connection.execute(
                "INSERT INTO pairwise_subject (partner_id, member_id, subject) VALUES ($1, $2, $3)",
                partner_id(partner_name),
                someone.id,
                subject(partner_name, someone.name.lower()),
            )
