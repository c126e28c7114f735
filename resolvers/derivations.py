"""How each `Derived` source of the catalogue is computed, in SQL, from the columns of its row.

`tests/resolvers/test_derivations.py` holds that every name the catalogue uses is here, and that the
age bands agree with `policies.age`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Date, FromClause, Integer, bindparam, case, cast, func

from schema.types.enums import AgeBand

TODAY: Final = "today"
"""The bind parameter that carries the current date (UTC)."""

Derivation: TypeAlias = Callable[[FromClause], ColumnElement[Any]]

_UPPER_AGES: Final = (
    (25, AgeBand.AGE_18_24),
    (35, AgeBand.AGE_25_34),
    (45, AgeBand.AGE_35_44),
    (55, AgeBand.AGE_45_54),
    (65, AgeBand.AGE_55_64),
)
_ADULT: Final = 18


def _full_name(row: FromClause) -> ColumnElement[Any]:
    return func.concat_ws(" ", row.c.given_name, row.c.family_name)


def _age_band(row: FromClause) -> ColumnElement[Any]:
    age = cast(func.extract("year", func.age(bindparam(TODAY, type_=Date()), row.c.birth_date)), Integer)
    return case(
        (age < _ADULT, None),
        *((age < upper, band.value) for upper, band in _UPPER_AGES),
        (row.c.birth_date.is_not(None), AgeBand.AGE_65_PLUS.value),
    )


def _share_categories(row: FromClause) -> ColumnElement[Any]:
    return row.c.mask


DERIVATIONS: Final[Mapping[str, Derivation]] = MappingProxyType(
    {"full_name": _full_name, "age_band": _age_band, "share_categories": _share_categories}
)
