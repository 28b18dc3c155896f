"""What any live system is asked: how fast, how much, at what cost, with so many looking on."""

from __future__ import annotations

from tests.bench.capacity import Step, most
from tests.bench.crowd import Crowd
from tests.bench.figures import Report, note
from tests.bench.load import Outcome, System, apply, idle, settle

PER_SECOND = 2.0
MESSAGES = 30
SUSTAINED_VIEWERS = 200
SLOWEST = 1.0
"""Seconds at p99 that a sustained load may take."""
STEP_SECONDS = 3.0
MOST_POSTS = 1000.0
REACHED = 0.7
"""Where the sender reaches less than this part of a load, it is not raised further: it would measure the sender."""


async def fan_out(report: Report, system: System, viewers: int) -> tuple[Outcome, float]:
    """A calm room: what one message costs and how long it takes. Answers the outcome and the idle CPU a second."""
    note(f"{system.name}: {viewers} viewers, {MESSAGES} messages")
    async with Crowd(system.viewers(viewers)) as crowd:
        resting, frames = await idle(system, crowd)
        outcome = await apply(system, crowd, viewers, PER_SECOND, MESSAGES)
    name = f"{system.name}: {viewers} viewers"
    if not outcome.waits:
        report.figure(f"{name}, lost", outcome.lost, "deliveries", limit=0)
        return outcome, resting
    report.figure(f"{name}, p50", outcome.milliseconds(0.5), "ms")
    report.figure(f"{name}, a delivery", outcome.bytes / len(outcome.waits), "B")
    report.figure(f"{name}, idle CPU", 100 * resting, "% of a core")
    report.figure(f"{name}, idle frames but heartbeats", frames, "frames")
    return outcome, resting


def cost(outcome: Outcome, resting: float) -> float:
    """Microseconds of the server's CPU a delivery, above what it uses when nothing happens.

    Raises ValueError when it used less than that: then it had not come to rest, and the figure would be made up.
    """
    above = outcome.cpu - resting * outcome.seconds
    if above < 0:
        raise ValueError(f"{outcome.cpu:.2f} s of CPU with messages, {resting * outcome.seconds:.2f} s without any")
    return 1e6 * above / len(outcome.waits)


async def sustained(report: Report, system: System, start: float = 20.0) -> float:
    """The most deliveries a second with p99 within a second and none lost."""
    stood: list[Outcome] = []
    async with Crowd(system.viewers(SUSTAINED_VIEWERS)) as crowd:
        await settle(crowd)

        async def attempt(rate: float) -> Step:
            outcome = await _step(system, crowd, rate)
            if stands(outcome):
                stood.append(outcome)
            else:
                await settle(crowd)
            return Step(stands(outcome), outcome.carried, outcome.offered > REACHED * rate)

        reached = await most(attempt, start, highest=MOST_POSTS)
    if stood:
        busiest = max(stood, key=lambda outcome: outcome.carried)
        report.figure(f"{system.name}: what its clients alone could take", busiest.clients_limit, "deliveries/s")
    return reached


def stands(outcome: Outcome) -> bool:
    """Whether a load was stood: everything came, in time."""
    return not outcome.lost and outcome.milliseconds(0.99) <= 1000 * SLOWEST


async def _step(system: System, crowd: Crowd, rate: float) -> Outcome:
    count = max(5, round(rate * STEP_SECONDS))
    outcome = await apply(system, crowd, SUSTAINED_VIEWERS, rate, count, drain=2 * STEP_SECONDS)
    p99 = f"p99 {outcome.milliseconds(0.99):.0f} ms" if outcome.waits else "nothing came"
    what = f"{outcome.carried:.0f} deliveries/s, {p99}, {outcome.lost} lost"
    note(f"{system.name}: {outcome.offered:.1f} of {rate:.1f} posts/s: {what}")
    return outcome
