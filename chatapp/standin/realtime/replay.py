"""Broadcast Replay: what the database sent to a private topic before somebody joined, at most the 25 newest."""

from __future__ import annotations

from typing import Any

from chatapp.standin.database import Database, every

from .protocol import Broadcast

MOST = 25  # hosted limit
SINCE_LIMIT = 8_640_000_000_000_000  # milliseconds; what a JavaScript date can hold


def valid(replay: object) -> bool:
    """Tell whether a join's `replay` can be served: `since` in Unix milliseconds, `limit` from 1 to 25."""
    if not isinstance(replay, dict):
        return False
    since, limit = replay.get("since"), replay.get("limit", MOST)
    numbers = all(isinstance(each, int) and not isinstance(each, bool) for each in (since, limit))
    return numbers and 0 <= since <= SINCE_LIMIT and 1 <= limit <= MOST  # type: ignore[operator]  # both are int


async def earlier(database: Database, topic: str, replay: dict[str, Any]) -> list[Broadcast]:
    """Return the broadcasts since then, oldest first."""
    async with database.transaction(rollback=True) as connection:
        rows = await every(
            connection,
            """select id::text, event, payload, binary_payload from realtime.messages
               where topic = %s and private and extension = 'broadcast'
                 and inserted_at >= to_timestamp(least(%s, 253402300799))::timestamp
                 and inserted_at >= now()::timestamp - interval '3 days'
               order by inserted_at desc, id desc limit %s""",
            topic,
            replay["since"] / 1000,
            replay.get("limit", MOST),
        )
    return [
        Broadcast(topic, row["event"] or "", row["payload"], {"id": row["id"], "replayed": True}, row["binary_payload"])
        for row in reversed(rows)
    ]
