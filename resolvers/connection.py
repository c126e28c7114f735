"""The connection that commands and reads are given: asyncpg's own, or one lent by a pool."""

from __future__ import annotations

from typing import TypeAlias

from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy

Link: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"
"""Open, and under a role that may do what is asked. Transactions are the caller's."""
