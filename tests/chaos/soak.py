"""`make soak`: an hour of people who come, talk and go, and what the server holds on to afterwards.

One sample each half minute in a file of JSON lines; a run that was ended goes on with its clock. `MINUTES=60` is the
length, `TABS=24` the crowd.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from chatapp import db
from tests.chaos.client import Client
from tests.chaos.plot import draw
from tests.chaos.report import Report, progress, run
from tests.chaos.world import World, room_of, world
from tests.server import PORT, ROOT, URL
from tests.tab import OPEN_ROOM, TAB

MINUTES = float(os.environ.get("MINUTES", "60"))
TABS, ROOMS = int(os.environ.get("TABS", "24")), 4
"""So few rooms that what the server caches of each is full before the second half, in which memory is judged."""

PAUSE = 8.0
"""Seconds between two things that one person does, on average: with 24 tabs, three things a second."""

EVERY = 30.0
STATE_SECONDS = 120
"""A tab's state ends so long after its last event, instead of Reflex's hour: the soak must see states end."""

WARM_MINUTES = 5.0
"""After each start, left out of the slope: caches fill, imports happen."""

FOLDER = Path(os.environ.get("CHAOS_FOLDER", ROOT / ".chaos"))
COUNTED = ("states", "sockets", "socket rooms", "tasks", "threads", "files")
SPARE = {"tasks": 2, "files": db.POOL_SIZE + 2}
"""What may be left over and is no leak: a job that happens to run, the pool's connections."""

Sample = dict[str, float]


class Soak:
    """One run of the clock, of perhaps several that make up a soak."""

    def __init__(self) -> None:
        self.folder = FOLDER / f"soak-{PORT}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._samples_file, self._counts_file = self.folder / "samples.jsonl", self.folder / "counts.json"
        self.samples: list[Sample] = _lines(self._samples_file)
        self.before = max((sample["minute"] for sample in self.samples), default=0.0)
        self.run = max((sample["run"] for sample in self.samples), default=0) + 1
        self.began = time.monotonic()

    @property
    def minute(self) -> float:
        return self.before + (time.monotonic() - self.began) / 60

    async def play(self) -> int:
        """Until the clock is full; the exit code tells whether all figures are within their limits."""
        _end_predecessor(self.folder / "server.pid")
        self._counts_file.unlink(missing_ok=True)
        observed = {
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "observer"), str(ROOT)]),
            "OBSERVER_FILE": str(self._counts_file),
            "REFLEX_REDIS_TOKEN_EXPIRATION": str(STATE_SECONDS),
        }
        async with world(random.randrange(10**6), self.folder / "data", **observed) as made:
            (self.folder / "server.pid").write_text(str(made.server.pid))
            await made.populate(TABS, ROOMS)
            start = await self._quiet(made)
            self.began = time.monotonic()
            await self._crowd(made)
            end = await self._quiet(made)
        return self._conclude(start, end)

    async def _crowd(self, made: World) -> None:
        progress(f"{TABS} tabs in {ROOMS} rooms from minute {self.before:.1f} to {MINUTES:g}")
        async with asyncio.TaskGroup() as tasks:
            people = [tasks.create_task(_live(made, number)) for number in range(TABS)]
            while self.minute < MINUTES:
                await asyncio.sleep(min(EVERY, max(1.0, (MINUTES - self.minute) * 60)))
                self._keep(await self._sample(made))
            for each in people:
                each.cancel()

    async def _quiet(self, made: World) -> Sample:
        """What the server holds when nobody is there; one tab first, so that whatever is made once has been made."""
        tab = Client(URL, made.people[0], made.dice).start(f"/chat/{made.rooms[0]}")
        await tab.until_shown(made.rooms[0])
        await tab.end()
        await made.close_tabs()
        progress("Waiting for the states of closed tabs to end, two minutes")
        end = time.monotonic() + STATE_SECONDS + 60
        while True:
            await asyncio.sleep(5)
            sample = await self._sample(made)
            if (sample.get("states") == 0 and sample.get("sockets") == 0) or time.monotonic() > end:
                return sample

    async def _sample(self, made: World) -> Sample:
        family = _family(made.server.pid)
        counts = json.loads(self._counts_file.read_text()) if self._counts_file.exists() else {}
        return {
            "run": self.run,
            "minute": round(self.minute, 3),
            **{name: value for name, value in counts.items() if name != "pid"},
            "backend MiB": _mebibytes(family),
            "stand-in MiB": _mebibytes(_standin(made.data)),
            "files": sum(process.num_fds() for process in family),
            "cpu seconds": sum(sum(process.cpu_times()[:2]) for process in family),
            **await _database(made),
        }

    def _keep(self, sample: Sample) -> None:
        self.samples.append(sample)
        with self._samples_file.open("a") as file:
            file.write(json.dumps(sample) + "\n")
        held = ", ".join(f"{name} {sample.get(name, -1):g}" for name in ("backend MiB", *COUNTED))
        progress(f"minute {sample['minute']:.1f} of {MINUTES:g}: {held}")

    def _conclude(self, start: Sample, end: Sample) -> int:
        report = Report(self.folder / "figures.jsonl", {"minutes": MINUTES, "tabs": TABS, "runs": self.run})
        report.figure("G11 soak", self.samples[-1]["minute"], "min")
        for name in ("backend", "stand-in"):
            report.figure(f"G11 {name} memory slope", slope(self.samples, f"{name} MiB"), "MiB/h", limit=1)
            report.figure(f"G11 {name} memory at the end", self.samples[-1][f"{name} MiB"], "MiB")
        report.figure("G11 backend objects slope", slope(self.samples, "blocks"), "blocks/h")
        for name in COUNTED:
            left = end.get(name, -1) - start.get(name, -1)
            report.figure(f"G11 {name} left over", left, name, limit=SPARE.get(name, 0))
        for name in ("temporary slots", "WAL MiB"):
            report.figure(f"G11 {name} at most", max(sample[name] for sample in self.samples), "")
        report.figure("G11 backend CPU", 100 * _cpu(self.samples), "% of a core")
        for title, names in (("memory", ("backend MiB", "stand-in MiB")), ("counts", COUNTED)):
            lines = {name: [(sample["minute"], sample.get(name, 0)) for sample in self.samples] for name in names}
            draw(self.folder / f"{title}.svg", f"Soak: {title}", "minutes", "MiB" if title == "memory" else "", lines)
        report.done("soak")
        return 1 if report.bad else 0


