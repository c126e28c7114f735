"""A sharing policy as text and as rules: what an officer wrote, before anything is evaluated.

In comes the text of the two files; out come the `Rule` records with their annotations and the
names that they mention. Nothing here says what a rule permits: that is `policies.engine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from schema.categories import DataCategory

RULES: Final = "sharing.cedar"
SCHEMA: Final = "sharing.cedarschema"
"""The files that Cedar reads, by their names in a policy's directory."""


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Cedar rules, the Cedar schema that they are validated against, and the rules' texts in other languages.

    `translations` are (language, rule id, text), in that order.
    """

    rules: str
    schema: str
    translations: tuple[tuple[str, str, str], ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over all texts, in hexadecimal. Another digest means: recompute every share."""
        whole = sha256()
        for text in (self.rules, self.schema, *(part for entry in self.translations for part in entry)):
            encoded = text.encode()
            whole.update(len(encoded).to_bytes(8, "big"))
            whole.update(encoded)
        return whole.hexdigest()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are texts in, besides the rules' own."""
        return tuple(sorted({language for language, _, _ in self.translations}))


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
    translations: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The text in other languages, by language tag."""
    categories: frozenset[str] = frozenset()
    """The category keys that it names, in whatever place."""

    @property
    def name(self) -> str:
        """The id, or the place in the file where there is none."""
        return self.id or f"rule {self.position}"

    def text_in(self, language: str) -> str:
        """What it does, in one sentence of this language; in its author's where there is none."""
        return self.translations.get(language) or self.text or self.name


def ancestors(key: str) -> tuple[str, ...]:
    """List the keys above a dotted key, nearest first: `a.b.c` gives `a.b` and `a`."""
    parts = key.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))


KNOWN_KEYS: Final = frozenset(
    {category.value for category in DataCategory}
    | {above for category in DataCategory for above in ancestors(category)}
)
"""Every category key that a rule may name: the vocabulary, and the keys above it."""
