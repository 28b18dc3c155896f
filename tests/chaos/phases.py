"""What is done to the product: a storm of sends and faults, healing in peace, changes across gaps, removals."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from tests.chaos.checker import Fault, Message, Sent, check_numbers, check_sends, check_silence, check_view
from tests.chaos.client import Client
from tests.chaos.proxy import CALM, STORM, Weather
from tests.chaos.report import progress
from tests.chaos.world import World, room_of
from tests.tab import TAB

SETTLE_SECONDS = 120.0
EMOJI = ("👍", "🎉", "❤️")
RECENT = 60
"""Changes are made to the newest messages, which every tab shows."""


@dataclass
class Storm:
    """What was sent in a storm, and what was wrong afterwards."""

    sends: list[Sent] = field(default_factory=list)
    replayed: int = 0
    repetitions: int = 0
    replayed_rows: int = 0
    settled: float = 0.0
    faults: list[Fault] = field(default_factory=list)


# ---------------------------------------------------------------------------------------------------- storm


async def storm(world: World, sends: int, each_fault: int, replayed: int, pace: float) -> Storm:
    """Everybody talks, one message each `pace` seconds, while everything breaks `each_fault` times."""
    world.proxy.weather = STORM
    made, said = Storm(), itertools.count(1)
    share = -(-sends // len(world.clients))
    chosen = {*world.dice.sample(range(1, share * len(world.clients) + 1), replayed)}
    async with asyncio.TaskGroup() as tasks:
        for each in world.clients:
            tasks.create_task(_talk(each, itertools.islice(said, share), pace, made, chosen))
        tasks.create_task(_disturb(world, each_fault))
        tasks.create_task(_change(world, max(each_fault * 20, 20), pace / 4))
    began = time.monotonic()
    await _confirmed(world)
    made.sends = [_told(world, sent) for sent in made.sends]
    unequal = await equal(world)
    made.settled = time.monotonic() - began
    stored = await world.stored(world.rooms)
    made.faults += [*unequal, *check_sends(made.sends, stored), *_others(world, stored)]
    made.replayed_rows = _rows_of(made, stored, chosen)
    world.proxy.weather = CALM
    return made


async def _talk(each: Client, numbers: Iterable[int], pace: float, made: Storm, chosen: set[int]) -> None:
    room, again = room_of(each), list[asyncio.Task[None]]()
    for number in numbers:
        content = f"message {number} of {each.token[:8]}"
        while each.outbox.full:  # noqa: ASYNC110  # they are asked to wait
            await asyncio.sleep(0.2)
        client_id = each.say(room, content)
        made.sends.append(Sent(room, each.me, client_id, content, confirmed=False))
        if number in chosen:
            made.replayed += 1
            repetitions = (_send_again(each, room, client_id, content) for _ in range(each.dice.randint(0, 4)))
            again += map(asyncio.create_task, repetitions)
        if number % 500 == 0:
            progress(f"storm: {number} sent")
        await asyncio.sleep(each.dice.expovariate(1 / pace))
    made.repetitions += len(again)
    await asyncio.gather(*again)


async def _send_again(each: Client, room: str, client_id: str, content: str) -> None:
    """Once more at any later moment: before the first was answered, or on the next connection, to the next backend."""
    await asyncio.sleep(each.dice.uniform(0, 20))
    while not await each.post(room, client_id, content, attempt=99):  # noqa: ASYNC110  # each round asks anew
        await asyncio.sleep(0.2)


async def _disturb(world: World, each_fault: int) -> None:
    faults: list[Callable[[], Awaitable[None]]] = [world.kill_backend, world.kill_postgres, world.cut_realtime]
    order = faults * each_fault
    world.dice.shuffle(order)
    for number, fault in enumerate(order, 1):
        await asyncio.sleep(world.dice.uniform(0.5, 5))
        await fault()
        progress(f"storm: fault {number} of {len(order)}: {getattr(fault, '__name__', fault)}")


async def _change(world: World, changes: int, pace: float) -> None:
    for _ in range(changes):
        await change(world, world.dice.choice(world.rooms))
        await asyncio.sleep(pace)


async def _confirmed(world: World) -> None:
    """Wait until every outbox is empty, or it is hopeless: the check then says who is missing."""
    end = time.monotonic() + SETTLE_SECONDS
    while any(each.outbox.waiting for each in world.clients) and time.monotonic() < end:  # noqa: ASYNC110  # what is waited for tells nobody
        await asyncio.sleep(0.1)


def _told(world: World, sent: Sent) -> Sent:
    sender = next(each for each in world.clients if each.me == sent.user_id and room_of(each) == sent.room)
    return Sent(sent.room, sent.user_id, sent.client_id, sent.content, sent.client_id in sender.outbox.confirmed)


def _rows_of(made: Storm, stored: dict[str, list[Message]], chosen: set[int]) -> int:
    wanted = {sent.client_id for sent in made.sends if int(sent.content.split()[1]) in chosen}
    return sum(row.client_id in wanted for rows in stored.values() for row in rows)


def _others(world: World, stored: dict[str, list[Message]]) -> list[Fault]:
    """What the tabs saw on the way, and the rooms' numbers."""
    seen = [fault for each in world.clients for fault in each.watch.faults]
    return seen + [fault for room, rows in stored.items() for fault in check_numbers(room, rows)]


