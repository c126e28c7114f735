"""Writes, once for each plan, the Python function that turns rows into the answer.

The source is made of response keys (GraphQL names, quoted by `repr`), type names of our schema and
indices; no value of a request is ever in it. Rows are tuples as asyncpg gives them.

What it replaces is a walk over the plan for each row (docs/decisions/0010-generated-encoders.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Numeric, Uuid
from sqlalchemy.types import TypeEngine

from schema.categories import Purpose, categories_of


def _enum_names(vocabulary: type[Enum]) -> Mapping[str, str]:
    return MappingProxyType({str(member.value): member.name for member in vocabulary})


_PURPOSES: Final = _enum_names(Purpose)


def purpose_name(value: str) -> str:
    """The GraphQL name of a stored purpose."""
    return _PURPOSES[value]


def mask_keys(mask: int) -> list[str]:
    """The category keys of a share mask, sorted."""
    return sorted(category.value for category in categories_of(mask))


def decimal_text(value: Decimal) -> str:
    """A decimal as GraphQL carries it: text, so that no digit is lost."""
    return str(value)


CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {"text": str, "purpose_name": purpose_name, "mask_keys": mask_keys, "decimal_text": decimal_text}
)
"""What generated code may call; everything else is passed to the JSON encoder as it is."""


POSITION: Final = 3
"""Where the position of a line stands in a row of the feed: after log id, mask and the withdrawn id."""


def converter(sql_type: TypeEngine[Any], returns: str, derivation: str | None) -> str | None:
    """The name of the converter for a value of this column type and GraphQL type; None for none."""
    if derivation in {"share_categories", "change_categories"}:
        return "mask_keys"
    if returns == "Purpose":
        return "purpose_name"
    if isinstance(sql_type, Uuid):
        return "text"
    if isinstance(sql_type, Numeric):
        return "decimal_text"
    return None


class Writer:
    """Collects the helper functions of one encoder and compiles them."""

    def __init__(self) -> None:
        self._functions: list[str] = []

    def page(self, slot: int, members: str) -> str:
        """Adds a function for a connection and returns its name; `members` is a dict display over `rows`."""
        name = f"page_{len(self._functions)}"
        self._functions.append(
            f"def {name}(rows, slots, total):\n"
            f"    slot = slots[{slot}]\n"
            "    more = len(rows) > slot.first\n"
            "    if more:\n"
            "        rows = rows[:slot.first]\n"
            f"    return {members}\n"
        )
        return name

    def changes(self, slot: int, members: str, *, at_end: bool) -> str:
        """As `page`, for the feed: `members` may also read `end`, the cursor of where the page ends.

        The row of `at_end` is the feed's last line, which is not shown.
        """
        name = f"page_{len(self._functions)}"
        shown = (
            "more, rows = False, ()" if at_end else "more, rows = len(rows) > slot.first, rows[:slot.first]"
        )
        last = f"rows[-1][{POSITION}], rows[-1][{POSITION + 1}]"
        find, cut = f"    end = slot.cursor({last}) if rows else slot.unmoved()\n", f"    {shown}\n"
        self._functions.append(
            f"def {name}(rows, slots, total):\n"
            f"    slot = slots[{slot}]\n"
            f"{find + cut if at_end else cut + find}"
            "    slot.end = end\n"
            f"    return {members}\n"
        )
        return name

    def compile(self, signature: str, expression: str) -> Callable[..., Any]:
        """The function `signature` that returns `expression`."""
        source = "\n".join([*self._functions, f"def encode({signature}):\n    return {expression}\n"])
        namespace: dict[str, Any] = dict(CONVERTERS)
        exec(compile(source, "<projection>", "exec"), namespace)  # noqa: S102 - see the module's docstring
        encode: Callable[..., Any] = namespace["encode"]
        return encode
