"""The contestant `gateway-unlogged`: the gateway as it is, but for the disclosure log, to show its price.

The product has no switch for that, and gets none. This program puts a log in the place of the real one that
records nothing, says so, and then runs `gateway serve`. `tests/benchmarks/test_unlogged.py` holds that
nothing of the product can reach it.
"""

from __future__ import annotations

import sys

from gateway import app
from gateway.cli.serving import serve_command
from resolvers.disclosure_log import DisclosureEntry, DisclosureLog


class UnsafeUnrecordedLog(DisclosureLog):
    """Lets everything leave without a record: against R2, for measuring on invented members only."""

    async def record(self, entry: DisclosureEntry) -> None:
        """Return at once."""


def main() -> None:
    """Serve without a record."""
    print("UNSAFE: nothing that leaves is recorded", file=sys.stderr)
    setattr(app, DisclosureLog.__name__, UnsafeUnrecordedLog)
    serve_command()


if __name__ == "__main__":
    main()
