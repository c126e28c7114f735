"""What members did, as they read it: carts, orders, interactions, visits, communications."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from schema.catalogue import stored
from schema.categories import DataCategory
from schema.tables import (
    Cart,
    CartItem,
    Communication,
    Interaction,
    Order,
    OrderLine,
    PageView,
    Visit,
)
from schema.tables.activity import CartStatus, CommunicationDirection, InteractionKind, OrderStatus
from schema.types.connections import Connection, listed


@strawberry.type(name="CartItem", description="One line of a cart.")
class CartItemType:
    """One row of `cart_item`."""

    id: strawberry.ID = stored(CartItem.id, "Names the line.")
    sku: str = stored(CartItem.sku, "Article number.")
    name: str = stored(CartItem.name, "Article.")
    quantity: int = stored(CartItem.quantity, "How many.")
    unit_price: Decimal = stored(CartItem.unit_price, "Price of one.")
    currency: str = stored(CartItem.currency, "Currency, ISO 4217.")


@strawberry.type(name="Cart", description="A shopping cart.")
class CartType:
    """One row of `cart`.

    CLAUSE (C6): the member reads what lies in the cart.
    """

    id: strawberry.ID = stored(Cart.id, "Names the cart.")
    status: CartStatus = stored(Cart.status, "Where the cart stands.")
    created_at: datetime = stored(Cart.created_at, "When it was begun.")
    updated_at: datetime = stored(Cart.updated_at, "When it last changed.")
    items: Connection[CartItemType] = listed(
        DataCategory.BEHAVIOR,
        "What is in it.",
        parent=Cart.id,
        child=CartItem.cart_id,
        order=(CartItem.id,),
        newest_first=False,
    )


@strawberry.type(name="OrderLine", description="One line of an order.")
class OrderLineType:
    """One row of `order_line`."""

    id: strawberry.ID = stored(OrderLine.id, "Names the line.")
    sku: str = stored(OrderLine.sku, "Article number.")
    name: str = stored(OrderLine.name, "Article.")
    category: str = stored(OrderLine.category, "Kind of article.")
    quantity: int = stored(OrderLine.quantity, "How many.")
    unit_price: Decimal = stored(OrderLine.unit_price, "Price of one.")


@strawberry.type(name="Order", description="An order.")
class OrderType:
    """One row of `customer_order`.

    CLAUSE (C6): the member reads orders, their status and what was bought.
    """

    id: strawberry.ID = stored(Order.id, "Names the order.")
    number: str = stored(Order.number, "Order number.")
    status: OrderStatus = stored(Order.status, "Where the order stands.")
    placed_at: datetime = stored(Order.placed_at, "When it was placed.")
    total: Decimal = stored(Order.total, "Sum.")
    currency: str = stored(Order.currency, "Currency, ISO 4217.")
    lines: Connection[OrderLineType] = listed(
        DataCategory.PAYMENT,
        "What was ordered.",
        parent=Order.id,
        child=OrderLine.order_id,
        order=(OrderLine.id,),
        newest_first=False,
    )


@strawberry.type(
    name="Interaction", description="A form, survey, sweepstakes entry or e-mail that brought data (C2)."
)
class InteractionType:
    """One row of `interaction`.

    CLAUSE (C2): kind, source, date and content are the member's to read; no type of a partner's contract
    leads here.
    """

    id: strawberry.ID = stored(Interaction.id, "Names the interaction.")
    kind: InteractionKind = stored(Interaction.kind, "What it was.")
    source: str = stored(Interaction.source, "Where it came from.")
    occurred_at: datetime = stored(Interaction.occurred_at, "When it happened.")
    content: str = stored(Interaction.content, "What was said.")


@strawberry.type(name="PageView", description="A page of a visit.")
class PageViewType:
    """One row of `page_view`."""

    id: strawberry.ID = stored(PageView.id, "Names the page view.")
    path: str = stored(PageView.path, "The page.")
    viewed_at: datetime = stored(PageView.viewed_at, "When it was opened.")
    seconds: int = stored(PageView.seconds, "How long it was looked at, in seconds.")


@strawberry.type(name="Visit", description="A visit, with the technical data that it left (C3).")
class VisitType:
    """One row of `visit`.

    CLAUSE (C3): technical data is the member's to read; no type of a partner's contract leads here.
    """

    id: strawberry.ID = stored(Visit.id, "Names the visit.")
    started_at: datetime = stored(Visit.started_at, "When it began.")
    ip_address: str = stored(Visit.ip_address, "IP address.")
    domain: str | None = stored(Visit.domain, "Domain of the provider.")
    browser: str | None = stored(Visit.browser, "Browser.")
    referring_page: str | None = stored(Visit.referring_page, "Where the visit came from.")
    exit_page: str | None = stored(Visit.exit_page, "The last page.")
    page_views: Connection[PageViewType] = listed(
        DataCategory.BROWSING_HISTORY,
        "The pages viewed, in order.",
        parent=Visit.id,
        child=PageView.visit_id,
        order=(PageView.viewed_at, PageView.id),
        newest_first=False,
    )


@strawberry.type(name="Communication", description="A message between the member and the company.")
class CommunicationType:
    """One row of `communication`."""

    id: strawberry.ID = stored(Communication.id, "Names the message.")
    direction: CommunicationDirection = stored(Communication.direction, "Who wrote.")
    subject: str = stored(Communication.subject, "Subject.")
    body: str = stored(Communication.body, "Text.")
    sent_at: datetime = stored(Communication.sent_at, "When it was sent.")
