"""A sharing policy as text and as rules: what an officer wrote, before anything is evaluated.

In comes the text of the two files; out come the `Rule` records with their annotations and the
names that they mention. Nothing here says what a rule permits: that is `policies.engine`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from schema.categories import DataCategory


@dataclass(frozen=True, slots=True)
class PolicySource:
    """The two texts of a policy: Cedar rules and the Cedar schema that they are validated against."""

    rules: str
    schema: str

    @property
    def digest(self) -> str:
        """SHA-256 over both texts, in hexadecimal. Another digest means: recompute every share."""
        both = sha256()
        for text in (self.rules, self.schema):
            encoded = text.encode()
            both.update(len(encoded).to_bytes(8, "big"))
            both.update(encoded)
        return both.hexdigest()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as its author named it. An annotation that is missing is None.

    `position` counts from 1 in the order of the file, to name a rule that has no id.
    """

    position: int
    effect: str
    id: str | None
    clause: str | None
    text: str | None
    is_template: bool = False

    @property
    def name(self) -> str:
        """The id, or the place in the file where there is none."""
        return self.id or f"rule {self.position}"


def ancestors(key: str) -> tuple[str, ...]:
    """List the keys above a dotted key, nearest first: `a.b.c` gives `a.b` and `a`."""
    parts = key.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))


KNOWN_KEYS: Final = frozenset(
    {category.value for category in DataCategory}
    | {above for category in DataCategory for above in ancestors(category)}
)
"""Every category key that a rule may name: the vocabulary, and the keys above it."""
