"""Adding and taking back, and why it may not be."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from chatapp.errors import Invalid, NotFound
from chatapp.messages import actions as messages
from chatapp.messages import queries
from chatapp.reactions import actions
from chatapp.rooms import actions as rooms
from tests.cast import Cast, Someone, room, say


async def shown(who: Someone, place: UUID) -> list[tuple[str, int]]:
    (message,) = await queries.newest(who.actor, place)
    return [(reaction.emoji, reaction.count) for reaction in message.reactions]


async def said(who: Someone, *others: Someone) -> tuple[UUID, UUID]:
    place = await room(who, *others)
    return place, UUID((await say(who, place, "hello"))[0].id)


async def test_adding_and_taking_back(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    for who in (cast.grace, cast.ada, cast.ada):
        await actions.add(who.actor, hello, "👍")
    await actions.add(cast.ada.actor, hello, "🎉")
    assert await shown(cast.grace, place) == [("👍", 2), ("🎉", 1)]
    for _ in range(2):
        await actions.remove(cast.ada.actor, hello, "👍")
    assert await shown(cast.grace, place) == [("👍", 1), ("🎉", 1)]


async def test_at_once_is_once(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    await asyncio.gather(*(actions.add(cast.ada.actor, hello, "👍") for _ in range(8)))
    assert await shown(cast.ada, place) == [("👍", 1)]


async def test_flipping(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    await actions.flip(cast.ada.actor, hello, "👍")
    assert await shown(cast.ada, place) == [("👍", 1)]
    await actions.flip(cast.ada.actor, hello, "👍")
    assert await shown(cast.ada, place) == []


async def test_two_ways_to_write_a_heart_are_one(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    await actions.add(cast.ada.actor, hello, "\u2764")
    await actions.add(cast.grace.actor, hello, "\u2764\ufe0f")
    assert await shown(cast.ada, place) == [("\u2764\ufe0f", 2)]
    await actions.remove(cast.grace.actor, hello, "\u2764")
    assert await shown(cast.ada, place) == [("\u2764\ufe0f", 1)]


@pytest.mark.parametrize("emoji", ["👍🏽", "🇩🇪", "1️⃣", "👩‍👩‍👧‍👦", "🅰️", "ℹ️"])
async def test_every_emoji_of_unicode_will_do(cast: Cast, emoji: str) -> None:
    place, hello = await said(cast.ada)
    await actions.add(cast.ada.actor, hello, emoji)
    assert await shown(cast.ada, place) == [(emoji, 1)]


@pytest.mark.parametrize("text", ["", "a", "lgtm", "1", "👍👍", "👍 ", "<b>", "\0", "\ud83d", "\u200d", "👍" * 1000])
async def test_nothing_else_will(cast: Cast, text: str) -> None:
    place, hello = await said(cast.ada)
    for verb in (actions.add, actions.remove, actions.flip):
        with pytest.raises(Invalid, match="That is not an emoji"):
            await verb(cast.ada.actor, hello, text)
    assert await shown(cast.ada, place) == []


async def test_not_mine_and_not_there_are_one_answer(cast: Cast) -> None:
    _, hello = await said(cast.ada)
    for verb in (actions.add, actions.remove, actions.flip):
        for message in (hello, uuid4()):
            with pytest.raises(NotFound):
                await verb(cast.linus.actor, message, "👍")


async def test_somebody_who_left_reacts_no_more(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    await actions.add(cast.grace.actor, hello, "👍")
    await rooms.remove_member(cast.ada.actor, place, cast.grace.id)
    for verb in (actions.add, actions.remove):
        with pytest.raises(NotFound):
            await verb(cast.grace.actor, hello, "👍")
    assert await shown(cast.ada, place) == [("👍", 1)]


async def test_a_deleted_message_and_an_archived_room_say_so(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    await actions.add(cast.ada.actor, hello, "👍")
    await rooms.archive(cast.ada.actor, place)
    for verb, emoji in ((actions.add, "🎉"), (actions.remove, "👍")):
        with pytest.raises(Invalid, match="This room is archived"):
            await verb(cast.ada.actor, hello, emoji)
    await rooms.archive(cast.ada.actor, place, archived=False)
    await messages.delete(cast.ada.actor, hello)
    with pytest.raises(Invalid, match="This message was deleted"):
        await actions.add(cast.ada.actor, hello, "👍")


async def test_twenty_different_ones_are_enough(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    faces = [chr(0x1F600 + number) for number in range(20)]
    for face in faces:
        await actions.add(cast.ada.actor, hello, face)
    with pytest.raises(Invalid, match="A message takes 20 different reactions"):
        await actions.add(cast.grace.actor, hello, "👍")
    await actions.add(cast.grace.actor, hello, faces[7])
    assert dict(await shown(cast.ada, place))[faces[7]] == 2
