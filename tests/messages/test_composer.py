"""What the composer does with sends that are repeated while the first is still on its way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatapp import gate
from chatapp.messages import actions
from chatapp.messages.state import Composer, Outcome, _post_once
from tests.cast import Cast, room, say
from tests.conftest import Sql


async def test_repetitions_join_the_attempt_that_is_on_its_way(
    cast: Cast, psql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, post, attempts = await room(cast.ada), actions.post, list[str]()

    async def counted(actor: Any, room_id: Any, client_id: str, *said: Any) -> Any:
        attempts.append(client_id)
        return await post(actor, room_id, client_id, *said)

    monkeypatch.setattr(actions, "post", counted)
    token = gate._actor.set(cast.ada.actor)
    try:
        async with psql.transaction():
            await psql.execute("select from chat_rooms where id = %s for update", [place])  # nobody can post
            repeated = [asyncio.create_task(_post_once(place, "same", "hello")) for _ in range(20)]
            other = asyncio.create_task(_post_once(place, "other", "hello"))
            while not attempts:  # noqa: ASYNC110  # what is waited for tells nobody
                await asyncio.sleep(0)
        await asyncio.gather(*repeated, other)
        await _post_once(place, "same", "hello")  # later, it is an attempt of its own
    finally:
        gate._actor.reset(token)
    assert attempts == ["same", "other", "same"]
    [stored] = await (await psql.execute("select last_seq from chat_rooms where id = %s", [place])).fetchall()
    assert stored["last_seq"] == 2
    assert [message.seq for message in await say(cast.ada, place, "next")] == [3]


def test_outcomes_are_kept_as_they_are() -> None:
    composer = Composer(_reflex_internal_init=True)  # type: ignore[call-arg]  # Reflex's own way to make one, undeclared
    for number in range(30):
        composer._remember(str(number), Outcome(number, stored=True))
    kept = composer.get_value("outcomes")
    assert list(kept) == [str(number) for number in range(10, 30)]
    assert {type(outcome) for outcome in kept.values()} == {Outcome}
    composer._remember("10", Outcome(2, stored=True))  # one that was refused before
    assert composer.get_value("outcomes")["10"] == Outcome(2, stored=True)
    assert len(composer.get_value("outcomes")) == 20
