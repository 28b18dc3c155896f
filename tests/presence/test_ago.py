"""How long ago somebody was last seen, in words that fit a name."""

from __future__ import annotations

from tests.javascript import evaluate

MINUTE = 60_000
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
NOW = "2026-11-23T12:00:00.000Z"

CASES = {
    0: "Just now",
    MINUTE - 1: "Just now",
    MINUTE: "1m ago",
    5 * MINUTE + 1: "5m ago",
    HOUR - 1: "59m ago",
    HOUR: "1h ago",
    DAY - 1: "23h ago",
    -5 * MINUTE: "Just now",  # the viewer's clock is behind
}


def test_minutes_then_hours() -> None:
    asked = "spans.map((span) => agoOf(new Date(new Date(now) - span).toISOString(), new Date(now).getTime()))"
    assert evaluate("people.js", asked, now=NOW, spans=list(CASES)) == list(CASES.values())


def test_then_the_day_and_the_year_where_it_is_another() -> None:
    asked = "spans.map((span) => agoOf(new Date(new Date(now) - span).toISOString(), new Date(now).getTime()))"
    this, last = evaluate("people.js", asked, now=NOW, spans=[3 * DAY, 365 * DAY])
    assert ("20" in this, "Nov" in this, "2026" in this) == (True, True, False)
    assert "2025" in last


def test_an_offline_person_is_said_to_be_so() -> None:
    asked = "['online', 'away', '', now].map((told) => viewOf({last_seen_at: ''}, told, new Date(now).getTime()).words)"
    assert evaluate("people.js", asked, now=NOW) == ["Online", "Away", "Offline", "Offline · Just now"]
