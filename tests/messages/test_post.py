"""Posting: what is stored, what is refused, and that repeating it is harmless."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from chatapp.accounts import actions as accounts
from chatapp.errors import ChatError, Invalid, NotAMember
from chatapp.messages import actions, queries
from chatapp.rooms import actions as rooms
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql


async def test_a_message_is_numbered_and_signed(cast: Cast) -> None:
    place = await room(cast.ada)
    first, second = await say(cast.ada, place, "hello", "again")
    assert (first.seq, first.rev, second.seq, second.rev) == (1, 2, 2, 3)
    assert (first.author, first.user_id, first.content) == ("Ada Lovelace", str(cast.ada.id), "hello")
    assert (first.edited_at, first.deleted) == ("", False)
    assert first.created_at.endswith("Z")


async def test_what_post_returns_is_what_others_read(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    said = await say(cast.ada, place, "hello", "again")
    assert list(await queries.newest(cast.grace.actor, place)) == said


@pytest.mark.parametrize(
    "content",
    [
        "x",
        "x" * 10_000,
        "👩‍🚀" * 3333,
        "👨‍👩‍👧‍👦 🏳️‍🌈 é",
        "مرحبا بالعالم",
        "שלום \u202eabc\u202c",
        "line one\n\n  line two\ttab",
        "'; drop table chat_messages; -- %s %(x)s :y {z}",
        "<script>alert(1)</script>",
        "\u200b",
        "\ufffe\U0010ffff\x01\x7f",
    ],
    ids=repr,
)
async def test_texts_are_kept_exactly(cast: Cast, content: str) -> None:
    place = await room(cast.ada)
    assert (await actions.post(cast.ada.actor, place, "c", content)).content == content
    assert [message.content for message in await queries.newest(cast.ada.actor, place)] == [content]


async def test_texts_are_trimmed(cast: Cast) -> None:
    place = await room(cast.ada)
    assert (await actions.post(cast.ada.actor, place, "c", " \n hello\u00a0\n ")).content == "hello"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "Message is empty."),
        (" \n\t\u00a0\u2003", "Message is empty."),
        ("x" * 10_001, "Message is too long: 10,001 of 10,000 characters."),
        ("x" * 100_000, "Message is too long: 100,000 of 10,000 characters."),
        ("a\0b", "Message contains characters that cannot be stored."),
        ("a\ud800b", "Message contains characters that cannot be stored."),
        ("\udfff", "Message contains characters that cannot be stored."),
        (None, "Message must be text."),
        (7, "Message must be text."),
        (["x"], "Message must be text."),
        ({"x": 1}, "Message must be text."),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_texts_that_cannot_be(cast: Cast, content: str, sentence: str) -> None:
    place = await room(cast.ada)
    with pytest.raises(Invalid) as refused:
        await actions.post(cast.ada.actor, place, "c", content)
    assert refused.value.message == sentence
    assert await queries.newest(cast.ada.actor, place) == ()


@pytest.mark.parametrize("client_id", ["", "x" * 65, "\0", "\ud800", None, 7])
async def test_client_ids_that_cannot_be(cast: Cast, client_id: str) -> None:
    place = await room(cast.ada)
    with pytest.raises(Invalid):
        await actions.post(cast.ada.actor, place, client_id, "hello")


async def test_repeating_returns_the_row_that_is_there(cast: Cast) -> None:
    place = await room(cast.ada)
    first = await actions.post(cast.ada.actor, place, "same", "hello")
    await say(cast.ada, place, "in between")
    assert await actions.post(cast.ada.actor, place, "same", "a different text") == first
    assert len(await queries.newest(cast.ada.actor, place)) == 2


async def test_repeating_at_once(cast: Cast) -> None:
    place = await room(cast.ada)
    posted = await asyncio.gather(*(actions.post(cast.ada.actor, place, "same", "hello") for _ in range(8)))
    assert len(set(posted)) == 1
    assert len(await queries.newest(cast.ada.actor, place)) == 1


async def test_two_people_may_use_the_same_client_id(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    for person in (cast.ada, cast.grace):
        await actions.post(person.actor, place, "same", "hello")
    assert len(await queries.newest(cast.ada.actor, place)) == 2


@pytest.mark.parametrize("private", [True, False])
async def test_outsiders_and_strangers_to_any_room(cast: Cast, private: bool) -> None:
    place = await room(cast.ada, private=private)
    for where in (place, uuid4()):
        with pytest.raises(NotAMember) as refused:
            await actions.post(cast.linus.actor, where, "c", "hello")
        assert refused.value.message == "Not a member of this room"
    assert await queries.newest(cast.ada.actor, place) == ()


async def test_who_was_removed_learns_nothing_by_repeating(cast: Cast) -> None:
    place = await room(cast.ada, cast.linus)
    await actions.post(cast.linus.actor, place, "same", "hello")
    await rooms.remove_member(cast.ada.actor, place, cast.linus.id)
    with pytest.raises(NotAMember):
        await actions.post(cast.linus.actor, place, "same", "hello")


async def test_an_archived_room_is_closed(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await psql.execute("update chat_rooms set archived_at = now() where id = %s", [place])
    with pytest.raises(Invalid, match=r"This room is archived\."):
        await actions.post(cast.ada.actor, place, "c", "hello")


async def test_every_refusal_is_a_sentence(cast: Cast) -> None:
    for content in ("", "\0", "x" * 20_000):
        with pytest.raises(ChatError) as refused:
            await actions.post(cast.ada.actor, uuid4(), "c", content)
        assert refused.value.message.endswith(".")


async def test_a_new_name_signs_what_comes_next(project: object) -> None:
    person = await someone("Before")
    place = await room(person)
    await accounts.rename(person.actor, "After")
    [said] = await say(person, place, "hello")
    assert said.author == "After"
