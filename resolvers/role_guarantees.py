"""What the database itself says of the roles: grants can be changed by hand, so `gateway doctor` asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from resolvers.connection import Link
from schema.errors import UnavailableError

MINIMUM_SERVER: Final = 150_000
"""PostgreSQL 15: the first in which nobody but the owner creates in schema public."""


@dataclass(frozen=True, slots=True)
class RoleGuarantees:
    """Each is False where all is well, but for the version."""

    version: int
    reader_reaches_vault: bool
    reader_writes: bool
    ciphertext_readable: bool


async def read_guarantees(connection: Link) -> RoleGuarantees:
    """The server's version, and whether a role of the service may do what none may."""
    row = await connection.fetchrow(
        "SELECT current_setting('server_version_num')::int AS version,"
        " has_schema_privilege('gateway_reader', 'vault', 'USAGE')"
        "  OR pg_has_role('gateway_reader', 'gateway_vault', 'MEMBER') AS reader_reaches_vault,"
        " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = 'public' AND c.relkind = 'r'"
        "  AND has_table_privilege('gateway_reader', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
        "  AS reader_writes,"
        " EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        "  JOIN pg_namespace n ON n.oid = c.relnamespace,"
        "  unnest(ARRAY['gateway_app', 'gateway_reader', 'gateway_vault']) AS role"
        "  WHERE n.nspname = 'vault' AND c.relname = 'sealed_phone' AND a.attname = 'ciphertext'"
        "  AND has_column_privilege(role, c.oid, a.attnum, 'SELECT')) AS ciphertext_readable"
    )
    if row is None:
        raise UnavailableError("the database does not answer: try again")
    return RoleGuarantees(**dict(row))
