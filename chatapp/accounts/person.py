"""The person at the foot of the sidebar, and the dialog `Settings`: how others see them, how they see the product."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.style import set_color_mode

from chatapp.accounts import doors
from chatapp.accounts.model import NAME_LIMIT, PASSWORD_LEAST, STATUS_LIMIT
from chatapp.accounts.snapshots import Status
from chatapp.accounts.state import Password, Settings, Viewer
from chatapp.accounts.ways import Email
from chatapp.ui import browser, dialog, forms, kit

FORM = "me"
SUGGESTED = {
    "🗓️": "In a meeting",
    "🎧": "Focusing",
    "🏡": "Working from home",
    "🍜": "At lunch",
    "🤒": "Out sick",
    "🌴": "On holiday",
}
LASTING = {
    "30m": "30 minutes",
    "1h": "1 hour",
    "4h": "4 hours",
    "1d": "1 day",
    "1w": "1 week",
}
THEMES = {"system": ("System", "monitor"), "light": ("Light", "sun"), "dark": ("Dark", "moon")}


def person() -> rx.Component:
    """Who is signed in here, the way to their settings and the way out."""
    me = Viewer.me
    return rx.el.div(
        rx.el.button(
            rx.cond(Viewer.signed_in, kit.avatar(me.name, me.initials, me.colour, me.avatar_url)),
            rx.el.span(
                rx.el.span(me.name, class_name="person-name", dir="auto"),
                rx.cond(_says_something(), _says(me.status)),
                class_name="person-texts",
            ),
            type="button",
            on_click=Settings.show(True),
            class_name="person-self",
            custom_attrs={"aria-label": f"Profile, {me.name}"},
        ),
        kit.icon_button("Settings", "settings", on_click=Settings.show(True)),
        kit.icon_button("Sign out", "log-out", on_click=Viewer.sign_out),
        class_name="person",
    )


def settings() -> rx.Component:
    """The dialog `Settings`."""
    return dialog.dialog(
        "Settings",
        _profile(),
        _theme(),
        doors.email(),
        _password(),
        doors.everywhere(),
        name="settings",
        open=Settings.shown,
        on_dismiss=[Settings.show(False), Password.show(False), Email.show(False)],
    )


def _profile() -> rx.Component:
    me = Viewer.me
    name = forms.field(
        "Name",
        "name",
        default_value=me.name,
        max_length=NAME_LIMIT,
        auto_complete="name",
        key=me.name,  # a new name is a new field: the old one would keep what was typed
        custom_attrs={"data-focus": "keys"},
    )
    receipts = forms.switch(
        "Read receipts",
        "receipts",
        "Others see what you have read, and you see what they have. Off, neither is shown.",
        default_checked=me.receipts,
        key=rx.cond(me.receipts, "on", "off"),
    )
    return rx.el.form(
        kit.alert(Settings.error),
        rx.el.div(kit.avatar(me.name, me.initials, me.colour, me.avatar_url), name, class_name="settings-me"),
        _status(),
        receipts,
        kit.submit("Save", busy=Settings.busy),
        name=FORM,
        on_submit=Settings.save,
        class_name="form",
    )


def _status() -> rx.Component:
    """An emoji and a few words, the usual ones at a touch, and for how long."""
    status = Viewer.me.status
    emoji = forms.field(
        "Emoji", "emoji", default_value=status.emoji, max_length=16, auto_complete="off", placeholder="🙂"
    )
    words = forms.field(
        "Status",
        "status",
        default_value=status.text,
        max_length=STATUS_LIMIT,
        auto_complete="off",
        placeholder="What are you up to?",
        dir="auto",
    )
    return rx.el.fieldset(
        rx.el.legend("Status", class_name="sr-only"),
        rx.el.div(emoji, words, class_name="status-fields"),
        rx.el.div(*(_suggestion(*each) for each in SUGGESTED.items()), _nothing(), class_name="chips"),
        forms.choice("Clear after", "lasts", _ends()),
        class_name="form",
        key=f"{status.emoji} {status.text} {status.until}",  # as with the name
    )


def _suggestion(emoji: str, words: str) -> rx.Component:
    return kit.chip(f"{emoji} {words}", on_click=browser.fill(FORM, {"emoji": emoji, "status": words}))


def _nothing() -> rx.Component:
    cleared = browser.fill(FORM, {"emoji": "", "status": ""})
    return rx.cond(_says_something(), kit.chip("Clear status", on_click=cleared))


def _ends() -> list[rx.Component]:
    until = Viewer.me.status.until
    kept = rx.cond(until, f"At {browser.moment_of(until)}", "Until I change it")
    never = rx.cond(until, rx.el.option("Until I change it", value="always"))
    after = (rx.el.option(words, value=value) for value, words in LASTING.items())
    return [rx.el.option(kept, value="keep"), never, *after]


def _says_something() -> rx.Var[bool]:
    return (Viewer.me.status.emoji != "") | (Viewer.me.status.text != "")


def _says(status: Status) -> rx.Component:
    return rx.el.span(status.emoji, " ", status.text, class_name="person-status", dir="auto")


def _theme() -> rx.Component:
    """Of this browser alone, and at once."""
    return rx.el.fieldset(
        rx.el.legend("Theme", class_name="field-label"),
        rx.el.div(*(_theme_choice(value, *shown) for value, shown in THEMES.items()), class_name="segments"),
        class_name="settings-part",
    )


def _theme_choice(value: str, words: str, picture: str) -> rx.Component:
    chosen: Any = rx.color_mode == value
    radio = rx.el.input(
        type="radio", name="theme", value=value, checked=chosen, on_change=set_color_mode(value), class_name="sr-only"
    )
    return rx.el.label(radio, kit.icon(picture, 16), rx.el.span(words), class_name="segment")


def _password() -> rx.Component:
    """Asked for only when somebody wants to: it is not what people come here for."""
    ask = kit.button("Change password", picture="key-round", look="wide", on_click=Password.show(True))
    form = rx.el.form(
        kit.alert(Password.error),
        forms.field(
            "Current password",
            "current",
            type="password",
            auto_complete="current-password",
            required=True,
            auto_focus=True,
        ),
        forms.field(
            "New password",
            "new",
            type="password",
            auto_complete="new-password",
            required=True,
            min_length=PASSWORD_LEAST,
            placeholder=f"At least {PASSWORD_LEAST} characters",
        ),
        kit.hint("Your other browsers will be signed out."),
        kit.submit("Change password", busy=Password.busy),
        on_submit=Password.change,
        class_name="form",
    )
    return rx.el.div(rx.cond(Password.shown, form, ask), class_name="settings-part")
