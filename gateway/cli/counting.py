"""Numbers of things, as people read them."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 notice`, `2 notices`, `1,000 notices`. `what` takes an `s`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