# ---------------------------------------------------------------------------------------------------- views


async def equal(world: World, seconds: float = SETTLE_SECONDS) -> list[Fault]:
    """Wait until every tab shows what is stored; answers what is still wrong in the end."""
    end = time.monotonic() + seconds
    while True:
        stored = await world.stored({room_of(each) for each in world.clients})
        faults = [
            fault for each in world.clients for fault in check_view(name(each), each.view(), stored[room_of(each)])
        ]
        if not faults or time.monotonic() > end:
            return faults
        await asyncio.sleep(0.25)


async def heal_times(world: World, since: float, seconds: float = 30.0) -> tuple[list[float], list[Fault]]:
    """How long each tab takes, from `since`, to show what is stored now."""
    stored = await world.stored({room_of(each) for each in world.clients})

    async def healed(each: Client) -> float | Fault:
        wanted = stored[room_of(each)]
        try:
            await each.until(lambda _: not check_view("", each.view(), wanted), seconds)
        except TimeoutError:
            return check_view(name(each), each.view(), wanted)[0]
        return time.monotonic() - since

    answers = await asyncio.gather(*(healed(each) for each in world.clients))
    return [a for a in answers if isinstance(a, float)], [a for a in answers if isinstance(a, Fault)]


def name(each: Client) -> str:
    return f"tab {each.token[:8]}"


# ---------------------------------------------------------------------------------------------------- healing


async def heal(world: World, kind: str) -> tuple[list[float], list[Fault]]:
    """One fault in peace, with news that nobody could be told meanwhile; times are from the recovery on."""
    faults = {"backend": world.kill_backend, "postgres": world.kill_postgres, "realtime": world.cut_realtime}
    fault = asyncio.create_task(faults[kind]())
    if kind != "postgres":  # as late as possible: the watchdog may be about to look
        await asyncio.sleep(0.9)
        await news(world)
    await fault
    since = time.monotonic()
    if kind == "postgres":
        await news(world)
    times = await heal_times(world, since)
    await asyncio.sleep(world.dice.uniform(0, 2))
    return times


async def without_realtime(world: World, rounds: int) -> tuple[list[float], list[Fault]]:
    """Realtime is away for good: from the commit to every tab."""
    world.proxy.open, times, faults = False, list[float](), list[Fault]()
    await world.proxy.cut()
    for _ in range(rounds):
        await asyncio.sleep(world.dice.uniform(0, 5))
        await news(world)
        more, wrong = await heal_times(world, time.monotonic())
        times, faults = times + more, faults + wrong
    world.proxy.open = True
    return times, faults


async def news(world: World) -> None:
    """One more message in every room, and changes to others."""
    for room in world.rooms:
        await world.say(room, world.dice.choice(world.people), f"news {world.dice.random()}")
        await change(world, room)


# ---------------------------------------------------------------------------------------------------- gaps


