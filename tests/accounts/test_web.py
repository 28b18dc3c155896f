"""The two routes of signing in and out, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from starlette.applications import Starlette

from chatapp import db, settings
from chatapp.accounts import actions, sessions, web
from chatapp.errors import Unavailable
from chatapp.settings import Settings
from tests.cast import Cast, Someone

HERE = "https://chat.example"


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=web.routes))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


async def ticket_of(who: Someone) -> str:
    return await actions.sign_in(who.email, who.password)


async def cookie_of(who: Someone) -> str:
    return await actions.redeem(await ticket_of(who))


@pytest.mark.parametrize("site", [None, "same-origin", "same-site"])
async def test_a_ticket_becomes_a_cookie(cast: Cast, http: httpx.AsyncClient, site: str | None) -> None:
    answer = await http.get(
        web.SIGN_IN,
        params={"ticket": await ticket_of(cast.ada), "origin": HERE, "next": "/chat/1"},
        headers={"Sec-Fetch-Site": site} if site else {},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}/chat/1")
    actor = await sessions.resolve(http.cookies["__Host-chatapp_session"])
    assert actor
    assert actor.user_id == cast.ada.id
    told = answer.headers["set-cookie"].lower()
    assert all(word in told for word in ("secure", "httponly", "samesite=lax", "path=/"))
    assert "domain" not in told


@pytest.mark.parametrize("site", ["cross-site", "none", "", "nonsense"])
async def test_a_ticket_from_elsewhere_signs_nobody_in(cast: Cast, http: httpx.AsyncClient, site: str) -> None:
    ticket = await ticket_of(cast.ada)
    params = {"ticket": ticket, "origin": HERE}
    answer = await http.get(web.SIGN_IN, params=params, headers={"Sec-Fetch-Site": site})
    assert (answer.headers["location"], "set-cookie" in answer.headers) == (f"{HERE}/sign-in", False)
    assert await actions.redeem(ticket)  # it was not even used up


@pytest.mark.parametrize(
    ("origin", "back"),
    [
        ("https://chat.example:8443", "https://chat.example:8443"),
        ("http://chat.example:3000", "http://chat.example:3000"),
        ("https://evil.example", ""),
        ("https://chat.example@evil.example", ""),
        ("https://evil.example@chat.example", "https://chat.example"),
        ("javascript://chat.example", ""),
        ("//[", ""),
        ("https://[", ""),
        ("https://\u2100", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("route", [web.SIGN_IN, web.SIGN_OUT])
async def test_one_comes_back_to_this_host_alone(
    http: httpx.AsyncClient, cast: Cast, route: str, origin: str, back: str
) -> None:
    answer = await http.get(route, params={"origin": origin, "ticket": "no such ticket"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{back}/sign-in")


@pytest.mark.parametrize(("origin", "name"), [(HERE, "__Host-chatapp_session"), ("", "chatapp_session")])
async def test_the_cookie_of_a_session_that_is_over_is_forgotten(
    cast: Cast, http: httpx.AsyncClient, origin: str, name: str
) -> None:
    value = await cookie_of(cast.ada)
    actor = await sessions.resolve(value)
    assert actor
    await actions.sign_out(actor)
    answer = await http.get(web.SIGN_OUT, params={"origin": origin}, headers={"Cookie": f"{name}={value}"})
    assert answer.headers["set-cookie"].startswith(f'{name}="";')
    assert "max-age=0" in answer.headers["set-cookie"].lower()


async def test_a_link_from_elsewhere_signs_nobody_out(cast: Cast, http: httpx.AsyncClient) -> None:
    # Nor does the late request of somebody who signed out, once another has signed in here.
    cookie = {"Cookie": f"__Host-chatapp_session={await cookie_of(cast.grace)}"}
    answer = await http.get(web.SIGN_OUT, params={"origin": HERE}, headers=cookie)
    assert (answer.headers["location"], "set-cookie" in answer.headers) == (f"{HERE}/sign-in", False)


async def test_a_session_that_another_process_ended_is_over_at_once(cast: Cast, http: httpx.AsyncClient) -> None:
    value = await cookie_of(cast.ada)
    actor = await sessions.resolve(value)
    assert actor
    await actions.sign_out(actor)
    sessions._ended.pop(sessions.hashed(value))
    sessions._keep(sessions._known, sessions.hashed(value), (float("inf"), actor))
    answer = await http.get(web.SIGN_OUT, headers={"Cookie": f"chatapp_session={value}"})
    assert "set-cookie" in answer.headers
    sessions.forget(actor.session_id)


async def test_nobody_is_signed_out_because_the_database_is_away(
    cast: Cast, http: httpx.AsyncClient, project: Settings
) -> None:
    cookie = {"Cookie": f"chatapp_session={await cookie_of(cast.ada)}"}
    await db.dispose()
    settings.use(project.model_copy(update={"database_url": SecretStr("postgresql://postgres:x@127.0.0.1:1/postgres")}))
    try:
        with pytest.raises(Unavailable):
            await sessions.open_ids(["00"])
        answer = await http.get(web.SIGN_OUT, headers=cookie)
    finally:
        await db.dispose()
        settings.use(project)
    assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
