"""How a table is declared: every column names its data category where it is defined.

Table classes are storage only. They are never GraphQL types, and since SQLModel skips validation
on table classes, values are checked at the inputs, before a row is made.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from sqlalchemy import Column as SAColumn
from sqlalchemy import DateTime, ForeignKey, MetaData, TextClause, Uuid
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from schema.categories import DataCategory
from schema.ids import new_id

CATEGORY_KEY: Final = "data_category"
"""The key of `Column.info` under which a column's data category stands."""

VAULT_SCHEMA: Final = "vault"
"""The PostgreSQL schema that no query of a contract can name (REQUIREMENTS: sealed data)."""

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of every table that commands and projections may name."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class VaultTable(SQLModel):
    """The base of the sealed tables. Another MetaData, so no statement can join them by accident."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING, schema=VAULT_SCHEMA)


def column(
    category: DataCategory,
    sql_type: TypeEngine[Any] | type[TypeEngine[Any]] | None = None,
    *,
    nullable: bool = False,
    foreign_key: str | None = None,
    on_delete: str = "CASCADE",
    server_default: str | TextClause | None = None,
    **options: Any,
) -> Any:
    """A column of the given data category.

    `sql_type` is inferred from the annotation when absent. `foreign_key` is `"table.column"`; a row
    goes with the row that it belongs to unless `on_delete` says otherwise. `server_default` is a text that
    the database fills in, or an expression (`sqlalchemy.text`) that it computes.
    """
    info = {CATEGORY_KEY: category}
    if foreign_key is not None:
        primary_key = options.pop("primary_key", False)
        index = options.pop("index", False)
        reference = SAColumn(
            sql_type or Uuid(),
            ForeignKey(foreign_key, ondelete=on_delete),
            nullable=nullable,
            primary_key=primary_key,
            index=index,
            info=info,
        )
        return Field(sa_column=reference, **options)
    if sql_type is not None:
        options["sa_type"] = sql_type
    in_column: dict[str, Any] = {"info": info}
    if server_default is not None:
        in_column["server_default"] = server_default
    return Field(nullable=nullable, sa_column_kwargs=in_column, **options)


def row_id() -> Any:
    """A primary key that is ordered by creation and means nothing outside the system."""
    return column(DataCategory.OPERATIONS, primary_key=True, default_factory=new_id)


def member_key(**options: Any) -> Any:
    """The member that a row belongs to; the row goes with the member."""
    return column(DataCategory.OPERATIONS, foreign_key="member.id", **({"index": True} | options))


def instant(category: DataCategory, **options: Any) -> Any:
    """A point in time, always with its zone, kept in UTC."""
    return column(category, DateTime(timezone=True), **options)


__all__ = ["VAULT_SCHEMA", "Table", "VaultTable", "column", "instant", "member_key", "row_id"]
