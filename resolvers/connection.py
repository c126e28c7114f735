"""The connection that commands and reads are given: asyncpg's own, or one lent by a pool."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy

Link: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"
"""Open, and under a role that may do what is asked. Transactions are the caller's."""

Transactions: TypeAlias = Callable[[], AbstractAsyncContextManager[Link]]
"""Each call is one transaction: for work of several, each of which leaves things right."""