async def gaps(world: World, number: int, changes: int, every: int = 10) -> list[Fault]:
    """Edits, deletions and reactions while no hint comes through; every tab is right soon after each few gaps."""
    faults: list[Fault] = []
    for gap in range(1, number + 1):
        cut = world.dice.random() < 0.2
        world.proxy.weather = Weather(muted=True)
        if cut:
            await world.proxy.cut()
        for _ in range(-(-changes // number)):
            await change(world, world.dice.choice(world.rooms))
        world.proxy.weather = CALM
        if gap % every == 0 or gap == number:
            faults += await equal(world, 20)
            progress(f"gaps: {gap} of {number}, {len(faults)} faults")
    return faults + [fault for each in world.clients for fault in each.watch.faults]


async def change(world: World, room: str) -> None:
    """Edit, delete or react to a recent message, as its author's client would have it stored."""
    kinds = ["edit", "edit", "delete", *(["react", "unreact"] if await has_reactions(world) else [])]
    recent = f"""(select id from chat_messages m where room_id = %s and deleted_at is null and seq > (
        select last_seq - {RECENT} from chat_rooms where id = m.room_id) order by random() limit 1)"""
    match world.dice.choice(kinds):
        case "edit":
            await world.write(
                f"update chat_messages set content = %s where id = {recent}", f"edit {world.dice.random()}", room
            )
        case "delete":
            await world.write(f"update chat_messages set deleted_at = now(), content = '' where id = {recent}", room)
        case "react":
            values = (str(world.dice.choice(world.people).user_id), world.dice.choice(EMOJI), room)
            await world.write(
                "insert into message_reactions (message_id, user_id, emoji)"
                f" select m.id, %s, %s from chat_messages m where m.id = {recent} on conflict do nothing",
                *values,
            )
        case "unreact":
            await world.write(
                "delete from message_reactions where (message_id, user_id, emoji) in"
                " (select r.message_id, r.user_id, r.emoji from message_reactions r"
                " join chat_messages m on m.id = r.message_id where m.room_id = %s limit 1)",
                room,
            )


_tables: dict[int, bool] = {}


async def has_reactions(world: World) -> bool:
    """Whether this schema has reactions."""
    if id(world) not in _tables:
        found = await world.read("select to_regclass('public.message_reactions') is not null as there")
        _tables[id(world)] = bool(found[0]["there"])
    return _tables[id(world)]


# ---------------------------------------------------------------------------------------------------- removals


async def removals(world: World, number: int, weather: Weather) -> tuple[list[float], list[Fault]]:
    """Take people out of rooms that they are looking at; answers how long their tabs took to close."""
    world.proxy.weather, times, faults = weather, list[float](), list[Fault]()
    by_room: dict[str, list[Client]] = {}
    for each in world.clients:
        by_room.setdefault(room_of(each), []).append(each)
    turns = itertools.count(1)

    async def in_room(room: str, tabs: list[Client]) -> None:
        while (turn := next(turns)) <= number:
            gone = tabs[turn % len(tabs)]
            witness = next(each for each in tabs if each is not gone)
            seconds, wrong = await _remove(world, room, gone, witness)
            times.append(seconds)
            faults.extend(wrong)
            if turn % 50 == 0:
                progress(f"removals: {turn} of {number}, {len(faults)} faults")

    async with asyncio.TaskGroup() as tasks:
        for room, tabs in by_room.items():
            tasks.create_task(in_room(room, tabs))
    world.proxy.weather = CALM
    return times, faults


async def _remove(world: World, room: str, gone: Client, witness: Client) -> tuple[float, list[Fault]]:
    path, secrets = gone.path, [f"secret {random.random()}" for _ in range(3)]
    gone.raw.clear()
    gone.events.clear()
    await world.remove(room, gone.person)
    since = time.monotonic()
    await world.say(room, witness.person, secrets[0])
    try:
        await gone.until(lambda tab: "/chat" in tab.redirects, 15)
    except TimeoutError:
        return 15.0, [Fault("open", name(gone), "a removed member's tab stays open")]
    seconds = time.monotonic() - since
    closed = next(number for number, frame in enumerate(gone.raw) if "_redirect" in frame)
    await gone.go("/chat")  # as the browser follows the redirect
    for secret in secrets[1:]:
        await world.say(room, witness.person, secret)
    await gone.call(f"{TAB}.open_room")  # and what somebody tries who writes their own browser
    await gone.call(f"{TAB}.load_older")
    await witness.until(lambda _: secrets[-1] in witness.texts, 20)
    faults = check_silence(name(gone), list(gone.raw), room, secrets, closed)
    gone.path = path
    await world.join(room, gone.person)
    await gone.reload()
    await gone.until_shown(room)
    return seconds, faults


def tally(faults: Iterable[Fault]) -> Counter[str]:
    """How often each kind of fault was found."""
    return Counter(fault.kind for fault in faults)
