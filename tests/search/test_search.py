"""FEATURES 5.1: search in the rooms I am in, against a real Postgres and as the people themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chatapp.errors import ChatError, Invalid, Unavailable
from chatapp.messages import actions as messages
from chatapp.messages import queries as message_queries
from chatapp.messages.actions import Answer
from chatapp.rooms import actions as rooms
from chatapp.search import queries
from chatapp.search.snapshots import Results, Wanted
from tests import cast as people
from tests.cast import Cast, Someone, room, say
from tests.conftest import Sql


async def find(who: Someone, text: str, **options: Any) -> Results:
    return await queries.search(who.actor, Wanted.of(text), **options)


async def texts(who: Someone, text: str, **options: Any) -> list[str]:
    """What was found says, whole as it is short."""
    return ["".join(part.text for part in each.parts) for each in (await find(who, text, **options)).found]


async def hits(who: Someone, text: str) -> list[str]:
    """What is marked in the first message found."""
    return [part.text for part in (await find(who, text)).found[0].parts if part.hit]


async def said_at(psql: Sql, moment: str, *message_ids: str) -> None:
    """Move messages in time, which nobody can but who owns the table."""
    off, on = ("alter table chat_messages disable trigger {}", "alter table chat_messages enable trigger {}")
    async with psql.transaction():
        await psql.execute(off.format("stamp_message"))
        await psql.execute(
            f"update chat_messages set created_at = {moment} where id = any (%s::uuid[])", (list(message_ids),)
        )
        await psql.execute(on.format("stamp_message"))


@pytest.fixture
async def ann(cast: Cast) -> Someone:
    """Somebody new: nothing but a test's own messages is hers to find."""
    return await people.someone("Ann Alpha")


async def test_finds_what_has_all_of_the_words_newest_first(ann: Someone) -> None:
    place = await room(ann, name="Kitchen")
    said = ["red apples", "green apples", "red pears", "Apples are RED"]
    sent = await say(ann, place, *said)
    assert await texts(ann, "red apples") == ["Apples are RED", "red apples"]
    [first, _] = (await find(ann, "red apples")).found
    assert (first.id, first.room, first.author) == (sent[3].id, "Kitchen", "Ann Alpha")
    assert first.path == f"/chat/{place}?m={sent[3].id}"
    assert await hits(ann, "red apples") == ["Apples", "RED"]


@pytest.mark.parametrize(
    ("said", "asked", "hit"),
    [
        ("We deployed it twice", "deploy", ["deployed"]),  # what a word begins with
        ("Café crème", "cafe creme", ["Café", "crème"]),
        ("cafe creme", "café", ["cafe"]),
        ("今日天气很好", "天气", ["天气"]),  # no spaces to tell words by
        ("東京タワーに行く", "タワー", ["タワー"]),
        ("서울역에 가요", "서울", ["서울"]),
        ("สวัสดีครับ", "สวัสดี", None),
        ("see src/chatapp/db.py", "chatapp", ["chatapp"]),
        ("see src/chatapp/db.py", "db.py", ["db", "py"]),
        ("write to ada@example.com", "example", ["example"]),
        ("use List<String> here", "string", ["String"]),
        ("<script>alert(1)</script>", "alert", ["alert"]),
        ("on 2026-01-31 at 12:30", "2026-01", ["2026", "01"]),
        ("snake_case_name", "case", ["case"]),
        ("it is version 1.25 now", "1.25", ["1", "25"]),
        ("Straße und Größe", "größe", ["Größe"]),
        ("«quoted» words", "quoted", ["quoted"]),
    ],
)
async def test_what_counts_as_a_word(ann: Someone, said: str, asked: str, hit: list[str] | None) -> None:
    await say(ann, await room(ann), said, "something else")
    assert await texts(ann, asked) == [said]
    if hit is not None:
        assert await hits(ann, asked) == hit


async def test_quotes_mean_these_words_in_this_order(ann: Someone) -> None:
    await say(ann, await room(ann), "the red house", "the house is red", "the redder house")
    assert await texts(ann, '"red house"') == ["the red house"]
    assert await texts(ann, '"天气') == []


async def test_one_finds_nothing_of_rooms_one_is_not_in(ann: Someone, cast: Cast) -> None:
    ben = await people.someone("Ben Beta")
    word = f"w{uuid4().hex}"
    shared, other = await room(ann, ben), await room(ann, name="Alone")
    await say(ann, shared, f"{word} for both")
    await say(ann, other, f"{word} for me")
    assert await texts(ann, word) == [f"{word} for me", f"{word} for both"]  # the premise
    assert await texts(ben, word) == [f"{word} for both"]
    assert await texts(cast.linus, word) == []
    assert (await find(cast.linus, word[:-2] + "zz")).found == ()  # nor anything that is spelled alike
    with pytest.raises(Invalid, match="You are in no room called Alone"):
        await find(ben, f"{word} in:Alone")
    with pytest.raises(Invalid, match="Nobody in your rooms is called Ann Alpha"):
        await find(cast.linus, f'{word} from:"Ann Alpha"')
    await rooms.remove_member(ann.actor, shared, ben.id)
    assert await texts(ben, word) == []


