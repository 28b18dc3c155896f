"""The box `Search messages`, and the page of what was found."""

from __future__ import annotations

import reflex as rx

from chatapp.rooms import browser as rooms
from chatapp.rooms.browser import ListedRoom
from chatapp.search.snapshots import FoundSnapshot, Part
from chatapp.search.state import Order, Search
from chatapp.ui import art, browser, forms, kit, layout

LABEL = "Search messages"
EXAMPLES = [
    ('"red house"', "these words, in this order"),
    ("from:ada", "by one person, or from:me"),
    ("in:design", "in one room; in quotes where the name has spaces"),
    ("after:2026-01-31", "on that day (UTC) or later; before: that day"),
    ("has:link", "with a link in it"),
]


def box() -> rx.Component:
    """The box in the sidebar: Enter leads to the page of results."""
    field = rx.el.input(
        type="text",
        name="search_for",
        placeholder=LABEL,
        max_length=200,
        auto_complete="off",
        enter_key_hint="search",
        class_name="input",
        custom_attrs={"aria-label": LABEL},
    )
    return rx.el.form(
        rx.el.span(kit.icon("search", 16), field, class_name="searchbox"),
        on_submit=Search.ask,
        role="search",
        class_name="search-side",
    )


def page() -> rx.Component:
    """`/search`"""
    return layout.column(
        "Search",
        "/chat",
        _form(),
        kit.alert(Search.error),
        rx.cond(Search.text == "", _help(), _results()),
        rx.el.p(_said(), role="status", class_name="sr-only"),
    )


def _form() -> rx.Component:
    """What is in it follows the address; typing into it is the browser's alone."""
    field = forms.search(
        LABEL,
        name="search_for",
        default_value=Search.text,
        key=Search.text,
        auto_focus=browser.begins_in_field(),
        max_length=200,
        auto_complete="off",
        enter_key_hint="search",
    )
    return rx.el.form(
        field,
        kit.submit("Search", busy=Search.busy, look=""),
        on_submit=Search.ask,
        role="search",
        class_name="search-form",
    )


def _help() -> rx.Component:
    rows = (rx.el.div(rx.el.dt(rx.el.code(asked)), rx.el.dd(meaning)) for asked, meaning in EXAMPLES)
    return rx.el.section(
        rx.el.h2("Narrow it down", class_name="search-about"),
        rx.el.dl(*rows, class_name="search-help"),
        kit.hint(
            "A word of three letters or more finds all that begin with it: deploy finds deployment. Shorter ones, and"
            " those in quotes, are found as they stand. Accents and capitals don't matter."
        ),
    )


def _results() -> rx.Component:
    some = rx.fragment(
        _head(),
        rx.el.ul(
            rx.foreach(Search.found, _found), class_name="tiles search-found", custom_attrs={"aria-label": "Results"}
        ),
        rx.cond(
            Search.more,
            kit.button("Show more", look="wide", on_click=Search.show_more, disabled=Search.busy),
            rx.fragment(),
        ),
    )
    waiting = rx.cond(Search.busy, kit.skeleton(5), rx.cond(Search.done, _nothing(), rx.fragment()))
    return rx.cond(Search.found.length() > 0, some, waiting)


def _head() -> rx.Component:
    alike = rx.el.p("No message has these words. These have similar ones:", class_name="search-alike")
    return rx.cond(
        Search.alike,
        alike,
        rx.el.div(
            _order("Newest first", "newest"),
            _order("Best of the newest", "best"),
            role="group",
            class_name="search-order",
            custom_attrs={"aria-label": "Order"},
        ),
    )


def _order(label: str, order: Order) -> rx.Component:
    pressed = rx.cond(Search.order == order, "true", "false")
    return kit.button(
        label, kind="quiet", look="small", on_click=Search.sort(order), custom_attrs={"aria-pressed": pressed}
    )


def _nothing() -> rx.Component:
    return rx.el.div(
        art.nothing_there(),
        rx.el.h2("Nothing found"),
        rx.el.p("No message in your rooms has all of these words."),
        class_name="search-nothing",
    )


def _said() -> rx.Var[str]:
    """For those who don't see the list change."""
    count = rx.cond(Search.more, "More than ", "")
    some = rx.cond(Search.found.length() == 1, "1 message found", f"{count}{Search.found.length()} messages found")
    nothing = rx.cond(Search.found.length() == 0, "Nothing found", some)
    return rx.cond(Search.busy, "Searching", rx.cond(Search.done, nothing, ""))


def _found(found: FoundSnapshot) -> rx.Component:
    room = browser.person_of(rooms.my_rooms(), found.room_id, ListedRoom)
    where = rx.cond(room.name, room.name, rx.cond(found.room, found.room, "Direct message"))
    return rx.el.li(
        kit.link(
            kit.avatar(found.author, found.initials, found.colour, found.avatar_url),
            rx.el.span(
                rx.el.span(
                    rx.el.b(found.author, dir="auto"),
                    rx.el.span("in ", rx.el.bdi(where), class_name="search-room"),
                    rx.el.time(browser.day_of(found.created_at), date_time=found.created_at),
                    class_name="search-who",
                ),
                rx.el.span(rx.foreach(found.parts, _part), class_name="search-text", dir="auto"),
                class_name="search-texts",
            ),
            to=found.path,
            class_name="search-link",
        ),
        key=found.id,
    )


def _part(part: Part) -> rx.Component:
    return rx.cond(part.hit, rx.el.mark(part.text), rx.fragment(part.text))
