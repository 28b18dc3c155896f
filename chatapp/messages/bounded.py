"""A cache that is bounded by what it holds, not by how many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """Forgets what was asked for longest ago, once the sizes of all exceed `most`. Fit for several threads."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep `value`, of `size` in whatever unit `most` is in."""
        with self._lock:
            _, replaced = self._kept.pop(key, (None, 0))
            self._kept[key] = (value, size)
            self._size += size - replaced
            while self._size > self._most:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._size -= forgotten
