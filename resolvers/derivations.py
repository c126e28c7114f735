"""How each `Derived` source of the catalogue is computed, in SQL, from the columns of its row.

`tests/resolvers/test_derivations.py` holds that every name the catalogue uses is here, and that the
age bands agree with `policies.age`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Date, FromClause, Integer, Text, bindparam, cast, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY

from schema.types.enums import AgeBand

TODAY: Final = "today"
"""The bind parameter that carries the current date (UTC)."""

Derivation: TypeAlias = Callable[[FromClause], ColumnElement[Any]]

_LOWER_AGES: Final = {
    18: AgeBand.AGE_18_24,
    25: AgeBand.AGE_25_34,
    35: AgeBand.AGE_35_44,
    45: AgeBand.AGE_45_54,
    55: AgeBand.AGE_55_64,
    65: AgeBand.AGE_65_PLUS,
}
"""The age from which each band counts. Below the first there is no band: the value is null (C17)."""


def _full_name(row: FromClause) -> ColumnElement[Any]:
    return func.concat_ws(literal_column("' '"), row.c.given_name, row.c.family_name)


def _age_band(row: FromClause) -> ColumnElement[Any]:
    age = cast(func.extract("year", func.age(bindparam(TODAY, type_=Date()), row.c.birth_date)), Integer)
    bounds: ColumnElement[Any] = literal_column("ARRAY[" + ", ".join(map(str, _LOWER_AGES)) + "]")
    names = literal_column(
        "(ARRAY[" + ", ".join(f"'{band.value}'" for band in _LOWER_AGES.values()) + "])", ARRAY(Text)
    )
    return names[func.width_bucket(age, bounds)]


def _share_categories(row: FromClause) -> ColumnElement[Any]:
    return row.c.mask


DERIVATIONS: Final[Mapping[str, Derivation]] = MappingProxyType(
    {"full_name": _full_name, "age_band": _age_band, "share_categories": _share_categories}
)
