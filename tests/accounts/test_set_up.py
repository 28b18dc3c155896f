"""Accounts that were invited by mail: a name, a password, and in."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from chatapp.accounts import actions, queries, sessions
from chatapp.errors import ChatError
from chatapp.settings import Settings
from chatapp.supabase import auth


async def invited(project: Settings, address: str) -> dict[str, str]:
    """What the link in somebody's invitation leads on with."""
    await auth.invite(address, "http://localhost:3000/welcome")
    async with httpx.AsyncClient() as http:
        mail, *_ = (await http.get(f"{project.supabase_url}/outbox.json", params={"to": address})).json()
        opened = await http.get(mail["link"])
    said = parse_qs(urlsplit(opened.headers["location"]).fragment)
    return {name: said[name][0] for name in ("access_token", "refresh_token")}


async def test_who_was_invited_signs_in_from_then_on(project: Settings) -> None:
    address = f"new-{uuid4().hex[:8]}@example.com"
    ticket = await actions.set_up(**await invited(project, address), name=" New Here ", password="a long password")
    someone = await queries.actor_of(sessions.hashed(await actions.redeem(ticket)))
    assert someone
    assert (await queries.profile(someone)).name == "New Here"
    assert await actions.sign_in(address, "a long password")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\0", "é" * 9, "x" * 5000, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."])
async def test_other_tokens_are_refused(project: Settings, token: str) -> None:
    with pytest.raises(ChatError):
        await actions.set_up(token, token, "Somebody", "a long password")


async def test_a_password_is_asked_of_them_as_of_everybody(project: Settings) -> None:
    tokens = await invited(project, f"new-{uuid4().hex[:8]}@example.com")
    with pytest.raises(ChatError, match="at least 8"):
        await actions.set_up(**tokens, name="New Here", password="short")
