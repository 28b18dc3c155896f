"""What the runs write, and that one which was ended goes on."""

from __future__ import annotations

import json
from pathlib import Path

from tests.chaos.report import Report
from tests.chaos.soak import slope


def test_a_run_goes_on_after_its_last_finished_phase(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    first = Report(path, {"seed": 1})
    first.figure("lost", 0, "messages", limit=0)
    first.done("storm")
    first.figure("half a phase", 1, "s")
    again = Report(path, {"seed": 1})
    assert again.has("storm")
    assert not again.has("heal")
    assert [figure["name"] for figure in again.figures] == ["lost"]
    assert not Report(path, {"seed": 2}).has("storm")


def test_a_figure_says_what_it_is_and_whether_it_is_good(tmp_path: Path) -> None:
    report = Report(tmp_path / "figures.jsonl", {})
    report.figure("lost", 1, "messages", limit=0)
    report.figure("heal", 1.5, "s", limit=2)
    line = {"name": "heal", "value": 1.5, "unit": "s", "limit": 2, "peer": None, "ratio": 0.75}
    assert json.loads((tmp_path / "figures.jsonl").read_text().splitlines()[-1]) == line
    assert report.bad == ["lost"]


def test_a_slope_is_of_the_second_half_and_does_not_mind_a_new_start() -> None:
    grows = [{"run": 1, "minute": minute, "x": 500 - minute if minute < 30 else minute / 60} for minute in range(45)]
    again = [{"run": 2, "minute": minute, "x": 100 + minute / 60} for minute in range(45, 61)]
    assert abs(slope(grows + again, "x") - 1) < 1e-9