async def test_the_policies_judge_again_what_the_function_has_found(ann: Someone, psql: Sql) -> None:
    # Whatever the function that reads past the policies should ever answer, the person reads it under them.
    word = f"w{uuid4().hex}"
    await say(ann, await room(ann), word)
    outsider = await people.someone("Ben Beta")
    found = await psql.execute("select pg_get_functiondef(oid) def from pg_proc where proname = 'find_messages'")
    row = await found.fetchone()
    assert row
    try:
        careless = row["def"].replace(
            "private.my_room_ids() r", "(select every.id from public.chat_rooms every) as all_rooms(r)"
        )
        assert careless != row["def"]
        await psql.execute(careless)
        assert await texts(ann, word) == [word]
        assert await texts(outsider, word) == []
    finally:
        await psql.execute(row["def"])


async def test_edited_and_deleted_messages_are_found_by_what_they_say_now(ann: Someone) -> None:
    [one, two] = await say(ann, await room(ann), "first draught", "second draught")
    await messages.edit(ann.actor, UUID(one.id), "final words")
    await messages.delete(ann.actor, UUID(two.id))
    assert await texts(ann, '"draught"') == []
    assert await texts(ann, "final") == ["final words"]
    assert await texts(ann, "from:me") == ["final words"]


async def test_operators_narrow_the_search(ann: Someone, psql: Sql) -> None:
    ben = await people.someone("Ben Beta")
    kitchen, garden = await room(ann, ben, name="Kitchen"), await room(ann, ben, name="The garden")
    [old, _] = await say(ann, kitchen, "old soup", "new soup at https://example.com/soup")
    await say(ben, garden, "soup outside")
    await said_at(psql, "'2026-01-31 12:00Z'", old.id)
    new, outside = "new soup at https://example.com/soup", "soup outside"
    assert await texts(ann, "soup in:kitchen") == [new, "old soup"]
    assert await texts(ann, 'soup in:"the garden"') == [outside]
    assert await texts(ann, "soup in:#garden") == [outside]
    assert await texts(ann, "soup FROM:ben") == [outside]
    assert await texts(ann, "soup from:@Ann") == [new, "old soup"]
    assert await texts(ben, "from:me") == [outside]
    assert await texts(ann, "soup has:link") == [new]
    assert await texts(ann, "has:link") == [new]
    assert await texts(ann, "soup after:2026-02-01") == [outside, new]
    assert await texts(ann, "soup after:2026-01-31 before:2026-02-01") == ["old soup"]
    assert await texts(ann, "soup before:2026-01-31") == []
    assert await texts(ann, "soup before:today") == ["old soup"]
    assert await texts(ann, "soup in:kitchen from:ben") == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "The search is empty"),
        ("  \n ", "The search is empty"),
        ('""', "Type what to search for"),
        ("x" * 201, "too long"),
        ("a\0b", "cannot be stored"),
        ("\ud800", "cannot be stored"),
        ("before:soon", "soon is no day"),
        ("after:2026-02-31", "no day"),
        ("after:２０２６-01-01", "no day"),
        ("has:money", "has:link"),
        ('in:""', "Say what should come after in:"),
        (" ".join("abcdefghijk"), "10 words at the most"),
        ("in:nowhere-at-all", "You are in no room called nowhere-at-all."),
        ("from:%", "Nobody in your rooms is called %."),
    ],
)
async def test_what_cannot_be_searched_for_is_told(ann: Someone, asked: str, told: str) -> None:
    with pytest.raises(ChatError, match=told):
        await find(ann, asked)


@pytest.mark.parametrize(
    "asked",
    [
        "'", "''", "\\", "' or 1=1 --", "'); drop table chat_messages; --", "foo:*", "foo & | ! bar", "<-> a <2> b",
        "a:b:c", "%s %(x)s {0}", ":wanted", "\x01link", "\x02\x03\x1f", "<b>", "&lt;", "🎉", "e\u0301", "\u202e abc",
        "-- /*", '"unclosed phrase', "link", "((((((", "!!!", "*", "$1", "\uffff", "天" * 150, "ftp://", "a'b''c",
        "x" * 199,
    ],
)  # fmt: skip
async def test_hostile_texts_find_only_what_says_so(ann: Someone, asked: str) -> None:
    await say(ann, await room(ann), "nothing of the kind", "see https://example.com")
    assert await texts(ann, asked) == []


