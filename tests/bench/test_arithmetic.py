"""The bench's own arithmetic: a figure that is computed wrongly is worse than none."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.bench import live, plot, report
from tests.bench.capacity import Step, most
from tests.bench.figures import Figure, Peer, Report, quantile
from tests.bench.load import Outcome
from tests.bench.viewers import RoomViewer, Tally, frame, frames, text


def test_quantile_is_the_value_that_the_part_is_at_or_below():
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile(range(100), 0.99) == 99
    assert quantile([7], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_a_figure_is_held_against_its_limit_and_compared_with_its_peer():
    slow = Figure("p50", 12, "ms", limit=10, peer=Peer("ejabberd", 5))
    assert (slow.met, slow.ratio) == (False, 2.4)
    enough = Figure("sustained", 18_000, "deliveries/s", limit=18_000, at_least=True)
    assert (enough.met, enough.ratio) == (True, 1)
    assert not Figure("sustained", 17_999, "deliveries/s", limit=18_000, at_least=True).met
    none = Figure("lost", 0, "deliveries", limit=0)
    assert (none.met, none.ratio) == (True, None)
    assert Figure("idle", 3, "%").met is None


def test_a_report_prints_one_line_a_figure_and_remembers_peers():
    out = io.StringIO()
    figures = Report(out)
    figures.figure("ejabberd: sustained", 16_000, "deliveries/s")
    assert json.loads(out.getvalue())["value"] == 16_000
    assert figures.peer("ejabberd", "sustained") == Peer("ejabberd", 16_000)
    assert figures.peer("prosody", "sustained") is None


@given(capacity=st.floats(5, 900), start=st.sampled_from([0.5, 20.0]))
async def test_the_search_ends_near_the_edge_and_never_above_it(capacity: float, start: float):
    async def attempt(load: float) -> Step:
        return Step(load <= capacity, load)

    reached = await most(attempt, start, highest=1000)
    assert 0.9 * capacity <= reached <= capacity


async def test_a_server_that_stands_nothing_reaches_nothing_and_one_that_stands_all_is_not_pushed_further():
    async def falls(load: float) -> Step:
        return Step(False, load)

    async def stands(load: float) -> Step:
        return Step(True, load)

    assert await most(falls, 10) == 0
    assert await most(stands, 10, highest=100) == 100


async def test_the_search_ends_where_the_sender_does():
    tried = []

    async def attempt(load: float) -> Step:
        tried.append(load)
        return Step(True, min(load, 70), full=load < 70)

    assert await most(attempt, 10) == 70
    assert tried == [10, 20, 40, 80]


def test_cpu_below_that_at_rest_is_no_figure():
    outcome = Outcome(10, [0.001] * 10, 10, 100, 10, 0.5, 2.0, 0.1, 5)
    assert live.cost(outcome, 0.15) == pytest.approx(20_000)
    with pytest.raises(ValueError, match="without any"):
        live.cost(outcome, 0.3)


def test_what_did_not_come_is_lost():
    outcome = Outcome(4, [0.001, 0.002, 0.003], 3.0, 300, 3, 0.1, 1.0, 0.001, 2.0)
    assert outcome.lost == 1
    assert outcome.milliseconds(0.5) == 2
    assert outcome.clients_limit == 3000


@example(payloads=[b"x" * 70_000, b"y" * 200, b"z"], cut=1000)
@given(payloads=st.lists(st.binary(max_size=70_000), max_size=5), cut=st.integers(1, 5000))
def test_frames_are_found_however_the_stream_is_cut(payloads: list[bytes], cut: int):
    stream = b"".join(_served(payload) for payload in payloads)
    buffer, found = bytearray(), []
    for at in range(0, len(stream), cut):
        buffer += stream[at : at + cut]
        found += list(frames(buffer))
    assert [payload for payload, _ in found] == payloads
    assert sum(size for _, size in found) == len(stream)
    assert not buffer


def test_a_clients_frame_is_masked():
    assert frame(b"hello") == b"\x81\x85\0\0\0\0hello"
    assert frame(b"x" * 200)[1] & 0x80


def test_a_viewer_counts_each_message_once_and_all_bytes_but_heartbeats():
    viewer, tally = RoomViewer("localhost", 1), Tally()
    viewer._buffer, viewer._upgraded = bytearray(), True
    both = f'42["message","{text(1)}{text(2)}"]'.encode()
    viewer.received(_served(both) + _served(both), 5.0, tally)
    assert list(tally.numbers) == [1, 2]
    assert list(tally.times) == [5.0, 5.0]
    assert (tally.frames, tally.bytes) == (2, 2 * len(_served(both)))


def test_a_message_has_the_size_that_goals_speak_of():
    assert len(text(1)) == 100


LINES = [
    "bench: not a figure",
    Figure("app: sustained", 9_000, "deliveries/s").line(),
    Figure("app: sustained", 20_000, "deliveries/s", goal="P2", limit=18_000, at_least=True).line(),
    Figure("room: sustained", 21_900, "deliveries/s").line(),
]


def test_the_table_holds_each_figure_once_the_later_one():
    table = report.table(report.read(LINES))
    assert table.count("app: sustained") == 1
    assert "| app: sustained | 20,000 deliveries/s | ≥ 18,000 |  | 1.11 | P2 | yes |" in table


def test_the_table_replaces_what_is_between_the_marks_and_nothing_else():
    page = "before <!-- figures -->old<!-- /figures --> after"
    assert report.between(page, "new") == "before <!-- figures -->\nnew\n<!-- /figures --> after"
    with pytest.raises(ValueError, match="figures"):
        report.between("no marks", "new")


def test_the_picture_shows_who_took_part():
    picture = plot.svg(report.read(LINES))
    assert "21,900" in picture
    assert "ejabberd" not in picture
    assert picture.count("<rect") == 2


def _served(payload: bytes) -> bytes:
    """A frame as a server sends it: not masked."""
    size = len(payload)
    if size < 126:
        return bytes([0x82, size]) + payload
    return bytes([0x82, 126 if size < 65536 else 127]) + size.to_bytes(2 if size < 65536 else 8, "big") + payload
