"""What every statement is made with: typed parameters, aliases, and the text for the driver.

INVARIANT (typed-parameters): every value reaches PostgreSQL as a typed parameter, never as text
that the database casts, because a cast error quotes what it could not cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from resolvers.binding import Binding, Parameter
from resolvers.derivations import NOW, TODAY

DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class SlotShape:
    """Which arguments of a slot are present: what the text of the statement depends on."""

    after: bool = False
    where: tuple[str, ...] = ()
    end: bool = False
    """Nothing is asked for but where the list ends now: `first: 0` without `after`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` places, and how each is filled."""

    sql: str
    parameters: tuple[Parameter, ...]

    def bind(self, binding: Binding) -> list[Any]:
        """The values of `$1`, `$2`, ... for one request."""
        return [parameter(binding) for parameter in self.parameters]


class Parameters:
    """Makes the parameters and aliases of one plan, and compiles its statements."""

    def __init__(self, shapes: Sequence[SlotShape]) -> None:
        self.shapes = shapes
        self.parameters: dict[str, Parameter] = {
            TODAY: lambda binding: binding.today,
            NOW: lambda binding: binding.now,
        }
        self.aliases = 0

    def bind(self, name: str, sql_type: Any, parameter: Parameter) -> ColumnElement[Any]:
        """A place in the statement that `parameter` fills."""
        self.parameters[name] = parameter
        return bindparam(name, type_=sql_type)

    def caller(self, name: str, sql_type: Any) -> ColumnElement[Any]:
        """A fact about who asks."""
        return self.bind(name, sql_type, lambda binding: binding.caller[name])

    def alias(self, table: FromClause) -> FromClause:
        """The table under a name that no other part of the plan uses."""
        self.aliases += 1
        return table.alias(f"{table.name}_{self.aliases}")  # type: ignore[attr-defined]

    def compile(self, statement: Select[Any]) -> Statement:
        """The text and the parameters, in the order of their places."""
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        places = compiled.positiontup or []
        return Statement(str(compiled), tuple(self.parameters[name] for name in places))
