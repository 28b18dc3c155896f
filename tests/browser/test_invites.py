"""FEATURES 2.6: ways into a room, looked after live in every tab of those who may."""

from __future__ import annotations

import io
import re
from uuid import UUID, uuid4

import httpx
from PIL import Image
from playwright.async_api import Locator, expect

from chatapp import settings
from chatapp.invites import actions

from .conftest import Lobby, demo_person
from .people import Person


def rows(person: Person) -> Locator:
    return person.page.get_by_role("list", name="Links that work").get_by_role("listitem")


async def is_undimmed(person: Person, words: Locator) -> bool:
    """Whether a toast stands over the veil of what is open: a point of its white paper is white."""
    await expect(words).to_be_visible()
    await person.is_still()
    toast = await person.page.locator("[data-sonner-toast]").filter(has=words).bounding_box()
    assert toast
    with Image.open(io.BytesIO(await person.page.screenshot())) as picture:
        return picture.convert("RGB").getpixel((int(toast["x"]) + 8, int(toast["y"]) + 20)) == (255, 255, 255)


async def mailed(address: str) -> str:
    """The link in the newest mail to somebody."""
    async with httpx.AsyncClient() as http:
        mails = await http.get(f"{settings.current().supabase_url}/outbox.json", params={"to": address})
    return str(mails.json()[0]["link"])


async def second_tab(person: Person) -> Person:
    page = await person.context.new_page()
    await page.goto(person.page.url)
    other = Person(person.context, page)
    await other.ready()
    return other


async def test_links_are_made_used_and_revoked_live(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada", color_scheme="light")
    await ada.create_room(f"Private {uuid4().hex[:6]}", private=True)
    await ada.ready()
    other = await second_tab(ada)
    for tab in (ada, other):
        await tab.button("Invite").click()
        await expect(tab.field("Invite link")).to_have_value(re.compile(r"/invite/[\w-]{32}$"))
        await expect(rows(tab)).to_have_count(1)
    first = await ada.field("Invite link").input_value()
    assert await other.field("Invite link").input_value() == first  # opening the dialog again makes no other

    await ada.page.get_by_role("combobox", name="New link that works for").select_option("1 day")
    await ada.button("Create link").click()
    await expect(rows(other)).to_have_count(2)
    await expect(ada.field("Invite link")).not_to_have_value(first)
    second = await ada.field("Invite link").input_value()
    await ada.button("QR code").click()
    picture = ada.page.get_by_role("img", name="QR code of the invite link")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("one => one.naturalWidth > 100")
    await ada.is_accessible()
    await ada.button("Copy link").click()
    assert await is_undimmed(ada, ada.page.get_by_text("Link copied"))

    grace = await lobby.signed_in("Grace", to=second.partition("/invite/")[1] + second.rpartition("/")[2])
    await grace.button("Join room").click()
    await grace.ready()
    for tab in (ada, other):
        await expect(rows(tab).filter(has_text="Used once")).to_have_count(1)
    await rows(other).filter(has_text="Used once").get_by_role("button", name="Revoke").click()
    for tab in (ada, other):
        await expect(rows(tab)).to_have_count(1)
    await expect(ada.page.get_by_text("This link does not work any more.")).to_be_visible()
    await expect(ada.field("Invite link")).to_have_value("")
    await rows(ada).get_by_role("button", name="Show").click()
    await expect(ada.field("Invite link")).to_have_value(first)
    linus = await lobby.signed_in("Linus", to="/invite/" + second.rpartition("/")[2])
    await expect(linus.heading("This invitation doesn't work")).to_be_visible()
    await grace.button("Invite").click()
    await expect(grace.page.get_by_text("Only the owner and admins can invite")).to_be_visible()


async def test_people_are_invited_by_their_address(lobby: Lobby) -> None:
    ada, linus = await lobby.phone(), await lobby.signed_in("Linus")
    await ada.enter_as("Ada")
    name = f"Private {uuid4().hex[:6]}"
    await ada.create_room(name, private=True)
    await ada.ready()
    await ada.button("Invite").click()
    await ada.field("Email").fill("linus@example.com")
    await ada.button("Send invitation").click()
    await expect(ada.page.get_by_text("linus@example.com is a member now.")).to_be_visible()
    await expect(linus.link(name)).to_be_visible()
    address = f"new-{uuid4().hex[:6]}@example.com"
    await ada.field("Email").fill(address)
    await ada.button("Send invitation").click()
    await expect(ada.page.get_by_text(f"An invitation is on its way to {address}.")).to_be_visible()
    await expect(rows(ada).filter(has_text="for one person")).to_have_count(1)
    await ada.is_accessible()

    new = await lobby.stranger()
    await new.page.goto(await mailed(address))
    await expect(new.page.get_by_text(f"You are invited as {address}.")).to_be_visible()
    assert "token=" not in new.page.url  # not even in what the browser keeps of where it has been
    await new.is_accessible()
    await new.field("Name").fill("Newcomer")
    await new.field("Password").fill("a long password")
    await new.button("Continue").click()
    await new.button("Join room").click()
    await new.ready()
    await new.say("Thank you for the invitation")
    await ada.page.keyboard.press("Escape")
    await ada.sees("Thank you for the invitation")
    await expect(ada.log.get_by_text("Newcomer")).to_be_visible()


async def test_no_door_loses_the_invitation_of_somebody_new(lobby: Lobby) -> None:
    name = f"Kitchen refit {uuid4().hex[:6]}"
    room_id = await lobby.room("Ada", name=name)
    token = await actions.create_invite(demo_person("Ada").actor, UUID(room_id))
    new = await lobby.phone()
    await new.go(f"/invite/{token}")
    said = new.page.get_by_text("You are invited to a room. Sign up or sign in to join it.")
    header = new.page.get_by_role("navigation", name="Main")
    await expect(said).to_be_visible()
    await expect(new.page.get_by_text(name)).to_have_count(0)  # a stranger is not told
    for where, way in (("Main", "Sign up"), ("Main", "Sign in"), ("card", "Sign up"), ("card", "Sign in")):
        place = header if where == "Main" else new.page.get_by_role("main")
        link = place.get_by_role("link", name=way, exact=True)
        await expect(link).to_have_attribute("href", re.compile(rf"^/sign-\w+/?\?next=/invite/{token}$"))
        await link.click()
        await expect(new.heading(way)).to_be_visible()
        await expect(said).to_be_visible()
    await new.is_accessible()
    await header.get_by_role("link", name="Sign up").click()
    await new.field("Name").fill("Mary Jackson")
    await new.field("Email").fill(f"mary-{uuid4().hex[:8]}@example.com")
    await new.field("Password").fill("correct horse battery")
    await new.button("Sign up").click()
    await expect(new.heading(name)).to_be_visible()
    await expect(new.page.get_by_text("Ada Lovelace invites you. 1 member so far.")).to_be_visible()
    await new.button("Join room").click()
    await new.ready()
