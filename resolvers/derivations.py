"""How each `Derived` source of the catalogue is computed, in SQL, from the columns of its row.

`tests/resolvers/test_derivations.py` holds that every name the catalogue uses is here, and that the
database's age bands are those of `policies.age.band`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY

from policies.age import AGE_BANDS
from resolvers.newsletter_fold import newsletter_wanted
from schema.categories import BASIS_WORDS

TODAY: Final = "today"
"""The bind parameter that carries the current date (UTC)."""

NOW: Final = "now"
"""The bind parameter that carries the current moment."""

Derivation: TypeAlias = Callable[[FromClause], ColumnElement[Any]]


def _full_name(row: FromClause) -> ColumnElement[Any]:
    return func.concat_ws(literal_column("' '"), row.c.given_name, row.c.family_name)


def _age_band(row: FromClause) -> ColumnElement[Any]:
    age = cast(func.extract("year", func.age(bindparam(TODAY, type_=Date()), row.c.birth_date)), Integer)
    bounds: ColumnElement[Any] = literal_column(
        "ARRAY[" + ", ".join(str(lower) for lower, _ in AGE_BANDS) + "]"
    )
    names = literal_column(
        "(ARRAY[" + ", ".join(f"'{band.value}'" for _, band in AGE_BANDS) + "])", ARRAY(Text)
    )
    return names[func.width_bucket(age, bounds)]


def _share_categories(row: FromClause) -> ColumnElement[Any]:
    return row.c.mask


def _worked_out(name: str) -> Derivation:
    """A value that the window of the feed computes by itself (`resolvers.feed_rows`)."""

    def value(row: FromClause) -> ColumnElement[Any]:
        column: ColumnElement[Any] = row.c[name]
        return column

    return value


def _late(row: FromClause) -> ColumnElement[Any]:
    return and_(row.c.confirmed_at.is_(None), row.c.due_at <= bindparam(NOW, type_=DateTime(timezone=True)))


def _basis_words(row: FromClause) -> ColumnElement[Any]:
    words = [
        (row.c.basis == literal_column(f"'{basis.value}'"), literal_column(f"'{text}'", Text()))
        for basis, text in BASIS_WORDS.items()
    ]
    return case(*words)


def _newsletter(row: FromClause) -> ColumnElement[Any]:
    return newsletter_wanted(row.c.id)


DERIVATIONS: Final[Mapping[str, Derivation]] = MappingProxyType(
    {
        "full_name": _full_name,
        "age_band": _age_band,
        "share_categories": _share_categories,
        "newsletter": _newsletter,
        "basis_words": _basis_words,
        "change_kind": _worked_out("kind"),
        "change_categories": _worked_out("about"),
        "late": _late,
    }
)
