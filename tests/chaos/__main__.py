"""`make chaos`: kill, cut, drop and repeat, and check that nobody can tell. One JSON line a figure.

`SEED=` repeats a run's decisions, `SENDS=100000` is the long form. A run that was ended goes on after its last phase.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.chaos import phases
from tests.chaos.checker import Fault
from tests.chaos.plot import Points, draw
from tests.chaos.proxy import CALM, STORM
from tests.chaos.report import Report, progress, quantile, run
from tests.chaos.world import World, world
from tests.server import PORT, ROOT

DEFAULTS = {
    "SENDS": 10_000,
    "CLIENTS": 100,
    "ROOMS": 20,
    "FAULTS": 10,  # of each kind: backend, Postgres, Realtime
    "REPLAYED": 2_000,
    "HEALS": 5,  # of each kind
    "GAPS": 60,
    "CHANGES": 1_200,
    "REMOVALS": 200,
}
"""Ten minutes on two cores. The goals' own numbers: SENDS=100000 REPLAYED=10000 HEALS=10 GAPS=500 CHANGES=10000
REMOVALS=1000."""

PACE = 2.0
"""Seconds between two messages of one person, on average."""

FIGURES = Path(os.environ.get("CHAOS_FOLDER", ROOT / ".chaos"))


class Run:
    """One run: its settings, its world, its figures."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.options = {name: int(os.environ.get(name, default)) for name, default in DEFAULTS.items()}
        self.report = Report(FIGURES / f"chaos-{PORT}-{seed}.jsonl", {"seed": seed, **self.options})
        self.curves: dict[str, Points] = {}

    async def play(self, names: Iterable[str]) -> None:
        """Play the phases, in one world, that no earlier run has finished."""
        left = [name for name in names if not self.report.has(name)]
        if not left:
            return
        async with world(self.seed) as made:
            await made.populate(self.options["CLIENTS"], self.options["ROOMS"])
            await made.open_tabs(self.options["CLIENTS"])
            progress(f"{len(made.clients)} tabs in {len(made.rooms)} rooms")
            for name in left:
                progress(f"{name}: begins")
                await getattr(self, name)(made)
                self.report.done(name)
                made.forget()

    async def storm(self, made: World) -> None:
        options = self.options
        seen = await phases.storm(made, options["SENDS"], options["FAULTS"], options["REPLAYED"], PACE)
        kinds = phases.tally(seen.faults)
        self.say(seen.faults)
        self.report.figure("G1 sends", len(seen.sends), "messages")
        self.report.figure("G1 faults survived", 3 * options["FAULTS"], "faults")
        self.report.figure("G1 hints not delivered", made.proxy.lost, "hints")
        self.report.figure("G1 connections of the tabs", sum(each.connections for each in made.clients), "connections")
        for kind in ("lost", "doubled", "unconfirmed"):
            self.report.figure(f"G1 {kind}", kinds.pop(kind, 0), "messages", limit=0)
        self.report.figure("G1 other faults (view, order, numbers)", sum(kinds.values()), "faults", limit=0)
        self.report.figure("G1 last send to every view equal", seen.settled, "s")
        self.report.figure("G3 sends repeated 1 to 5 times", seen.replayed, "messages")
        self.report.figure("G3 repetitions", seen.repetitions, "calls")
        self.report.figure("G3 rows too many or too few", abs(seen.replayed_rows - seen.replayed), "rows", limit=0)

    async def heal(self, made: World) -> None:
        every: list[float] = []
        for kind in ("realtime", "postgres", "backend"):
            times: list[float] = []
            faults: list[Fault] = []
            for number in range(self.options["HEALS"]):
                more, wrong = await phases.heal(made, kind)
                times, faults = times + more, faults + wrong
                progress(
                    f"heal: {kind} {number + 1}, slowest tab {max(more, default=0):.2f} s, {len(wrong)} not healed"
                )
            self.healing(f"G2 heal after {kind}", times, faults, limit=2)
            every += times
        self.healing("G2 heal", every, [], limit=2)
        times, faults = await phases.without_realtime(made, self.options["HEALS"])
        self.healing("G2 heal without Realtime", times, faults, limit=6)

    def healing(self, name: str, times: list[float], faults: list[Fault], limit: float) -> None:
        self.say(faults)
        self.curves[name] = [(100 * part / len(times), value) for part, value in enumerate(sorted(times), 1)]
        self.report.figure(f"{name} p50", quantile(times, 0.5), "s")
        self.report.figure(f"{name} p99", quantile(times, 0.99), "s", limit=limit)
        self.report.figure(f"{name} not at all", len(faults), "tabs", limit=0)

    async def gaps(self, made: World) -> None:
        for room in made.rooms:
            for _ in range(phases.RECENT):
                await made.say(room, made.dice.choice(made.people), f"first {made.dice.random()}")
        lost = made.proxy.lost
        faults = await phases.gaps(made, self.options["GAPS"], self.options["CHANGES"])
        self.say(faults)
        self.report.figure("G4 changes", self.options["CHANGES"], "changes")
        self.report.figure("G4 gaps", self.options["GAPS"], "gaps")
        self.report.figure("G4 hints not delivered", made.proxy.lost - lost, "hints")
        self.report.figure("G4 views that differ", len(faults), "faults", limit=0)

    async def removals(self, made: World) -> None:
        half = self.options["REMOVALS"] // 2
        times, faults = await phases.removals(made, half, CALM)
        _, more = await phases.removals(made, half, STORM)
        self.say([*faults, *more])
        self.report.figure("G5 removals", 2 * half, "removals")
        self.report.figure("G5 closed p50", quantile(times, 0.5), "s")
        self.report.figure("G5 closed p99", quantile(times, 0.99), "s", limit=1)
        self.report.figure("G5 later messages or traces of the room", len([*faults, *more]), "faults", limit=0)

    def say(self, faults: Iterable[Fault]) -> None:
        for fault in list(faults)[:20]:
            progress(str(fault))


async def main() -> int:
    """Play everything; the exit code tells whether all figures are within their limits."""
    chaos = Run(int(os.environ.get("SEED", secrets.randbelow(10**6))))
    progress(f"SEED={chaos.seed} repeats this run. Figures: {FIGURES}")
    await chaos.play(os.environ.get("PHASES", "storm,heal,gaps,removals").split(","))
    plot = FIGURES / f"chaos-{PORT}-{chaos.seed}.svg"
    draw(plot, "Time to heal", "% of tabs", "s", chaos.curves)
    for name in chaos.report.bad:
        progress(f"Beyond its limit: {name}")
    return 1 if chaos.report.bad else 0


if __name__ == "__main__":
    sys.exit(run(main()))
