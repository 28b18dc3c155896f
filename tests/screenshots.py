"""`python -m tests.screenshots`: pictures of every page and what opens on it, for people to look at.

Phone, tablet and wide screen, light and dark, into the git-ignored folder `screenshots/`. `SIZES=390x844 THEMES=dark`
choose, so does `WALKS=extremes,talk`; `ONLY=settings` keeps those whose name has the word in it.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from playwright.async_api import async_playwright, expect

from chatapp import db, demo, migrate, settings
from chatapp.actor import Actor
from chatapp.direct.actions import open_direct
from chatapp.messages import actions as messages
from chatapp.reactions import actions as reactions
from chatapp.rooms import actions as rooms
from chatapp.standin import lifecycle
from chatapp.supabase import client
from tests.browser.conftest import Lobby
from tests.browser.people import Person
from tests.browser.test_looks import screens
from tests.chromium import FLAGS, executable
from tests.conftest import settings_of
from tests.folders import data_folder
from tests.ports import free_port
from tests.server import ROOT, Server, build

FOLDER = ROOT / "screenshots"
SIZES = os.environ.get("SIZES", "390x844,768x1024,1440x900").split(",")
THEMES = os.environ.get("THEMES", "light,dark").split(",")
WALKS = os.environ.get("WALKS", "screens,extremes,full,talk").split(",")
ONLY = os.environ.get("ONLY", "")
TOUCH_BELOW = 700
"""Pixels of width up to which a screen is a phone's, with fingers on it."""


async def take(lobby: Lobby, size: str, theme: str) -> None:
    """One picture of each screen, named by size, theme, place in the walk and what it shows."""
    number = 0
    for walk in [each for each in (screens, extremes, full, talk) if each.__name__ in WALKS]:
        async for name, person in walk(lobby, **options(size, theme)):
            number += 1
            if ONLY in name:
                slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
                await person.page.screenshot(path=FOLDER / f"{size}-{theme}-{number:02}-{slug}.png")


async def extremes(lobby: Lobby, **options: Any) -> AsyncIterator[tuple[str, Person]]:
    """Much of everything: a busy room, many people, long names and texts; and nothing of anything."""
    ada = await lobby.signed_in("Ada", to=f"/chat/{demo.demo_id('General')}", **options)
    await ada.ready()
    await ada.is_still()
    yield "a busy room", ada
    full = await full_room()
    await ada.go("/chat")
    await expect(ada.link("A room whose name").first).to_be_visible()
    await ada.is_still()
    yield "the rooms with unread", ada
    await ada.open_room(full)
    await ada.is_still()
    yield "long texts", ada
    await ada.button("Members").click()
    await expect(ada.heading("Members")).to_be_visible()
    await ada.is_still()
    yield "sixty members", ada
    await ada.page.keyboard.press("Escape")
    await ada.context.set_offline(True)
    await expect(ada.page.get_by_text("You're offline")).to_be_visible()
    await ada.is_still()
    yield "offline", ada
    await ada.context.set_offline(False)

    newcomer = await lobby.stranger(**options)
    await newcomer.go("/")
    await newcomer.is_still()
    yield "the start", newcomer
    await newcomer.go("/sign-in")
    await newcomer.field("Email").fill("nobody@example.com")
    await newcomer.field("Password").fill("not a password")
    await newcomer.button("Sign in").click()
    await expect(newcomer.page.get_by_text("Email or password is incorrect.")).to_be_visible()
    yield "sign-in refused", newcomer
    await newcomer.go("/sign-up")
    await newcomer.field("Name").fill("Mary Jackson")
    await newcomer.field("Email").fill(f"{uuid4()}@example.com")
    await newcomer.field("Password").fill("correct horse battery")
    await newcomer.button("Sign up").click()
    await expect(newcomer.page.get_by_text("No chat rooms yet.")).to_be_visible()
    await newcomer.is_still()
    yield "no rooms yet", newcomer


