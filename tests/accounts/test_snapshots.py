from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from chatapp.accounts.snapshots import COLOURS, ProfileSnapshot, colour, initials, iso


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ada Lovelace", "AL"), ("Grace", "G"), ("Juan Carlos de la Vega", "JV"), ("élodie", "É"), ("  ", ""), ("", "")],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_colour_is_stable_and_all_are_used() -> None:
    someone = uuid4()
    assert colour(someone) == colour(UUID(str(someone)))
    assert {colour(uuid4()) for _ in range(500)} == set(range(COLOURS))


def test_times_are_utc_in_milliseconds() -> None:
    somewhere = timezone(timedelta(hours=5, minutes=30))
    assert iso(datetime(2026, 3, 1, 5, 0, 0, 123456, tzinfo=somewhere)) == "2026-02-28T23:30:00.123Z"
    assert iso(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"
    assert iso(None) == ""


def test_nobody_is_nobody() -> None:
    assert ProfileSnapshot.nobody().id == ""
