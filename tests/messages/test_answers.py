"""Replying and quoting as the product does it: what is refused is said in words, and outsiders learn nothing."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from chatapp.errors import ChatError, Invalid, NotAMember, NotFound
from chatapp.messages import actions, queries
from chatapp.messages.actions import Answer
from chatapp.messages.queries import Place
from chatapp.messages.snapshots import MessageSnapshot, QuoteSnapshot
from chatapp.rooms import actions as rooms
from chatapp.threads import actions as thread_actions
from chatapp.threads import queries as threads
from chatapp.threads.snapshots import Followed
from tests.cast import Cast, Someone, room, say


async def said(who: Someone, *others: Someone) -> tuple[UUID, MessageSnapshot]:
    place = await room(who, *others, private=True)
    return place, (await say(who, place, "hello"))[0]


async def answer(who: Someone, place: UUID, **to: str) -> MessageSnapshot:
    wanted = Answer(**{name: UUID(each) for name, each in to.items()})
    return await actions.post(who.actor, place, secrets.token_hex(8), "yes", wanted)


async def followed(who: Someone, place: UUID) -> list[Followed]:
    return [each.followed for each in await threads.followed_in([(place, who.id)])]


async def test_a_quote_is_read_with_its_authors_name(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    made = await answer(cast.grace, place, quote_id=hello.id)
    *_, read = await queries.newest(cast.grace.actor, place)
    assert read.quote == QuoteSnapshot(hello.id, 1, str(cast.ada.id), "Ada Lovelace", "hello")
    assert read.id == made.id


async def test_a_thread_is_read_by_pages(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    for _ in range(threads.PAGE + 3):
        await answer(cast.grace, place, parent_id=hello.id)
    last = await threads.thread(cast.ada.actor, place, UUID(hello.id))
    assert (last.parent.id, last.parent.replies) == (hello.id, threads.PAGE + 3)
    assert [each.reply_seq for each in last.replies] == list(range(4, threads.PAGE + 4))
    first = await threads.thread(cast.ada.actor, place, UUID(hello.id), below=4)
    assert [each.reply_seq for each in first.replies] == [1, 2, 3]


async def test_followed_threads_and_how_far_they_are_read(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace, cast.linus)
    await answer(cast.grace, place, parent_id=hello.id)
    assert await followed(cast.ada, place) == [Followed(hello.id, 1, 0)]
    assert await followed(cast.grace, place) == [Followed(hello.id, 1, 1)]
    assert await followed(cast.linus, place) == []
    await thread_actions.read(cast.ada.actor, UUID(hello.id), 1)
    assert await followed(cast.ada, place) == [Followed(hello.id, 1, 1)]


async def test_what_cannot_be_answered_is_said(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    _, elsewhere = await said(cast.grace)
    reply = await answer(cast.ada, place, parent_id=hello.id)
    gone = (await say(cast.ada, place, "gone"))[0]
    await actions.delete(cast.ada.actor, UUID(gone.id))
    not_here = "The message that this answers is not here."
    for to, sentence in (
        ({"parent_id": elsewhere.id}, not_here),
        ({"parent_id": str(uuid4())}, not_here),
        ({"parent_id": reply.id}, not_here),
        ({"quote_id": reply.id}, not_here),
        ({"quote_id": gone.id}, "This message was deleted."),
        ({"parent_id": hello.id, "quote_id": hello.id}, "A reply cannot quote."),
    ):
        with pytest.raises(Invalid) as refused:
            await answer(cast.grace, place, **to)
        assert refused.value.message == sentence


async def test_a_stranger_to_the_room_learns_nothing_of_its_threads(cast: Cast) -> None:
    place, hello = await said(cast.ada, cast.grace)
    await answer(cast.grace, place, parent_id=hello.id)
    asked: list[tuple[type[ChatError], Callable[[], Awaitable[object]]]] = [
        (NotAMember, lambda: answer(cast.linus, place, parent_id=hello.id)),
        (NotAMember, lambda: answer(cast.linus, place, quote_id=hello.id)),
        (NotFound, lambda: threads.thread(cast.linus.actor, place, UUID(hello.id))),
    ]
    for refusal, ask in asked:
        with pytest.raises(refusal):
            await ask()
    assert await queries.place(cast.linus.actor, place, UUID(hello.id)) is None
    await rooms.remove_member(cast.ada.actor, place, cast.grace.id)
    assert await followed(cast.grace, place) == []
    with pytest.raises(NotFound):
        await threads.thread(cast.grace.actor, place, UUID(hello.id))


async def test_where_a_message_is(cast: Cast) -> None:
    place, hello = await said(cast.ada)
    other, _ = await said(cast.ada)
    reply = await answer(cast.ada, place, parent_id=hello.id)
    assert await queries.place(cast.ada.actor, place, UUID(hello.id)) == Place(1)
    assert await queries.place(cast.ada.actor, place, UUID(reply.id)) == Place(2, hello.id, 1, 1)
    assert await queries.place(cast.ada.actor, other, UUID(hello.id)) is None