async def talk(lobby: Lobby, **options: Any) -> AsyncIterator[tuple[str, Person]]:
    """What people do in a room: code, quotes and threads, pickers, direct messages, invitations; and waiting for it."""
    room_id = await talking_room()
    ada = await lobby.signed_in("Ada", to=f"/chat/{room_id}", **options)
    await ada.ready()
    await ada.is_still()
    yield "code, quotes and threads", ada
    await ada.log.get_by_role("button", name="3 replies").click()
    await expect(ada.page.get_by_role("log", name="Thread").get_by_text("Agreed, ship it.")).to_be_visible()
    await ada.is_still()
    yield "a thread", ada
    await ada.page.keyboard.press("Escape")
    await ada.box.press_sequentially("Thanks @gra")
    await expect(ada.page.get_by_role("listbox", name="People")).to_be_visible()
    await ada.is_still()
    yield "mentioning somebody", ada
    await ada.page.keyboard.press("Escape")
    await ada.box.fill("")
    await ada.button("Emoji").click()
    await expect(ada.button("Insert 😀")).to_be_visible()
    await ada.is_still()
    yield "the emoji picker", ada
    await ada.page.keyboard.press("Escape")
    await ada.button("Invite").click()
    await expect(ada.field("Invite link")).to_have_value(re.compile("/invite/"))
    await ada.button("QR code").click()
    await expect(ada.page.get_by_role("img", name="QR code of the invite link")).to_be_visible()
    await ada.is_still()
    yield "inviting", ada
    link = await ada.field("Invite link").input_value()
    await ada.page.keyboard.press("Escape")
    guest = await lobby.signed_in("Alan", to="/invite/" + link.rpartition("/")[2], **options)
    await expect(guest.button("Join room")).to_be_visible()
    await guest.is_still()
    yield "an invitation", guest
    await guest.go("/invite/" + "x" * 32)
    await expect(guest.heading("This invitation doesn't work")).to_be_visible()
    await guest.is_still()
    yield "an invitation that is over", guest

    await ada.go("/chat")
    await ada.button("New message").click()
    await ada.field("To").press_sequentially("gra")
    await expect(ada.button("Grace Hopper")).to_be_visible()
    await expect(ada.button("Katherine Johnson")).to_have_count(0)
    await ada.is_still()
    yield "a new message", ada
    await ada.page.keyboard.press("Enter")
    await ada.button("Start conversation").click()
    await ada.ready()
    await ada.say("Do you have a minute for the release notes? 🙏")
    await ada.has_messages(await ada.log.locator("[data-row]").count())
    await ada.is_still()
    yield "a direct message", ada

    waiting = await lobby.stranger(**options)
    await waiting.continue_as("Grace")
    await waiting.context.route_web_socket("**/_event/**", lambda _: None)  # nobody answers
    for path in (f"/chat/{room_id}", "/chat"):
        await waiting.go(path)
        await expect(waiting.page.locator(".skeleton:visible").first).to_be_visible()
        yield f"{path.count('/')} waiting for the server", waiting
    await waiting.page.evaluate("navigator.serviceWorker.ready")
    await waiting.context.set_offline(True)
    await waiting.page.reload()
    await expect(waiting.heading("You're offline")).to_be_visible()
    yield "loaded without a network", waiting


async def talking_room() -> str:
    """From psql: three people at work, with everything a message can have."""
    room_id, ids = uuid4(), {name: demo.demo_id(name) for name in ("Ada", "Grace", "Katherine")}
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        await psql.execute("delete from chat_rooms where name = 'Release 2.4'")
        await psql.execute(
            "insert into chat_rooms (id, name, description, created_by) values (%s, 'Release 2.4', %s, %s)",
            (room_id, "Tides by the hour, and an import that survives time zones", ids["Ada"]),
        )
        for name in ("Grace", "Katherine"):
            await psql.execute("insert into room_members (room_id, user_id) values (%s, %s)", (room_id, ids[name]))
        said: list[Any] = []
        for who, text, parent, quote in SAID:
            about = [said[n] if n is not None else None for n in (parent, quote)]
            row = await psql.execute(SAY_ABOUT, (room_id, ids[who], text, *about))
            said.append((await row.fetchone() or [None])[0])
        for number, who, emoji in ((2, "Ada", "🎉"), (2, "Katherine", "🎉"), (2, "Ada", "👀"), (6, "Ada", "🚀")):
            react = "insert into message_reactions (message_id, user_id, emoji) values (%s, %s, %s)"
            await psql.execute(react, (said[number], ids[who], emoji))
    return str(room_id)


