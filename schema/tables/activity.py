"""What members did: carts, orders, interactions, visits, communications (C2, C3, C6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, Numeric, Text

from schema.categories import DataCategory
from schema.tables.base import Table, column, instant, member_key, row_id


class CartStatus(StrEnum):
    """Where a cart stands."""

    OPEN = "OPEN"
    ORDERED = "ORDERED"
    ABANDONED = "ABANDONED"


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "PLACED"
    PAID = "PAID"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    RETURNED = "RETURNED"


class InteractionKind(StrEnum):
    """How personal data arrived besides the registration (C2)."""

    PURCHASE_FORM = "PURCHASE_FORM"
    SURVEY = "SURVEY"
    SWEEPSTAKES = "SWEEPSTAKES"
    RECEIVED_EMAIL = "RECEIVED_EMAIL"
    OTHER = "OTHER"


class CommunicationDirection(StrEnum):
    """Who wrote."""

    FROM_MEMBER = "FROM_MEMBER"
    TO_MEMBER = "TO_MEMBER"


class Cart(Table, table=True):
    """A shopping cart (C6)."""

    __tablename__ = "cart"

    id: UUID = row_id()
    member_id: UUID = member_key()
    status: str = column(DataCategory.BEHAVIOR, Text)
    created_at: datetime = instant(DataCategory.BEHAVIOR)
    updated_at: datetime = instant(DataCategory.BEHAVIOR)

    __table_args__ = (CheckConstraint("status IN ('OPEN', 'ORDERED', 'ABANDONED')", name="status"),)


class CartItem(Table, table=True):
    """One line of a cart."""

    __tablename__ = "cart_item"

    id: UUID = row_id()
    cart_id: UUID = column(DataCategory.OPERATIONS, foreign_key="cart.id", index=True)
    sku: str = column(DataCategory.BEHAVIOR, Text)
    name: str = column(DataCategory.BEHAVIOR, Text)
    quantity: int = column(DataCategory.BEHAVIOR, Integer)
    unit_price: Decimal = column(DataCategory.BEHAVIOR, Numeric(12, 2))
    currency: str = column(DataCategory.BEHAVIOR, Text)


class Order(Table, table=True):
    """An order and its status; together, the purchase history (C6)."""

    __tablename__ = "customer_order"

    id: UUID = row_id()
    member_id: UUID = member_key()
    number: str = column(DataCategory.PAYMENT, Text, unique=True)
    status: str = column(DataCategory.PAYMENT, Text)
    placed_at: datetime = instant(DataCategory.PAYMENT)
    total: Decimal = column(DataCategory.PAYMENT, Numeric(12, 2))
    currency: str = column(DataCategory.PAYMENT, Text)

    __table_args__ = (
        CheckConstraint(
            "status IN ('PLACED', 'PAID', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURNED')", name="status"
        ),
    )


class OrderLine(Table, table=True):
    """One line of an order."""

    __tablename__ = "order_line"

    id: UUID = row_id()
    order_id: UUID = column(DataCategory.OPERATIONS, foreign_key="customer_order.id", index=True)
    sku: str = column(DataCategory.PAYMENT, Text)
    name: str = column(DataCategory.PAYMENT, Text)
    category: str = column(DataCategory.PAYMENT, Text)
    quantity: int = column(DataCategory.PAYMENT, Integer)
    unit_price: Decimal = column(DataCategory.PAYMENT, Numeric(12, 2))


class Interaction(Table, table=True):
    """A purchase form, survey, sweepstakes entry, received e-mail or other interaction (C2)."""

    __tablename__ = "interaction"

    id: UUID = row_id()
    member_id: UUID = member_key()
    kind: str = column(DataCategory.PRIVATE_CONTENT, Text)
    source: str = column(DataCategory.PRIVATE_CONTENT, Text)
    occurred_at: datetime = instant(DataCategory.PRIVATE_CONTENT)
    content: str = column(DataCategory.PRIVATE_CONTENT, Text)

    __table_args__ = (
        CheckConstraint(
            "kind IN ('PURCHASE_FORM', 'SURVEY', 'SWEEPSTAKES', 'RECEIVED_EMAIL', 'OTHER')", name="kind"
        ),
    )


class Visit(Table, table=True):
    """One visit to the site, with the technical data that it left (C3)."""

    __tablename__ = "visit"

    id: UUID = row_id()
    member_id: UUID = member_key()
    started_at: datetime = instant(DataCategory.BROWSING_HISTORY)
    ip_address: str = column(DataCategory.IP_ADDRESS, Text)
    domain: str | None = column(DataCategory.DEVICE, Text, nullable=True)
    browser: str | None = column(DataCategory.DEVICE, Text, nullable=True)
    referring_page: str | None = column(DataCategory.BROWSING_HISTORY, Text, nullable=True)
    exit_page: str | None = column(DataCategory.BROWSING_HISTORY, Text, nullable=True)


class PageView(Table, table=True):
    """One page of a visit and the seconds spent on it (C3)."""

    __tablename__ = "page_view"

    id: UUID = row_id()
    visit_id: UUID = column(DataCategory.OPERATIONS, foreign_key="visit.id", index=True)
    path: str = column(DataCategory.BROWSING_HISTORY, Text)
    viewed_at: datetime = instant(DataCategory.BROWSING_HISTORY)
    seconds: int = column(DataCategory.BROWSING_HISTORY, Integer)


class Communication(Table, table=True):
    """A message between the member and the company (C2, C15)."""

    __tablename__ = "communication"

    id: UUID = row_id()
    member_id: UUID = member_key()
    direction: str = column(DataCategory.PRIVATE_CONTENT, Text)
    subject: str = column(DataCategory.PRIVATE_CONTENT, Text)
    body: str = column(DataCategory.PRIVATE_CONTENT, Text)
    sent_at: datetime = instant(DataCategory.PRIVATE_CONTENT)

    __table_args__ = (CheckConstraint("direction IN ('FROM_MEMBER', 'TO_MEMBER')", name="direction"),)
