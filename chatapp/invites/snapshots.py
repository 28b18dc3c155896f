"""Frozen copies of invites, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InviteSnapshot:
    """An invite that still works, for those who may look after it. `ends_at` is ISO 8601; `left` 0: no limit of uses.

    `token` is "" where it cannot be shown again: it was made under another secret key.
    """

    id: str
    token: str
    by: str
    ends_at: str
    uses: int
    left: int = 0
