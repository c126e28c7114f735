"""Exact counts of the audience: what noise is put on. They go nowhere else.

Counted are members who are ACTIVE and 18 or over (C17). Whether they opted out of sharing plays no part: of
none of them does a datum leave (C5). Nothing is read but the columns of `member` that dimensions rest on, so
that no count depends on a telephone number (R1).

INVARIANT (counted-by-row): in which groups a member counts is a function of that member's row, the question
and the day alone. With interests that are more than may count, which of them do is decided by a digest of the
row's own id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from policies.age import AGE_BANDS, age_date
from policies.audience import EARLIER, MONTHS, Cell, Question
from policies.privacy_budget import begins_at, month_after, period_of
from policies.regions import OTHER_REGION
from resolvers.connection import Link
from schema.vocabulary import AudienceDimension

_ADULTS: Final = (
    "SELECT id, interests,"
    " ($2::text[])[width_bucket(extract(year FROM age($1::date, birth_date))::int, $3::int[])] AS age_band,"
    " CASE WHEN region = ANY ($4::text[]) THEN region"
    " WHEN split_part(region, '-', 1) = ANY ($4) THEN split_part(region, '-', 1)"
    f" ELSE '{OTHER_REGION}' END AS region,"
    f" CASE WHEN joined_at < $5 THEN '{EARLIER}'"
    " ELSE to_char(joined_at AT TIME ZONE 'UTC', 'YYYY-MM') END AS joined"
    " FROM member WHERE status = 'ACTIVE' AND birth_date IS NOT NULL"
)
_MEANT: Final = (
    f"SELECT * FROM ({_ADULTS}) AS adult WHERE age_band IS NOT NULL"
    " AND ($6::text[] IS NULL OR age_band = ANY ($6))"
    " AND ($7::text[] IS NULL OR region = ANY ($7))"
    " AND ($8::text[] IS NULL OR interests && $8)"
    " AND ($9::text[] IS NULL OR joined = ANY ($9))"
)
_BY: Final = (
    " CASE WHEN $10::bool THEN age_band END AS age_band,"
    " CASE WHEN $11::bool THEN region END AS region,"
    " CASE WHEN $12::bool THEN joined END AS joined"
)
_MEMBERS: Final = (
    f"SELECT{_BY}, NULL AS interest, count(*) AS members FROM ({_MEANT}) AS meant GROUP BY 1, 2, 3"
)
_INTERESTS: Final = (
    f"WITH meant AS ({_MEANT})"
    f" SELECT{_BY}, counted.interest, count(*) AS members FROM meant CROSS JOIN LATERAL ("
    "SELECT one AS interest FROM unnest(interests) AS one WHERE one = ANY ($13::text[])"
    " GROUP BY one ORDER BY md5(meant.id::text || one), one LIMIT $14::int"
    ") AS counted GROUP BY 1, 2, 3, 4"
    " UNION ALL SELECT NULL, NULL, NULL, NULL, count(*) FROM meant"
)


@dataclass(frozen=True, slots=True)
class ExactCounts:
    """Counts without noise, one for each cell of the question. `members` where it is counted apart."""

    groups: tuple[int, ...]
    members: int | None

    def __repr__(self) -> str:
        """Nothing: an exact count is not to be read in a log."""
        return "ExactCounts(...)"


async def count_audience(connection: Link, question: Question, *, now: datetime) -> ExactCounts:
    """The counts of this moment."""
    by = dict(question.grouped)
    rows = await connection.fetch(
        _INTERESTS if question.interests_counted else _MEMBERS, *_parameters(question, by, now)
    )
    found: dict[Cell, int] = {}
    members: int | None = None
    for row in rows:
        cell = tuple(row[dimension.value.lower()] for dimension in by)
        if question.interests_counted and row["interest"] is None:
            members = row["members"]
        else:
            found[cell] = row["members"]
    return ExactCounts(tuple(found.get(cell, 0) for cell in question.cells), members)


def _parameters(
    question: Question,
    by: Mapping[AudienceDimension, tuple[str, ...]],
    now: datetime,
) -> list[Any]:
    only = dict(question.only)
    oldest = month_after(period_of(now), 1 - MONTHS)
    return [
        age_date(now),
        [band.value for _, band in AGE_BANDS],
        [first for first, _ in AGE_BANDS],
        list(question.regions),
        begins_at(oldest),
        *(_listed(only.get(dimension)) for dimension in AudienceDimension),
        *(
            dimension in by
            for dimension in (
                AudienceDimension.AGE_BAND,
                AudienceDimension.REGION,
                AudienceDimension.JOINED,
            )
        ),
        *(
            [list(by[AudienceDimension.INTEREST]), question.interests_counted]
            if question.interests_counted
            else ()
        ),
    ]


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
