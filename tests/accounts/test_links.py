"""Links from mails and providers, over HTTP and with the stand-in's real mails: who comes in, and who does not."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from chatapp import settings
from chatapp.accounts import actions, attempts, flows, links, queries, sessions, web
from chatapp.accounts.flows import Flow
from chatapp.actor import Actor
from chatapp.errors import Invalid, NotFound
from chatapp.settings import Settings
from tests.cast import Someone, someone
from tests.conftest import Sql

from .project_with_provider import ProjectWithProvider

HERE = "http://localhost"
HEADERS = {"origin": HERE, "host": "localhost"}
NEW = "a better battery staple"


@dataclass
class Browser:
    """One browser: what the routes give it, it brings along again."""

    http: httpx.AsyncClient
    project: Settings
    seen: list[str] = field(default_factory=list)

    async def ask(self, ticket: str) -> None:
        assert (await self.http.get(web.flow_url(HEADERS, ticket))).headers["location"] == f"{HERE}/check-inbox"

    async def open(self, address: str) -> str:
        """Where one ends who opens a link: the path."""
        async with httpx.AsyncClient() as elsewhere:
            back = (await elsewhere.get(address)).headers["location"]
        self.seen.append(back)
        return await self.come_back(back)

    async def come_back(self, address: str) -> str:
        return (await self.http.get(address)).headers["location"].removeprefix(HERE)

    def cookie(self, name: str) -> str:
        return str(self.http.cookies.get(name, ""))

    async def actor(self) -> Actor | None:
        return await queries.actor_of(sessions.hashed(self.cookie("chatapp_session")))


async def a_browser(project: Settings) -> Browser:
    transport = httpx.ASGITransport(app=Starlette(routes=web.routes))
    return Browser(httpx.AsyncClient(transport=transport, base_url=HERE), project)


@pytest_asyncio.fixture
async def browser(project: Settings) -> AsyncIterator[Browser]:
    yield await a_browser(project)


@pytest_asyncio.fixture
async def other(project: Settings) -> AsyncIterator[Browser]:
    yield await a_browser(project)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "ANSWER_AFTER", 0.0)


async def mails(project: Settings, to: str) -> list[dict[str, str]]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{project.supabase_url}/outbox.json", params={"to": to})
    return list(answer.json())


async def newest_link(project: Settings, to: str) -> str:
    return (await mails(project, to))[0]["link"]


async def ask_link(browser: Browser, who: Someone, next_path: str = "/chat/browse") -> str:
    await browser.ask(await links.ask_for_link(who.email, web.landing(HEADERS), next_path))
    return await newest_link(browser.project, who.email)


async def ask_reset(browser: Browser, who: Someone) -> str:
    await browser.ask(await links.ask_for_reset(who.email, web.landing(HEADERS), "/chat"))
    return await newest_link(browser.project, who.email)


# --- a link that signs in ------------------------------------------------------------------------------------------


async def test_a_link_signs_in_and_leads_to_what_was_asked_for(browser: Browser) -> None:
    ada = await someone("Ada")
    assert await browser.open(await ask_link(browser, ada)) == "/chat/browse"
    actor = await browser.actor()
    assert actor
    assert actor.user_id == ada.id
    assert not browser.cookie("chatapp_flow")


async def test_a_link_signs_in_once(browser: Browser) -> None:
    ada = await someone("Ada")
    link = await ask_link(browser, ada)
    flow = browser.cookie("chatapp_flow")
    assert await browser.open(link) == "/chat/browse"
    browser.http.cookies.clear()
    browser.http.cookies.set("chatapp_flow", flow, domain="localhost.local")
    assert await browser.open(link) == "/mail-link?told=bad"
    assert await browser.come_back(browser.seen[0]) == "/mail-link?told=bad"  # nor does the code that it led to
    assert not browser.cookie("chatapp_session")


async def test_a_link_that_somebody_else_opens_signs_nobody_in(browser: Browser, other: Browser) -> None:
    ada, grace = await someone("Ada"), await someone("Grace")
    link = await ask_link(browser, ada)
    await ask_link(other, grace)  # a flow of their own proves nothing about this one
    assert await other.open(link) == "/mail-link?told=bad"
    assert not other.cookie("chatapp_session")


async def test_a_code_from_elsewhere_signs_nobody_in_as_somebody_else(browser: Browser, other: Browser) -> None:
    mallory = await someone("Mallory")
    async with httpx.AsyncClient() as client:
        code = (await client.get(await ask_link(other, mallory))).headers["location"]
    assert await browser.come_back(code) == "/mail-link?told=bad"
    assert not browser.cookie("chatapp_session")


async def test_an_expired_link_says_so(browser: Browser, psql: Sql) -> None:
    ada = await someone("Ada")
    link = await ask_link(browser, ada)
    await psql.execute(
        "update auth.one_time_tokens set created_at = created_at - interval '61 minutes' where user_id = %s", [ada.id]
    )
    assert await browser.open(link) == "/mail-link?told=bad"


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_link_leads_nowhere_but_into_this_site(browser: Browser, target: str) -> None:
    assert await browser.open(await ask_link(browser, await someone("Ada"), target)) == "/chat"


async def test_nobody_learns_whether_an_address_is_known(browser: Browser, project: Settings) -> None:
    ada, nobody = await someone("Ada"), f"{secrets.token_hex(8)}@example.com"
    for ask in (links.ask_for_link, links.ask_for_reset):
        for email in (ada.email, nobody):
            await browser.ask(await ask(email, web.landing(HEADERS), "/chat"))
    assert await mails(project, nobody) == []
    assert len(await mails(project, ada.email)) == 2


async def test_mails_to_an_address_are_limited_whether_or_not_it_is_known(project: Settings) -> None:
    for email in ((await someone("Ada")).email, f"{secrets.token_hex(8)}@example.com"):
        for _ in range(attempts.MAILS):
            await links.ask_for_reset(email, web.landing(HEADERS), "/chat")
        with pytest.raises(Invalid, match="Too many emails"):
            await links.ask_for_link(email.upper(), web.landing(HEADERS), "/chat")
        assert len(await mails(project, email)) <= attempts.MAILS


# --- where links lead ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://chat.example", "host": "evil.example"},
        {"origin": "https://evil.example", "host": "chat.example"},
        {"origin": "", "host": "evil.example"},
        {"origin": "https://[", "host": "["},
        {"origin": "https://chat.example", "host": "evil.example\\@chat.example"},
        {},
    ],
)
def test_a_link_leads_back_to_the_pages_own_host(headers: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        web.landing(headers)


def test_in_development_pages_and_backend_are_two_ports_of_one_host() -> None:
    landing = urlsplit(web.landing({"origin": "http://localhost:3000", "host": "localhost:8000"}))
    assert (landing.netloc, landing.path) == ("localhost:8000", web.COME_BACK)
    assert parse_qs(landing.query) == {"origin": ["http://localhost:3000"]}


@pytest.mark.parametrize("site", ["cross-site", "none", ""])
async def test_a_flow_begins_on_this_site_alone(browser: Browser, site: str) -> None:
    ticket = Flow(kind="provider", verifier="v", next_path="/", leads_to="https://provider.example").sealed("ticket")
    answer = await browser.http.get(web.flow_url(HEADERS, ticket), headers={"Sec-Fetch-Site": site})
    assert (answer.headers["location"], "set-cookie" in answer.headers) == (f"{HERE}/sign-in", False)


async def test_a_flow_nobody_sealed_leads_nowhere(browser: Browser) -> None:
    cookie = Flow(kind="link", verifier="v", next_path="/").sealed("cookie")
    for ticket in ("", "x", "\u2603", cookie):
        answer = await browser.http.get(web.flow_url(HEADERS, ticket))
        assert (answer.headers["location"], "set-cookie" in answer.headers) == (f"{HERE}/sign-in", False)


def test_a_flow_is_what_it_was_sealed_as_and_not_for_long(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow(kind="link", verifier="secret", next_path="/chat")
    ticket, cookie = flow.sealed("ticket"), flow.sealed("cookie")
    assert Flow.opened(ticket, "ticket") == Flow.opened(cookie, "cookie") == flow
    assert Flow.opened(ticket, "cookie") is Flow.opened(cookie, "ticket") is None
    assert "secret" not in ticket
    monkeypatch.setattr(flows, "LASTS", {"ticket": -1, "cookie": -1})
    assert Flow.opened(ticket, "ticket") is Flow.opened(cookie, "cookie") is None


# --- another password ----------------------------------------------------------------------------------------------


async def test_a_new_password_by_mail_ends_every_session_and_signs_in(browser: Browser, psql: Sql) -> None:
    ada = await someone("Ada")
    before = sessions.hashed(await actions.redeem(await actions.sign_in(ada.email, ada.password)))
    assert await browser.open(await ask_reset(browser, ada)) == "/reset-password"
    assert await browser.actor() is None  # the link alone signs nobody in
    value = browser.cookie("chatapp_reset")
    assert await links.may_reset(value)
    signed_in = await actions.redeem(await links.set_password(value, NEW))
    assert await queries.actor_of(sessions.hashed(signed_in))
    assert await queries.actor_of(before) is None
    left = await psql.execute("select count(*) as n from auth.sessions where user_id = %s", [ada.id])
    assert (await left.fetchone() or {})["n"] == 1
    assert await actions.sign_in(ada.email, NEW)
    with pytest.raises(Invalid, match="incorrect"):
        await actions.sign_in(ada.email, ada.password)


async def test_a_link_changes_a_password_once(browser: Browser) -> None:
    ada = await someone("Ada")
    link = await ask_reset(browser, ada)
    await browser.open(link)
    value = browser.cookie("chatapp_reset")
    await links.set_password(value, NEW)
    assert not await links.may_reset(value)
    with pytest.raises(Invalid, match="does not work any more"):
        await links.set_password(value, "yet another password")
    assert await browser.open(link) == "/mail-link?told=bad"
    assert await actions.sign_in(ada.email, NEW)


async def test_a_refused_password_can_be_chosen_better(browser: Browser) -> None:
    ada = await someone("Ada")
    await browser.open(await ask_reset(browser, ada))
    value = browser.cookie("chatapp_reset")
    for refused, sentence in (("short", "at least 8"), (ada.password, "same as the current")):
        with pytest.raises(Invalid, match=sentence):
            await links.set_password(value, refused)
    assert await links.set_password(value, NEW)


async def test_one_has_a_quarter_of_an_hour_to_choose(browser: Browser, psql: Sql) -> None:
    ada = await someone("Ada")
    await browser.open(await ask_reset(browser, ada))
    await psql.execute("update sessions set expires_at = now() where user_id = %s", [ada.id])
    assert not await links.may_reset(browser.cookie("chatapp_reset"))
    with pytest.raises(Invalid, match="does not work any more"):
        await links.set_password(browser.cookie("chatapp_reset"), NEW)


async def test_a_cookie_of_another_kind_changes_no_password(browser: Browser) -> None:
    ada = await someone("Ada")
    session = await actions.redeem(await actions.sign_in(ada.email, ada.password))
    for value in (session, await actions.sign_in(ada.email, ada.password), "", "guess", "\ud800"):
        with pytest.raises(Invalid, match="does not work any more"):
            await links.set_password(value, NEW)
    await browser.open(await ask_reset(browser, ada))
    assert await queries.actor_of(sessions.hashed(browser.cookie("chatapp_reset"))) is None  # nor does this one sign in


# --- another address, every browser --------------------------------------------------------------------------------


async def actor_of(who: Someone) -> Actor:
    found = await queries.actor_of(
        sessions.hashed(await actions.redeem(await actions.sign_in(who.email, who.password)))
    )
    assert found
    return found


async def test_an_address_changes_once_both_have_agreed(browser: Browser, project: Settings) -> None:
    ada, new = await someone("Ada"), f"{secrets.token_hex(8)}@example.com"
    await links.change_email(await actor_of(ada), new, web.landing(HEADERS, web.CONFIRMED))
    to_old, to_new = await newest_link(project, ada.email), await newest_link(project, new)
    assert await browser.open(to_new) == "/mail-link?told=half"
    assert await actions.sign_in(ada.email, ada.password)
    assert await browser.open(to_old) == "/mail-link?told=done"
    assert await browser.open(to_old) == "/mail-link?told=bad"
    assert await actions.sign_in(new, ada.password)
    with pytest.raises(Invalid, match="incorrect"):
        await actions.sign_in(ada.email, ada.password)
    assert dict(browser.http.cookies) == {}


async def test_that_an_address_is_taken_is_told_to_nobody_but_its_owner(project: Settings) -> None:
    ada, grace = await someone("Ada"), await someone("Grace")
    await links.change_email(await actor_of(ada), grace.email, web.landing(HEADERS, web.CONFIRMED))
    assert await mails(project, grace.email) == []


async def test_signing_out_everywhere_ends_every_session_here_and_at_supabase(psql: Sql) -> None:
    ada, grace = await someone("Ada"), await someone("Grace")
    here, there, hers = await actor_of(ada), await actor_of(ada), await actor_of(grace)
    await actions.sign_out_everywhere(here)
    for actor in (here, there):
        assert await queries.actor_of(bytes.fromhex(actor.session_id)) is None
        assert sessions.ended(actor.session_id)
    assert await queries.actor_of(bytes.fromhex(hers.session_id))
    await actions.settle(30)
    left = await psql.execute("select count(*) as n from auth.sessions where user_id = %s", [ada.id])
    assert (await left.fetchone() or {})["n"] == 0


# --- providers -----------------------------------------------------------------------------------------------------


async def test_the_stand_in_offers_mail_and_no_provider(project: Settings) -> None:
    offered = await links.offered()
    assert (offered.email, offered.providers) == (True, ())
    with pytest.raises(NotFound):
        await links.go_to_provider("google", web.landing(HEADERS), "/chat")


@pytest_asyncio.fixture
async def with_google(project: Settings) -> AsyncIterator[Someone]:
    """A person with whom a provider answers, at a project that offers it and no mail."""
    ada = await someone("Ada")
    async with ProjectWithProvider(project, ada.email) as offering:
        settings.use(project.model_copy(update={"supabase_url": offering.url}))
        yield ada
        settings.use(project)


async def test_the_ways_in_are_those_that_the_project_has_on(with_google: Someone) -> None:
    offered = await links.offered()
    assert (offered.email, offered.providers) == (False, ("google",))
    with pytest.raises(NotFound):
        await links.go_to_provider("github", web.landing(HEADERS), "/chat")


async def test_a_provider_signs_in_the_browser_that_went_there(
    browser: Browser, other: Browser, with_google: Someone
) -> None:
    ticket = await links.go_to_provider("google", web.landing(HEADERS), "/chat/browse")
    out = (await browser.http.get(web.flow_url(HEADERS, ticket))).headers["location"]
    assert "provider=google" in out
    async with httpx.AsyncClient() as client:
        back = (await client.get(out)).headers["location"]
    assert await other.come_back(back) == "/mail-link?told=bad"
    assert await browser.come_back(back) == "/chat/browse"
    actor = await browser.actor()
    assert actor
    assert actor.user_id == with_google.id


async def test_a_project_that_does_not_answer_leaves_the_sign_in_page_as_it_is(project: Settings) -> None:
    settings.use(project.model_copy(update={"supabase_url": "http://127.0.0.1:1"}))
    try:
        offered = await links.offered()
    finally:
        settings.use(project)
    assert (offered.email, offered.providers) == (True, ())
