"""Two people at two sockets of the real app, no browser: what one does, the other has at once, once and in order."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest

from tests.tab import OPEN_ROOM, ROOM_LIST, TAB, TIMELINE

from .conftest import Company, Place


async def test_a_message_is_in_the_other_tab_exactly_once(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "hello")
        await grace.until(lambda tab: "hello" in tab.texts)
        await ada.until(lambda tab: "hello" in tab.texts)
        assert grace.texts.count("hello") == 1
        assert grace.rows[-1]["author"] == "Ada Lovelace"


async def test_a_hundred_messages_both_ways_arrive_once_and_in_one_order(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        said = [(tab, f"{name} {n}") for n in range(50) for tab, name in ((ada, "ada"), (grace, "grace"))]
        await asyncio.gather(*(tab.send(place.id, text) for tab, text in said))
        for tab in (ada, grace):
            await tab.until(lambda tab: len(tab.texts) == 100)
        assert sorted(ada.texts) == sorted(text for _, text in said)
        for name in ("ada", "grace"):
            assert [text for text in ada.texts if text.startswith(name)] == [f"{name} {n}" for n in range(50)]
        assert ada.texts == grace.texts
        assert [row["seq"] for row in ada.rows] == list(range(1, 101))


async def test_a_retry_makes_no_second_row(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        client_id = await ada.send(place.id, "once")
        await grace.until(lambda tab: "once" in tab.texts)
        for _ in range(5):
            await ada.send(place.id, "once", client_id)
        await ada.send(place.id, "after")
        await grace.until(lambda tab: "after" in tab.texts)
        assert grace.texts == ["once", "after"]


async def test_a_row_written_by_hand_comes_alive(place: Place, company: Company) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        with psycopg.connect(company.owner_url, autocommit=True) as psql:
            psql.execute(
                "insert into chat_messages (room_id, user_id, client_id, content)"
                " values (%s, %s, gen_random_uuid(), %s)",
                (place.id, place.user_id("ada"), "from psql"),
            )
        for tab in (ada, grace):
            await tab.until(lambda tab: tab.texts == ["from psql"])


async def test_what_was_said_while_a_tab_was_away_is_there_on_return(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "before")
        await grace.until(lambda tab: "before" in tab.texts)
        await grace.cut()
        await ada.send(place.id, "meanwhile")
        await ada.until(lambda tab: "meanwhile" in tab.texts)
        back = await place.tab("grace", token=grace.token)
        await back.until(lambda tab: tab.texts == ["before", "meanwhile"])
        await ada.send(place.id, "after")
        await back.until(lambda tab: tab.texts == ["before", "meanwhile", "after"])
        await back.close()


async def test_an_edit_and_a_deletion_travel_the_same_way(place: Place, company: Company) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "tpyo")
        await ada.send(place.id, "gone")
        await grace.until(lambda tab: len(tab.rows) == 2)
        with psycopg.connect(company.owner_url, autocommit=True) as psql:
            psql.execute("update chat_messages set content = 'typo' where room_id = %s and seq = 1", (place.id,))
            psql.execute("update chat_messages set deleted_at = now() where room_id = %s and seq = 2", (place.id,))
        await grace.until(
            lambda tab: tab.texts == ["typo", ""] and tab.rows[1].get("deleted") and tab.rows[0].get("edited")
        )


async def test_history_is_read_back_to_the_first_message(place: Place) -> None:
    await place.write(1200)
    async with place.tabs("ada") as (ada,):
        await ada.until(lambda tab: len(tab.rows) == 50)
        while ada.rows[0]["seq"] > 1:
            await ada.load_older()
        assert ada.rows[0]["content"] == "message 1"
        seqs = [row["seq"] for row in ada.rows]
        assert seqs == list(range(1, len(seqs) + 1))
        await ada.call(f"{TAB}.show_latest")
        await ada.until(lambda tab: tab.shared(TIMELINE, "window")["last"] == 0 and len(tab.rows) == 50)
        assert ada.rows[-1]["seq"] == 1200


async def test_a_tab_far_back_is_told_only_that_there_is_more(place: Place) -> None:
    await place.write(700)
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.until(lambda tab: len(tab.rows) == 50)
        while not (ada.shared(TIMELINE, "window") or {}).get("last"):
            await ada.load_older()
        shown = ada.texts
        await grace.send(place.id, "news")
        await ada.until(lambda tab: tab.shared(TIMELINE, "newest") == 701)
        assert ada.texts == shown


async def test_members_are_live(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        await ada.until(lambda tab: len(tab.shared(OPEN_ROOM, "members") or []) == 2)
        await place.join("linus")
        await ada.until(lambda tab: len(tab.shared(OPEN_ROOM, "members") or []) == 3)


async def test_a_removed_member_hears_nothing_more(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "for both")
        await grace.until(lambda tab: "for both" in tab.texts)
        await place.remove("grace")
        await grace.until(lambda tab: "/chat" in tab.redirects)
        frames = len(grace.frames)
        await ada.send(place.id, "for ada alone")
        await ada.until(lambda tab: "for ada alone" in tab.texts)
        later = str(grace.frames[frames:])
        assert "for ada alone" not in later


async def test_the_room_list_is_live(place: Place, company: Company) -> None:
    async with company.tab("linus", "/chat") as linus:
        await linus.until(lambda tab: tab.shared(ROOM_LIST, "rooms") is not None)
        assert place.id not in [room["id"] for room in linus.shared(ROOM_LIST, "rooms")]
        await place.join("linus")
        await linus.until(lambda tab: place.id in [room["id"] for room in tab.shared(ROOM_LIST, "rooms")])
        await place.rename("Renamed")
        await linus.until(lambda tab: "Renamed" in [room["name"] for room in tab.shared(ROOM_LIST, "rooms")])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Message is empty."),
        ("  \n\t ", "Message is empty."),
        ("a" * 10_001, "Message is too long: 10,001 of 10,000 characters."),
        ("a\0b", "Message contains characters that cannot be stored."),
        ("a\ud800b", "Message contains characters that cannot be stored."),
        ("a" * 100_000, "That is too much to send at once."),
    ],
)
async def test_what_cannot_be_stored_is_refused_in_a_sentence(place: Place, text: str, sentence: str) -> None:
    async with place.tabs("ada") as (ada,):
        await ada.send(place.id, text)
        await ada.until(lambda tab: sentence in tab.toasts)
        assert ada.texts == []


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם",
        "مرحبا",
        "👩‍👩‍👧‍👦 👍🏽",
        "e\u0301",
        "\u202egnp.exe",
        "<b>bold</b><script>alert(1)</script>",
        "a" * 10_000,
        "{{7*7}} %s '",
    ],
)
async def test_every_other_text_is_shown_exactly(place: Place, text: str) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, text)
        await grace.until(lambda tab: tab.texts == [text])


async def test_a_message_is_stored_trimmed(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        await ada.send(place.id, "  two words \n")
        await ada.until(lambda tab: tab.texts == ["two words"])


async def test_an_unknown_room_and_a_foreign_room_answer_alike(place: Place, company: Company) -> None:
    unknown = str(uuid4())
    for address in (place.id, unknown, "nonsense", "%00"):
        async with company.tab("linus", f"/chat/{address}") as linus:
            await linus.until(lambda tab, address=address: tab.var(TAB, "missing") == address)
            assert linus.rows == []
            assert linus.shared(OPEN_ROOM, "room") is None