FIXED = '''The import is fixed. It was the offset, of course:

```python
def height(at: datetime, harbour: Harbour) -> float:
    """Metres above chart datum."""
    moment = at.astimezone(harbour.zone)  # never the server's
    return sum(part.at(moment) for part in harbour.parts)
```'''
SAID = [
    ("Ada", "Morning! What is left for **2.4**?", None, None),
    ("Katherine", "Three things:\n\n1. the import of harbours\n2. ~~the map~~ done\n3. release notes", None, None),
    (
        "Grace",
        FIXED,
        None,
        None,
    ),
    ("Katherine", "Then it can go out today?", 2, None),
    ("Ada", "After the tests on the Azores. `make test` is green here.", 2, None),
    ("Katherine", "Agreed, ship it.", 2, None),
    ("Katherine", "I take the notes. Draft: https://example.com/notes/2.4", None, 1),
    ("Grace", "> It just tells the truth about the sea\n\nThat should be the first line 😄", None, None),
    ("Katherine", "🎉", None, None),
]
"""Who, what, in which message's thread, quoting which."""
SAY_ABOUT = """
insert into chat_messages (room_id, user_id, client_id, content, parent_id, quote_id)
values (%s, %s, gen_random_uuid()::text, %s, %s, %s) returning id
"""


async def full(lobby: Lobby, **options: Any) -> AsyncIterator[tuple[str, Person]]:
    """A room with all that can be in one, and a list with all that can be on one."""
    place, first = await everything()
    ada = await lobby.signed_in("Ada", to=f"/chat/{place}", **options)
    await ada.ready()
    grace = await lobby.signed_in("Grace", to=f"/chat/{place}")
    await grace.sees("Nice!")
    await grace.box.press_sequentially("I am ")
    await expect(ada.page.get_by_text("Grace Hopper is typing...").first).to_be_visible()
    await ada.is_still()
    yield "a full room", ada
    await ada.log.evaluate("log => log.scrollTop = 0")
    await ada.is_still()
    yield "a full room's beginning", ada
    await ada.log.get_by_role("button", name=re.compile("2 replies")).click()
    await expect(ada.page.get_by_role("log", name="Thread").get_by_text("Before lunch")).to_be_visible()
    await ada.is_still()
    yield "a thread", ada
    await ada.go(f"/chat/{place}?m={first}")
    await expect(ada.page.get_by_role("log", name="Thread").locator("[data-marked]")).to_be_focused()
    await ada.is_still()
    yield "a reply that was asked for", ada
    await ada.go(f"/chat/{place}")
    await ada.ready()
    await ada.button("Pinned").click()
    await ada.is_still()
    yield "the pinned messages", ada
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Control+k")
    await ada.page.keyboard.type("gr")
    await ada.is_still()
    yield "the switcher with people", ada
    await ada.page.keyboard.press("Escape")
    if await ada.button("Open rooms").is_visible():
        await ada.button("Open rooms").click()
        await ada.is_still()
        yield "a full list in the drawer", ada


async def everything() -> tuple[UUID, str]:
    """Through the verbs: a room with pins, quotes, a thread, code, reactions, mentions, and direct messages beside it.

    Answers the room, and the id of the first reply in it.
    """
    ada, grace = Actor(demo.demo_id("Ada"), ""), Actor(demo.demo_id("Grace"), "")
    made = await rooms.create_room(ada, f"Release {uuid4().hex[:4]}", "Everything about the next one")
    place = UUID(made.id)
    await rooms.join(grace, place)

    async def say(who: Actor, text: str, **answer: Any) -> UUID:
        return UUID((await messages.post(who, place, str(uuid4()), text, messages.Answer(**answer))).id)

    plan = await say(ada, "The **plan**: freeze on *Thursday*, release on Friday\n- notes\n- [site](https://a.example)")
    reply = await say(grace, "Before lunch", parent_id=plan)
    await say(ada, "Works for me, @Grace Hopper", parent_id=plan)
    await messages.pin(grace, plan)
    await say(grace, "Sounds good", quote_id=plan)
    code = await say(grace, "```python\ndef release(version: str) -> None:\n    print(f'{version} is out')\n```")
    for who, emoji in ((ada, "🎉"), (grace, "🎉"), (ada, "👍"), (grace, "🚀")):
        await reactions.add(who, code, emoji)
    await messages.edit(grace, await say(grace, "Typo"), "No typo")
    await messages.delete(grace, await say(grace, "Never mind"))
    await say(ada, "🎉🎉")
    await say(grace, "> one thing\n\n@Ada Lovelace, can you look at `release()`?")
    await say(grace, "Nice!")
    for name in ("Grace", "Linus"):
        pair = await open_direct(ada, [demo.demo_id(name)])
        other = Actor(demo.demo_id(name), "")
        await messages.post(other, pair, str(uuid4()), "Got a minute?")
    other_room = UUID((await rooms.create_room(ada, f"Design {uuid4().hex[:4]}", "How it looks")).id)
    await rooms.join(grace, other_room)
    for text in ("@Ada Lovelace have a look", "and here"):
        await messages.post(grace, other_room, str(uuid4()), text)
    return place, str(reply)


