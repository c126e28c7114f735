"""The contestant `naive`: what a team writes who knows its tools and has not measured yet.

Strawberry under Starlette and uvicorn, objects of SQLAlchemy's ORM loaded with their relations, a permission
class for each category that withholds a field silently, Strawberry's caches for parsing and validation. Every
field is resolved by graphql-core.
"""

from __future__ import annotations

import base64
import enum
import os
import uuid
from datetime import UTC, date, datetime
from typing import Any, Final

import strawberry
import uvicorn
from sqlalchemy import DateTime, ForeignKey, Text, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import FieldExtension, ParserCache, ValidationCache
from strawberry.permission import BasePermission, PermissionExtension

from benchmarks.tokens import Caller, Callers, RefusedError

LONGEST_PAGE: Final = 500
DOCUMENTS: Final = 1_000
NAME, EMAIL, ADDRESS, CITY, COUNTRY = 1 << 0, 1 << 3, 1 << 4, 1 << 6, 1 << 9
REGION, AGE_BAND, INTERESTS = 1 << 10, 1 << 11, 1 << 12


class Base(DeclarativeBase):
    """Of the tables."""


class Member(Base):
    """One member."""

    __tablename__ = "member"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    email: Mapped[str]
    birth_date: Mapped[date | None]
    region: Mapped[str | None]
    interests: Mapped[list[str]] = mapped_column(ARRAY(Text))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int]
    addresses: Mapped[list[Address]] = relationship(order_by="Address.created_at, Address.id")


class Address(Base):
    """A postal address."""

    __tablename__ = "postal_address"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    is_primary: Mapped[bool]
    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    postal_code: Mapped[str | None]
    country: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Share(Base):
    """What one agreement sees of one member."""

    __tablename__ = "share"
    agreement_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subject: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    mask: Mapped[int]
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    member: Mapped[Member] = relationship()


class ShareChange(Base):
    """A line of a partner's feed."""

    __tablename__ = "share_change"
    seq: Mapped[int] = mapped_column(primary_key=True)
    agreement_id: Mapped[uuid.UUID]
    subject: Mapped[uuid.UUID]
    mask: Mapped[int]
    before: Mapped[int]
    after: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Standing(Base):
    """Under which agreement a client acts."""

    __tablename__ = "standing"
    __table_args__ = {"schema": "bench"}  # noqa: RUF012 - as SQLAlchemy wants it
    client_id: Mapped[str] = mapped_column(primary_key=True)
    agreement_id: Mapped[uuid.UUID]
    mask: Mapped[int]


