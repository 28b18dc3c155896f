"""Editing, deleting, pinning: by whom, and what is said to all others."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from chatapp.errors import Forbidden, Invalid, NotFound
from chatapp.messages import actions, queries
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.rooms import actions as rooms
from tests.cast import Cast, Someone, room, say


async def said(who: Someone, *others: Someone) -> tuple[UUID, UUID]:
    place = await room(*(others or (who,)), *((who,) if others else ()))
    return place, UUID((await say(who, place, "hello"))[0].id)


async def only(who: Someone, place: UUID) -> MessageSnapshot:
    (message,) = await queries.newest(who.actor, place)
    return message


async def test_an_author_edits(cast: Cast) -> None:
    place, hello = await said(cast.grace, cast.ada)
    await actions.edit(cast.grace.actor, hello, "  hello, Ada ")
    message = await only(cast.ada, place)
    assert (message.content, message.edited_at != "", message.rev) == ("hello, Ada", True, 4)


async def test_an_edit_into_what_it_says_already_is_no_change(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    assert await actions.edit(cast.ada.actor, hello, "🎉")
    edited = await only(cast.ada, place)
    for same in ("🎉", " :tada: "):
        assert not await actions.edit(cast.ada.actor, hello, same)
    assert await only(cast.ada, place) == edited


async def test_of_two_edits_at_once_the_last_stays(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    await asyncio.gather(*(actions.edit(cast.ada.actor, hello, f"version {number}") for number in range(6)))
    await actions.edit(cast.ada.actor, hello, "the last")
    assert (await only(cast.ada, place)).content == "the last"


async def test_nobody_edits_what_another_wrote(cast: Cast) -> None:
    place, hello = await said(cast.grace, cast.ada)
    for who, refusal in ((cast.ada, Forbidden), (cast.linus, NotFound)):
        with pytest.raises(refusal):
            await actions.edit(who.actor, hello, "not mine")
    with pytest.raises(NotFound):
        await actions.edit(cast.ada.actor, uuid4(), "nowhere")
    assert (await only(cast.ada, place)).content == "hello"


async def test_a_deleted_message_is_a_tombstone_and_cannot_be_edited(cast: Cast) -> None:
    place, hello = await said(cast.grace, cast.ada)
    for _ in range(2):
        await actions.delete(cast.grace.actor, hello)
    message = await only(cast.ada, place)
    assert (message.deleted, message.content) == (True, "")
    with pytest.raises(Invalid, match="This message was deleted"):
        await actions.edit(cast.grace.actor, hello, "back again")


async def test_whoever_runs_the_room_deletes_any_message(cast: Cast) -> None:
    place, hello = await said(cast.grace, cast.ada, cast.linus)
    with pytest.raises(Forbidden):
        await actions.delete(cast.linus.actor, hello)
    await rooms.change_role(cast.ada.actor, place, cast.linus.id, "admin")
    await actions.delete(cast.linus.actor, hello)
    assert (await only(cast.ada, place)).deleted


async def test_an_outsider_deletes_nothing(cast: Cast) -> None:
    _, hello = await said(cast.ada)
    for message in (hello, uuid4()):
        with pytest.raises(NotFound):
            await actions.delete(cast.linus.actor, message)


async def test_an_archived_room_stands_still_but_for_deleting(cast: Cast) -> None:
    place, hello = await said(cast.grace, cast.ada)
    await rooms.archive(cast.ada.actor, place)
    for verb in (actions.edit(cast.grace.actor, hello, "later"), actions.pin(cast.ada.actor, hello)):
        with pytest.raises(Invalid, match="This room is archived"):
            await verb
    await actions.delete(cast.grace.actor, hello)
    assert (await only(cast.ada, place)).deleted


@pytest.mark.parametrize("text", ["", " \n", "a\0", "\ud800", "a" * 10_001])
async def test_an_edit_says_something_that_can_be_stored(cast: Cast, text: str) -> None:
    place, hello = await said(cast.ada)
    with pytest.raises(Invalid, match="Message"):
        await actions.edit(cast.ada.actor, hello, text)
    assert (await only(cast.ada, place)).content == "hello"


async def test_any_member_pins_and_unpins(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    for _ in range(2):
        await actions.pin(cast.grace.actor, hello)
    assert (await only(cast.ada, place)).pinned
    assert [pin.id for pin in (await queries.load(place)).pinned] == [str(hello)]
    await actions.pin(cast.ada.actor, hello, pinned=False)
    assert not (await only(cast.ada, place)).pinned
    assert (await queries.load(place)).pinned == ()


async def test_what_cannot_be_pinned(cast: Cast) -> None:
    _, hello = await said(cast.ada)
    for who, message in ((cast.linus, hello), (cast.ada, uuid4())):
        with pytest.raises(NotFound):
            await actions.pin(who.actor, message)
    await actions.delete(cast.ada.actor, hello)
    with pytest.raises(Invalid, match="This message was deleted"):
        await actions.pin(cast.ada.actor, hello)


async def test_fifty_pins_are_enough_also_at_once(cast: Cast) -> None:
    place = await room(cast.ada)
    hellos = [UUID(hello.id) for hello in await say(cast.ada, place, *map(str, range(53)))]
    for hello in hellos[:47]:
        await actions.pin(cast.ada.actor, hello)
    outcomes = await asyncio.gather(
        *(actions.pin(cast.ada.actor, hello) for hello in hellos[47:]), return_exceptions=True
    )
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 3
    (extra,) = await say(cast.ada, place, "one more")
    with pytest.raises(Invalid, match="A room has 50 pinned messages"):
        await actions.pin(cast.ada.actor, UUID(extra.id))
    assert len((await queries.load(place)).pinned) == 50
