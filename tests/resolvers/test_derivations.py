from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.app import Product
from gateway.database import Database
from policies.age import band, is_protected
from resolvers.derivations import DERIVATIONS, TODAY
from resolvers.parameters import DIALECT
from schema.catalogue import Derived
from schema.tables import Member

_BANDS = str(
    select(DERIVATIONS["age_band"](Member.__table__)).compile(dialect=DIALECT)  # type: ignore[attr-defined]
)


def test_the_catalogue_names_these_derivations_and_no_other(product: Product) -> None:
    used = {source.name for source in product.catalogue.fields.values() if isinstance(source, Derived)}
    assert used == DERIVATIONS.keys()


@settings(max_examples=20, deadline=None)
@given(
    today=st.dates(date(2000, 1, 1), date(2100, 12, 31))
    | st.sampled_from([date(2026, 2, 28), date(2028, 2, 29)]),
    births=st.lists(
        st.dates(date(1900, 1, 1), date(2100, 12, 31))
        | st.sampled_from([date(2008, 2, 29), date(1960, 2, 29), date(2008, 3, 1)]),
        min_size=1,
        max_size=50,
    ),
)
async def test_the_database_bands_ages_as_the_policy_does(
    read_only_world: Database, today: date, births: list[date]
) -> None:
    """One band too many would show a member under 18, one too few hide an adult."""
    assert TODAY == "today"
    sql = _BANDS.replace("member.birth_date", "given.birth_date").replace(
        "FROM member", "FROM unnest($2::date[]) WITH ORDINALITY AS given (birth_date, n) ORDER BY n"
    )
    async with read_only_world.reader.acquire() as connection:
        rows = await connection.fetch(sql, today, births)
    assert [row[0] for row in rows] == [band(birth, today) for birth in births]
    assert [row[0] is None for row in rows] == [is_protected(birth, today) for birth in births]