async def full_room() -> str:
    """From psql: sixty people in one room of Ada's, some of whom have much to say."""
    room_id, ada = uuid4(), demo.demo_id("Ada")
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        await psql.execute("delete from chat_rooms where name = %s", [ROOM])
        await psql.execute(
            "insert into chat_rooms (id, name, description, is_private, created_by) values (%s, %s, %s, true, %s)",
            (room_id, ROOM, "What it is about takes longer to say than there is room for. " * 4, ada),
        )
        await psql.execute(MEMBERS, {"room": room_id})
        for text in TEXTS:
            await psql.execute(SAY, {"room": room_id, "ada": ada, "text": text})
    return str(room_id)


ROOM = "A room whose name is as long as a name can be, which is eighty characters at all"
TEXTS = [
    "word " * 1_999,
    "🎉",
    "👩‍👩‍👧‍👦👍🏽❤️",
    "مرحبا بالجميع، هذا نص من اليمين إلى اليسار مع English في الوسط",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "Two lines,\nand a third one:\n\nlike this.",
]
MEMBERS = """
with people as (
  insert into auth.users (id, email, raw_user_meta_data)
  select gen_random_uuid(), gen_random_uuid() || '@example.com', jsonb_build_object('name',
      (array['Mary Jackson', 'Margaret Hamilton', 'Radia Perlman', 'Anita Borg', 'Barbara Liskov', 'Frances Allen',
        'Wolfeschlegelsteinhausenbergerdorff the Elder of Somewhere', '李娜', 'Łukasz Żółć', 'Ø'])[1 + n %% 10])
    from generate_series(1, 59) n
  returning id
)
insert into room_members (room_id, user_id) select %(room)s, id from people
"""
SAY = """
insert into chat_messages (room_id, user_id, client_id, content)
select room_id, user_id, gen_random_uuid()::text, %(text)s from room_members
  where room_id = %(room)s and user_id <> %(ada)s order by random() limit 1
"""


def options(size: str, theme: str) -> dict[str, Any]:
    """What Playwright calls such a screen."""
    width, height = map(int, size.split("x"))
    touch = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2} if width < TOUCH_BELOW else {}
    return {"viewport": {"width": width, "height": height}, "color_scheme": theme, **touch}


@asynccontextmanager
async def house() -> AsyncIterator[None]:
    """The real app on a stand-in of its own, with its demo people."""
    with data_folder("screenshots") as data:
        server = Server({"STANDIN_DATA": str(data)}, data.parent / "server.log", pages=True)
        try:
            made = await asyncio.to_thread(lifecycle.ensure, data, api_port=free_port(), db_port=free_port())
            settings.use(settings_of(made))
            await migrate.migrate()
            await demo.seed()
            await asyncio.to_thread(build)
            await asyncio.to_thread(server.start)
            yield
        finally:
            await asyncio.to_thread(server.stop)
            await client.dispose()
            await db.dispose()


async def main() -> None:
    expect.set_options(timeout=30_000)
    async with house(), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=await asyncio.to_thread(executable), args=FLAGS)
        for size in SIZES:
            for theme in THEMES:
                async with AsyncExitStack() as stack:
                    await take(Lobby(browser, stack), size, theme)
        await browser.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(main())