async def _live(made: World, number: int) -> None:
    """One person's hour."""
    dice, person = random.Random(made.dice.random()), made.people[number]
    tab = Client(URL, person, dice).start(f"/chat/{made.rooms[number % ROOMS]}")
    try:
        while True:
            await asyncio.sleep(dice.expovariate(1 / PAUSE))
            tab = await _do_something(made, tab)
    finally:
        await tab.end()


async def _do_something(made: World, tab: Client) -> Client:
    dice, room = tab.dice, room_of(tab)
    match dice.choices(["say", "reload", "anew", "go", "leave", "older"], [60, 12, 8, 10, 5, 5])[0]:
        case "say":
            tab.say(room, f"soak {dice.random()}")
        case "reload":
            await tab.reload()
        case "anew":
            await tab.end()
            await asyncio.sleep(dice.uniform(0, 2 * PAUSE))
            tab = Client(tab.url, tab.person, dice).start(tab.path)
        case "go":
            with contextlib.suppress(Exception):  # not connected at the moment: the address stays as it was
                await tab.go(f"/chat/{dice.choice(made.rooms)}")
        case "leave":
            with contextlib.suppress(Exception):
                await tab.call(f"{OPEN_ROOM}.leave", room_id=room)
                await asyncio.sleep(dice.uniform(0, PAUSE))
                await tab.call(f"{OPEN_ROOM}.join", room_id=room)
                await asyncio.sleep(0.5)
                await tab.go(f"/chat/{room}")
        case "older":
            with contextlib.suppress(Exception):
                await tab.call(f"{TAB}.load_older")
    tab.watch.forget()
    return tab


async def _database(made: World) -> Sample:
    found = await made.read(
        "select (select count(*) from pg_replication_slots where temporary) as slots,"
        " pg_database_size(current_database()) / 1048576.0 as size"
    )
    segments = [path for path in made.data.rglob("pg_wal/*") if path.is_file()]
    return {
        "temporary slots": found[0]["slots"],
        "database MiB": round(float(found[0]["size"]), 1),
        "WAL MiB": sum(path.stat().st_size for path in segments) / 2**20,
    }


def slope(samples: list[Sample], name: str) -> float:
    """Least squares over the second half, a line for each run with a slope that all have in common; per hour."""
    half = samples[-1]["minute"] / 2
    top = bottom = 0.0
    for number in {sample["run"] for sample in samples}:
        whole = [sample for sample in samples if sample["run"] == number]
        warm = whole[0]["minute"] + WARM_MINUTES
        own = [sample for sample in whole if sample["minute"] >= max(half, warm)]
        if len(own) < 2:
            continue
        mean_x, mean_y = (sum(sample[key] for sample in own) / len(own) for key in ("minute", name))
        top += sum((sample["minute"] - mean_x) * (sample[name] - mean_y) for sample in own)
        bottom += sum((sample["minute"] - mean_x) ** 2 for sample in own)
    return 60 * top / bottom if bottom else 0.0


def _cpu(samples: list[Sample]) -> float:
    """The part of a core that the backend used in the last run."""
    own = [sample for sample in samples if sample["run"] == samples[-1]["run"]]
    minutes = own[-1]["minute"] - own[0]["minute"]
    return (own[-1]["cpu seconds"] - own[0]["cpu seconds"]) / (60 * minutes) if minutes else 0.0


def _family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def _standin(data: Path) -> list[psutil.Process]:
    """The stand-in's own process, without Postgres."""
    record = json.loads((data / "standin.json").read_text())
    return [psutil.Process(int(record["pid"]))]


def _mebibytes(processes: list[psutil.Process]) -> float:
    return round(sum(process.memory_info().rss for process in processes) / 2**20, 2)


def _lines(path: Path) -> list[Any]:
    """Whole lines only: the last one may have been cut short."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def _end_predecessor(note: Path) -> None:
    """A soak that was killed leaves its server behind: end that one, and no other."""
    with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, ProcessLookupError):
        old = psutil.Process(int(note.read_text()))
        if str(PORT) in old.cmdline():
            os.killpg(old.pid, signal.SIGKILL)
            psutil.wait_procs([old], timeout=10)


if __name__ == "__main__":
    sys.exit(run(Soak().play()))