async def test_what_is_found_is_text_and_as_it_was_written(ann: Someone) -> None:
    said = "<img src=x onerror=alert(1)> & \"q\" 'x' a/b.c@d:e-f+g &amp; \x02fake\x03 tail"
    await say(ann, await room(ann), said)
    assert await texts(ann, "tail") == [said.replace("\x02", "").replace("\x03", "")]
    assert await hits(ann, "onerror") == ["onerror"]


async def test_long_messages_show_the_part_around_the_words(ann: Someone) -> None:
    await say(ann, await room(ann), "blah " * 900 + "the needle is here " + "blah " * 900)
    [found] = await texts(ann, "needle")
    assert "needle" in found
    assert len(found) < 400
    assert (found[0], found[-1]) == ("…", "…")


async def test_dots_stand_only_where_something_is_left_out(ann: Someone) -> None:
    long = "word " * 90
    await say(ann, await room(ann), f"First the *anchor*, then {long}", f"{long}and last the 日本 buoy.")
    for asked, begins, ends in (("anchor", "First the", "…"), ("buoy", "…", "日本 buoy.")):
        [found] = await texts(ann, asked)
        assert found.startswith(begins)
        assert found.rstrip().endswith(ends)
    [misspelled] = (await find(ann, "anhcor")).found
    shown = "".join(part.text for part in misspelled.parts)
    assert (shown[:5], shown[-1]) == ("First", "…")


async def test_misspelled_words_find_what_is_spelled_alike(ann: Someone) -> None:
    await say(ann, await room(ann), "the deployment failed", "lunch is ready")
    found = await find(ann, "deploymnet")
    assert found.alike
    assert ["".join(part.text for part in each.parts) for each in found.found] == ["the deployment failed"]
    assert not (await find(ann, "deployment")).alike
    assert (await find(ann, "zzyzx")).found == ()


async def test_pages_follow_one_another_without_holes_or_doubles(ann: Someone, psql: Sql) -> None:
    place = await room(ann)
    sent = await say(ann, place, *(f"soup {number}" for number in range(45)))
    # Many at the same moment, as an import has them.
    await said_at(psql, "date_trunc('day', created_at)", *(message.id for message in sent))
    found, last = list[str](), None
    for expected in (20, 20, 5):
        page = await find(ann, "soup", last=last)
        assert len(page.found) == expected
        found += [each.id for each in page.found]
        last = page.last
    assert last is None
    assert sorted(found) == sorted(message.id for message in sent)


async def test_best_puts_what_fits_best_first(ann: Someone) -> None:
    await say(ann, await room(ann), "soup soup soup", "today there is nothing but a soup, and it has been so for days")
    assert (await texts(ann, "soup"))[0].startswith("today")
    assert (await texts(ann, "soup", best=True))[0] == "soup soup soup"
    assert (await find(ann, "soup", best=True)).last is None


async def test_a_link_to_a_reply_opens_its_thread(ann: Someone) -> None:
    place = await room(ann)
    [first] = await say(ann, place, "question")
    reply = await messages.post(ann.actor, place, "r1", "the answer", Answer(parent_id=UUID(first.id)))
    [found] = (await find(ann, "answer")).found
    assert found.path.endswith(reply.id)
    assert await message_queries.place(ann.actor, place, UUID(found.id))


async def test_what_takes_too_long_is_ended_and_told(ann: Someone, psql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SECONDS", "50ms")
    place = await room(ann)
    await say(ann, place, "soup")
    async with await psycopg.AsyncConnection.connect(psql.info.dsn, password=psql.info.password) as owner:
        await owner.execute(
            "lock table public.chat_messages in access exclusive mode"
        )  # held until the end of the block
        with pytest.raises(Unavailable, match="takes too long to find"):
            await find(ann, "soup")


async def test_nobody_has_many_searches_going(ann: Someone, psql: Sql) -> None:
    await say(ann, await room(ann), "soup")
    async with await psycopg.AsyncConnection.connect(psql.info.dsn, password=psql.info.password) as owner:
        await owner.execute("lock table public.chat_messages in access exclusive mode")
        going = [asyncio.create_task(find(ann, "soup")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="still going on"):
            await find(ann, "soup")
        await owner.rollback()
        assert [len(each.found) for each in await asyncio.gather(*going)] == [1, 1]
    assert not queries._running
    assert len((await find(ann, "soup")).found) == 1


def test_days_are_days() -> None:
    wanted = Wanted.of("after:2026-01-31")
    assert wanted.since is not None
    assert wanted.since.utcoffset() == timedelta(0)