def _sessions() -> async_sessionmaker[AsyncSession]:
    size = int(os.environ["BENCH_CONNECTIONS"])
    url = make_url(os.environ["BENCH_DATABASE_URL"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=size, max_overflow=0)
    return async_sessionmaker(engine, expire_on_commit=False)


class Shares(BasePermission):
    """That the member shares one category with the caller."""

    bit = 0

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        """Whether the bit is set in the share, and in the standing of the caller."""
        return bool(source.share.mask & info.context["mask"] & self.bit)


class SharesName(Shares):
    """The name."""

    bit = NAME


class SharesEmail(Shares):
    """The e-mail address."""

    bit = EMAIL


class SharesAddress(Shares):
    """The postal address."""

    bit = ADDRESS


class SharesRegion(Shares):
    """The region."""

    bit = REGION


class SharesAgeBand(Shares):
    """The age band."""

    bit = AGE_BAND


def _silently(permission: type[Shares]) -> list[FieldExtension]:
    return [PermissionExtension([permission()], fail_silently=True)]


@strawberry.enum
class AgeBand(enum.Enum):
    """Ages together."""

    AGE_18_24 = 18
    AGE_25_34 = 25
    AGE_35_44 = 35
    AGE_45_54 = 45
    AGE_55_64 = 55
    AGE_65_PLUS = 65


def age_band(born: date | None) -> AgeBand | None:
    """The band of an age in whole years today; none under 18 or where nothing is known."""
    if born is None:
        return None
    today = datetime.now(UTC).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next((band for band in reversed(AgeBand) if age >= band.value), None)


@strawberry.type
class PageInfo:
    """Of a connection."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class SharedAddress:
    """The primary address."""

    city: str
    country: str


@strawberry.type
class SharedMember:
    """A member, as one partner sees it."""

    share: strawberry.Private[Share]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The pairwise id."""
        return strawberry.ID(str(self.share.subject))

    @strawberry.field(extensions=_silently(SharesName))  # type: ignore[untyped-decorator]
    def name(self) -> str | None:
        """Both names."""
        member = self.share.member
        return " ".join(part for part in (member.given_name, member.family_name) if part)

    @strawberry.field(extensions=_silently(SharesEmail))  # type: ignore[untyped-decorator]
    def email(self) -> str | None:
        """The e-mail address."""
        return self.share.member.email

    @strawberry.field(extensions=_silently(SharesRegion))  # type: ignore[untyped-decorator]
    def region(self) -> str | None:
        """The region."""
        return self.share.member.region

    @strawberry.field(extensions=_silently(SharesAgeBand))  # type: ignore[untyped-decorator]
    def age_band(self) -> AgeBand | None:
        """The age as a band."""
        return age_band(self.share.member.birth_date)

    @strawberry.field
    def interests(self, info: strawberry.Info) -> list[str] | None:
        """Interests. The extension would turn a list that is withheld into an empty one."""
        return self.share.member.interests if self.share.mask & info.context["mask"] & INTERESTS else None

    @strawberry.field(extensions=_silently(SharesAddress))  # type: ignore[untyped-decorator]
    def address(self) -> SharedAddress | None:
        """The primary address."""
        found = next((one for one in self.share.member.addresses if one.is_primary), None)
        return None if found is None else SharedAddress(city=found.city, country=found.country)


@strawberry.type
class SharedMemberEdge:
    """Of a connection."""

    node: SharedMember


@strawberry.type
class SharedMemberConnection:
    """A page."""

    edges: list[SharedMemberEdge]
    page_info: PageInfo


@strawberry.type
class PostalAddress:
    """An address of the member's own."""

    line1: str
    line2: str | None
    city: str
    postal_code: str | None
    country: str


@strawberry.type
class PostalAddressEdge:
    """Of a connection."""

    node: PostalAddress


@strawberry.type
class PostalAddressConnection:
    """A page."""

    edges: list[PostalAddressEdge]


@strawberry.type(name="Member")
class Me:
    """The member who asks."""

    member: strawberry.Private[Member]
    number: str
    given_name: str | None
    family_name: str | None
    email: str
    birth_date: date | None
    region: str | None
    interests: list[str]

    @classmethod
    def of(cls, member: Member) -> Me:
        """From the row."""
        return cls(
            member=member,
            number=member.number,
            given_name=member.given_name,
            family_name=member.family_name,
            email=member.email,
            birth_date=member.birth_date,
            region=member.region,
            interests=member.interests,
        )

    @strawberry.field
    def addresses(self, first: int = 20) -> PostalAddressConnection:
        """All of them."""
        return PostalAddressConnection(
            edges=[
                PostalAddressEdge(
                    node=PostalAddress(
                        line1=one.line1,
                        line2=one.line2,
                        city=one.city,
                        postal_code=one.postal_code,
                        country=one.country,
                    )
                )
                for one in self.member.addresses[:first]
            ]
        )


class IsMember(BasePermission):
    """Only members."""

    message = "not for you"

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:  # noqa: ARG002 - as declared
        """Whether a member asks."""
        return info.context["caller"].member is not None


class IsPartner(BasePermission):
    """Only partners."""

    message = "not for you"

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:  # noqa: ARG002 - as declared
        """Whether a partner asks."""
        return info.context["caller"].member is None


async def _read_member(session: AsyncSession, member: uuid.UUID) -> Member:
    return await session.get_one(Member, member, options=[selectinload(Member.addresses)])


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field(permission_classes=[IsMember])  # type: ignore[untyped-decorator]
    async def me(self, info: strawberry.Info) -> Me | None:
        """The member who asks."""
        async with info.context["sessions"]() as session:
            return Me.of(await _read_member(session, info.context["caller"].member))

    @strawberry.field(permission_classes=[IsPartner])  # type: ignore[untyped-decorator]
    async def members(
        self, info: strawberry.Info, first: int | None = 20, after: str | None = None
    ) -> SharedMemberConnection | None:
        """Those that the partner sees."""
        size = min(20 if first is None else first, LONGEST_PAGE)
        caller: Caller = info.context["caller"]
        async with info.context["sessions"]() as session:
            if caller.standing is None:
                standing = await session.get_one(Standing, caller.client)
                caller.standing = standing.agreement_id, standing.mask
            agreement, mask = caller.standing
            info.context["mask"] = mask
            asked = (
                select(Share)
                .where(
                    Share.agreement_id == agreement,
                    Share.mask.op("&")(mask) != 0,
                    or_(Share.ends_at.is_(None), Share.ends_at > datetime.now(UTC)),
                )
                .options(joinedload(Share.member).selectinload(Member.addresses))
                .order_by(Share.subject)
                .limit(size + 1)
            )
            if after is not None:
                asked = asked.where(Share.subject > uuid.UUID(base64.b64decode(after).decode()))
            shares = (await session.scalars(asked)).all()
        shown = shares[:size]
        return SharedMemberConnection(
            edges=[SharedMemberEdge(node=SharedMember(share=share)) for share in shown],
            page_info=PageInfo(
                has_next_page=len(shares) > size,
                end_cursor=base64.b64encode(str(shown[-1].subject).encode()).decode() if shown else None,
            ),
        )


@strawberry.input
class CorrectProfileInput:
    """What is not given stays as it is."""

    given_name: str | None = strawberry.UNSET
    family_name: str | None = strawberry.UNSET
    interests: list[str] | None = strawberry.UNSET


@strawberry.type
class FieldError:
    """Why something was refused."""

    path: list[str]
    code: str
    message: str


@strawberry.type
class ProfilePayload:
    """The member after the change."""

    errors: list[FieldError]
    me: Me | None


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation(permission_classes=[IsMember])  # type: ignore[untyped-decorator]
    async def correct_profile(self, info: strawberry.Info, input: CorrectProfileInput) -> ProfilePayload:  # noqa: A002 - the name of the argument
        """Correct it, and tell the partners that see it."""
        async with info.context["sessions"].begin() as session:
            member = await _read_member(session, info.context["caller"].member)
            if input.given_name is not strawberry.UNSET:
                member.given_name = input.given_name
            if input.family_name is not strawberry.UNSET:
                member.family_name = input.family_name
            member.updated_at = now = datetime.now(UTC)
            member.version += 1
            if isinstance(input.interests, list):
                member.interests = input.interests
                shares = await session.scalars(select(Share).where(Share.member_id == member.id))
                session.add_all(
                    ShareChange(
                        agreement_id=share.agreement_id,
                        subject=share.subject,
                        mask=INTERESTS,
                        before=share.mask,
                        after=share.mask,
                        changed_at=now,
                    )
                    for share in shares
                    if share.mask & INTERESTS
                )
        return ProfilePayload(errors=[], me=Me.of(member))


class App(GraphQL[dict[str, Any], None]):
    """GraphQL, for those whose token counts."""

    def __init__(self, schema: strawberry.Schema, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__(schema, graphql_ide=None)
        self.sessions = sessions

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:  # noqa: ARG002 - as declared
        """What resolvers are given."""
        return {"caller": request.state.caller, "sessions": self.sessions}


class Guarded:
    """Lets nobody through whose token does not count."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._callers = Callers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        request = Request(scope)
        try:
            request.state.caller = self._callers.of(
                request.headers.get("authorization", "").encode("latin-1")
            )
        except RefusedError:
            await Response(status_code=401)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def application() -> Starlette:
    """The whole."""
    schema = strawberry.Schema(
        Query, Mutation, extensions=[lambda: ParserCache(DOCUMENTS), lambda: ValidationCache(DOCUMENTS)]
    )

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[Route("/healthz", health), Route("/graphql", Guarded(App(schema, _sessions())))])
    app.router.redirect_slashes = False
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(),
        port=int(os.environ["BENCH_PORT"]),
        log_config=None,
        access_log=False,
        server_header=False,
    )
