"""The start-up proof: each rule broken once, on purpose, and the error that stops the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema
from sqlalchemy import Column, MetaData, Table, Text

from gateway.app import Product
from resolvers.queries import full_schema
from schema.catalogue import (
    Derived,
    FilterOperator,
    Related,
    RootKind,
    Stored,
    derived,
    narrows,
    related,
    root,
    stored,
    structural,
)
from schema.categories import Audience, DataCategory
from schema.errors import CatalogueError
from schema.proof import prove
from schema.tables import Credential, Member, Order, PostalAddress, SealedPhone
from schema.tables import Table as OurTable
from schema.tables.base import CATEGORY_KEY
from schema.types.connections import Connection, projected


def _nothing() -> None:
    raise AssertionError


def _schema(fields: dict[str, tuple[Any, Any]], resolver: Callable[..., Any] | None = None) -> GraphQLSchema:
    """A schema with one type `Thing` of these fields, and one root `thing` that `resolver` answers."""
    thing = type("Thing", (), {"__annotations__": {n: a for n, (a, _) in fields.items()}})
    for name, (_, field) in fields.items():
        if field is not None:
            setattr(thing, name, field)
    made = strawberry.type(thing)

    def plain() -> Any:
        return None

    answer = resolver or plain
    answer.__annotations__["return"] = made
    query = type("Query", (), {"__annotations__": {"thing": made}})
    query.thing = root(  # type: ignore[attr-defined]
        RootKind.SELF, Audience.MEMBER, description="A thing.", resolver=answer
    )
    return strawberry.Schema(query=strawberry.type(query))._schema


SKU = (str, stored(Member.number, "Number."))


def _lists(order: tuple[Any, ...]) -> Any:
    return related(
        DataCategory.PAYMENT,
        "Rows.",
        parent=Member.id,
        child=Order.member_id,
        order=order,
        many=True,
        resolver=projected,
    )


@strawberry.type(name="OrderRow")
class _OrderRow:
    number: str = stored(Order.number, "Number.")


@strawberry.input(name="ThingFilter")
class _BadFilter:
    region: list[str] | None = narrows(
        FilterOperator.ANY_OF,
        "By region.",
        Stored(Member.__table__.c.region),  # type: ignore[attr-defined]
    )


@strawberry.input(name="ThingFilter")
class _UndeclaredFilter:
    region: list[str] | None = None


def _unknown_argument(order_by: str) -> Any:  # noqa: ARG001 - the argument is the point
    return None


def _filtered(where: _BadFilter | None = None) -> Any:  # noqa: ARG001 - the argument is the point
    return None


def _undeclared(where: _UndeclaredFilter | None = None) -> Any:  # noqa: ARG001 - the argument is the point
    return None


WRONG: dict[str, tuple[Callable[[], GraphQLSchema], str, str]] = {
    "a field without a source": (
        lambda: _schema({"number": (str, None)}),
        "field `Thing.number` has no source",
        "declare it by a function of `schema.catalogue`",
    ),
    "a filter input as a field": (
        lambda: _schema({"number": (str, narrows(FilterOperator.ANY_OF, "No."))}),
        "field `Thing.number` has no source",
        "declare it by",
    ),
    "a category outside the taxonomy": (
        lambda: _schema({"number": (str, derived("full_name", "user.invented", "No.", Member.number))}),  # type: ignore[arg-type]
        "field `Thing.number` has no data category of the taxonomy",
        "give its column one",
    ),
    "a sealed category": (
        lambda: _schema(
            {"tel": (str, derived("full_name", DataCategory.PHONE_NUMBER, "No.", Member.number))}
        ),
        "field `Thing.tel` is of the sealed category `user.contact.phone_number`",
        "remove the field",
    ),
    "a sealed column of the vault": (
        lambda: _schema({"digest": (str, stored(Credential.password_hash, "No."))}),
        "field `Thing.digest` is of the sealed category",
        "remove the field",
    ),
    "an innocent column of the vault": (
        lambda: _schema({"key": (str, stored(SealedPhone.key_id, "No."))}),
        "field `Thing.key` maps to the vault column `vault.sealed_phone.key_id`",
        "remove the field",
    ),
    "a derivation that reads a sealed column": (
        lambda: _schema(
            {"hint": (str, derived("full_name", DataCategory.NAME, "No.", SealedPhone.ciphertext))}
        ),
        "field `Thing.hint` maps to the vault column `vault.sealed_phone.ciphertext`",
        "remove the field",
    ),
    "an object found through the vault": (
        lambda: _schema(
            {
                "owner": (
                    _OrderRow,
                    related(DataCategory.NAME, "No.", parent=Member.id, child=Credential.member_id),
                )
            }
        ),
        "field `Thing.owner` maps to the vault column `vault.credential.member_id`",
        "remove the field",
    ),
    "an argument that nobody knows": (
        lambda: _schema({"number": SKU}, _unknown_argument),
        "argument `orderBy` of `Query.thing` names no readable field",
        "remove it, or make it a filter input declared with `narrows`",
    ),
    "a filter by what is not shown": (
        lambda: _schema({"number": SKU}, _filtered),
        "input `ThingFilter.region` narrows by what `Thing` does not show",
        "remove the input or add the field",
    ),
    "a filter that says not by what": (
        lambda: _schema({"number": SKU}, _undeclared),
        "input `ThingFilter.region` has no source",
        "declare it with `narrows`",
    ),
    "an order by what is not shown": (
        lambda: _schema({"orders": (Connection[_OrderRow], _lists((Order.placed_at, Order.id)))}),
        "connection `Thing.orders` is ordered by `customer_order.placed_at`, which `OrderRow` does not show",
        "order by a shown column or add the field",
    ),
    "a list without an order": (
        lambda: _schema({"orders": (Connection[_OrderRow], _lists(()))}),
        "connection `Thing.orders` has no order",
        "give it one that ends in the key",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_schema_is_not_served(name: str) -> None:
    make, what, advice = WRONG[name]
    with pytest.raises(CatalogueError) as caught:
        prove(make())
    assert what in str(caught.value)
    assert advice in str(caught.value)


def test_every_finding_is_told_at_once() -> None:
    with pytest.raises(CatalogueError) as caught:
        prove(_schema({"a": (str, None), "b": (str, None)}))
    assert "`Thing.a`" in str(caught.value)
    assert "`Thing.b`" in str(caught.value)


@pytest.mark.parametrize(
    ("info", "what", "advice"),
    [
        ({}, "column `wrong.c` has no data category", "declare it with `column(DataCategory...)`"),
        ({CATEGORY_KEY: "user.invented"}, "column `wrong.c` has a category outside the taxonomy", "use a"),
        (
            {CATEGORY_KEY: DataCategory.PASSWORD},
            "column `wrong.c` is of the sealed category `user.authorization.password`",
            "move it to the vault",
        ),
    ],
)
def test_a_wrong_column_stops_the_program(
    monkeypatch: pytest.MonkeyPatch, info: dict[str, Any], what: str, advice: str
) -> None:
    wrong = Table("wrong", MetaData(), Column("c", Text, info=info))
    tables = {**OurTable.metadata.tables, "wrong": wrong}
    monkeypatch.setattr(OurTable, "metadata", type("Fake", (), {"tables": tables})())
    with pytest.raises(CatalogueError) as caught:
        prove(_schema({"number": SKU}))
    assert what in str(caught.value)
    assert advice in str(caught.value)


def test_what_is_right_is_proved() -> None:
    catalogue = prove(_schema({"number": SKU, "title": (str, structural("Public."))}))
    assert catalogue.category("Thing", "number") is DataCategory.UNIQUE_ID
    assert catalogue.category("Thing", "title") is DataCategory.OPERATIONS


def test_what_the_catalogue_does_not_know_cannot_be_read() -> None:
    catalogue = prove(_schema({"number": SKU}))
    with pytest.raises(CatalogueError, match=r"`Thing\.other` has no source: it cannot be read"):
        catalogue.source("Thing", "other")


@pytest.mark.clause("C12")
def test_everything_stored_about_a_member_is_readable_by_the_member(product: Product) -> None:
    """C12: every column of every table that hangs on a member, but keys and what only we need."""
    read = {s.column for s in product.catalogue.fields.values() if isinstance(s, Stored)}
    read |= {c for s in product.catalogue.fields.values() if isinstance(s, Derived) for c in s.columns}
    followed = {s.child for s in product.catalogue.fields.values() if isinstance(s, Related)}
    unread = {
        f"{table.name}.{column.name}"
        for table in OurTable.metadata.tables.values()
        for column in table.columns
        if column.info[CATEGORY_KEY] is not DataCategory.OPERATIONS and column not in read | followed
    }
    assert unread == {
        "disclosure.partner_id",  # shown as the partner
        "choice.partner_id",  # shown as the partner
        "choice.notice_id",  # shown as the notice
        "one_time_link.new_email",  # not hers before she follows the link; gone when it expires
        "outgoing_mail.recipient",  # a copy of her address, gone when the mail is sent
        "pairwise_subject.subject",  # shown as `me.shares.subject`
        "deletion.subject",  # shown as `me.shares.subject` while there is a share
        "webhook_message.subjects",  # what the partner is told, by the ids of `me.shares.subject`
        "refused_address.address",  # of members or not: it is about the address, not in the account
        "refused_address.refused_at",
        "refused_address.allowed_at",
        "refused_address.received_at",
        "suppression.digest",  # what `me.choices` says, as one partner compares it
        "suppression.suppressed",
        "suppression.since",
        "suppression.kept_since",
    }


def test_the_served_schema_is_proved_and_its_lists_end_in_a_key(product: Product) -> None:
    """A cursor names a row: the order of each list is unique among the rows of one parent."""
    assert prove(full_schema()).fields.keys() == product.catalogue.fields.keys()
    for (owner, name), source in product.catalogue.fields.items():
        if not isinstance(source, Related) or not source.many:
            continue
        table = source.child.table
        keys = [set(table.primary_key.columns)]
        keys += [set(index.columns) for index in table.indexes if index.unique]
        given = {*source.order, source.child}
        assert any(key <= given for key in keys), f"{owner}.{name}"


def test_a_record_type_reads_one_table(product: Product) -> None:
    assert product.catalogue.records["Order"] is Order.__table__  # type: ignore[attr-defined]
    assert product.catalogue.records["PostalAddress"] is PostalAddress.__table__  # type: ignore[attr-defined]
