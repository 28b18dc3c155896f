"""Presence: who is on a topic, as Phoenix tells it: a key (usually a user) with one meta for each of its
channels.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

REFS = ("phx_ref", "phx_ref_prev")
Meta = dict[str, Any]
Entries = dict[str, dict[str, list[Meta]]]


@dataclass(frozen=True)
class Diff:
    """What changed, ready to be sent as `presence_diff`."""

    joins: Entries = field(default_factory=dict)
    leaves: Entries = field(default_factory=dict)

    def payload(self) -> dict[str, Entries]:
        return {"joins": self.joins, "leaves": self.leaves}


class Presence:
    """Who is tracked on one topic. `owner` is the channel that tracks: its end is the end of its meta."""

    def __init__(self) -> None:
        self._metas: dict[str, dict[Hashable, Meta]] = {}

    def __bool__(self) -> bool:
        return bool(self._metas)

    def track(self, key: str, owner: Hashable, content: Meta) -> Diff | None:
        """Start telling `content`, or tell it instead of what the same owner told before; None when it is the same."""
        metas = self._metas.setdefault(key, {})
        before = metas.get(owner)
        if before and {name: before[name] for name in before if name not in REFS} == content:
            return None
        previous = {"phx_ref_prev": before["phx_ref"]} if before else {}
        metas[owner] = {**content, "phx_ref": secrets.token_urlsafe(9), **previous}
        return Diff(_entry(key, metas[owner]), _entry(key, before) if before else {})

    def untrack(self, key: str, owner: Hashable) -> Diff | None:
        """Stop; return None when `owner` was not tracked."""
        metas = self._metas.get(key, {})
        before = metas.pop(owner, None)
        if not metas:
            self._metas.pop(key, None)
        return Diff(leaves=_entry(key, before)) if before else None

    def state(self) -> Entries:
        """Return everybody, ready to be sent as `presence_state`."""
        return {key: {"metas": list(metas.values())} for key, metas in self._metas.items()}


def _entry(key: str, meta: Meta) -> Entries:
    return {key: {"metas": [meta]}}
