"""A mapping that forgets: what was used least recently goes first, and its size has a bound.

Comes in: keys made of digests and contract keys. Goes out: the value, or None. It never grows past
its capacity, whatever callers send, so that many different documents cannot exhaust memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """At most `entries` values whose weights sum to at most `weight`. Not for use by several threads.

    A value heavier than the whole cache is not kept at all.
    """

    def __init__(self, entries: int, weight: int | None = None) -> None:
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._entries = entries
        self._capacity = weight
        self._weight = 0

    def __len__(self) -> int:
        return len(self._values)

    @property
    def weight(self) -> int:
        """The sum of the weights of what is kept."""
        return self._weight

    def get(self, key: Key) -> Value | None:
        """The value kept under `key`, which thereby becomes the most recently used; None if there is none."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Keep `value` and forget as many of the least recently used as the bounds demand."""
        self.discard(key)
        self._values[key] = (value, weight)
        self._weight += weight
        while len(self._values) > self._entries or (
            self._capacity is not None and self._weight > self._capacity
        ):
            _, (_, freed) = self._values.popitem(last=False)
            self._weight -= freed

    def discard(self, key: Key) -> None:
        """Forget `key`, if it is kept."""
        dropped = self._values.pop(key, None)
        if dropped is not None:
            self._weight -= dropped[1]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._weight = 0
