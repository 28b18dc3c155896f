"""The button and the dialog `New message`."""

from __future__ import annotations

import reflex as rx

from chatapp.direct.state import NewMessage
from chatapp.rooms.snapshots import PersonSnapshot
from chatapp.ui import browser, dialog, kit

TO = "direct_to"
"""The field's id, and its name: a form would send both."""


def button() -> rx.Component:
    """Opens the dialog; in the sidebar."""
    return kit.button("New message", picture="square-pen", on_click=NewMessage.show(True))


def new_message() -> rx.Component:
    """The dialog: who is chosen, a field to look for more, and who was found."""
    return dialog.dialog(
        "New message",
        kit.alert(NewMessage.error),
        rx.cond(NewMessage.chosen.length() > 0, _chosen()),
        _field(),
        _found(),
        rx.el.div(
            kit.button(
                "Start conversation",
                kind="primary",
                look="wide large",
                on_click=NewMessage.start,
                disabled=(NewMessage.chosen.length() == 0) | NewMessage.busy,
            ),
            class_name="direct-foot",
        ),
        name="new-message",
        open=NewMessage.shown,
        on_dismiss=NewMessage.show(False),
    )


def _field() -> rx.Component:
    """Not bound to the server's copy: what is typed must never be overwritten by an answer to what was typed before."""
    box = rx.el.input(
        id=TO,
        name=TO,
        class_name="input",
        placeholder="Name or email address",
        auto_complete="off",
        enter_key_hint="enter",
        max_length=254,
        on_change=NewMessage.look_for.debounce(200),
        custom_attrs={"data-focus": "", "autocapitalize": "off", "aria-describedby": "direct-hint"},
    )
    label = rx.el.label(rx.el.span("To", class_name="field-label"), box, class_name="field")
    return rx.el.form(
        label,
        kit.hint("The same people always come back to the same conversation.", id="direct-hint"),
        on_submit=NewMessage.enter,
        reset_on_submit=True,
        class_name="direct-form",
    )


def _chosen() -> rx.Component:
    people = rx.foreach(NewMessage.chosen, _chip)
    return rx.el.ul(people, class_name="chosen", custom_attrs={"aria-label": "Writing to"})


def _chip(person: PersonSnapshot) -> rx.Component:
    cross = rx.el.button(
        kit.icon("x", 14),
        type="button",
        on_click=NewMessage.drop(person.id),
        class_name="chosen-cross",
        custom_attrs={"aria-label": f"Remove {person.name}"},
    )
    return rx.el.li(rx.el.span(person.name, dir="auto"), cross, class_name="chosen-one", key=person.id)


def _found() -> rx.Component:
    nobody = rx.el.p(
        "Nobody you share a room with goes by that name. You can type a whole email address.", class_name="rooms-note"
    )
    people = rx.el.ul(rx.foreach(NewMessage.found, _person), class_name="people", custom_attrs={"aria-label": "People"})
    by_name = rx.cond(NewMessage.found.length() > 0, people, rx.cond(NewMessage.search, nobody))
    return rx.el.div(rx.cond(NewMessage.address, _by_address(), by_name), class_name="direct-found")


def _person(person: PersonSnapshot) -> rx.Component:
    chosen = browser.person_of(NewMessage.chosen, person.id, PersonSnapshot).bool()
    button = rx.el.button(
        kit.avatar(person.name, person.initials, person.colour, person.avatar_url),
        rx.el.span(person.name, class_name="people-name", dir="auto"),
        rx.cond(chosen, kit.icon("check", 18)),
        type="button",
        on_click=[NewMessage.choose(person.id), *_cleared()],
        class_name="people-one",
        custom_attrs={"aria-label": person.name, "aria-pressed": rx.cond(chosen, "true", "false")},
    )
    return rx.el.li(button, key=person.id)


def _by_address() -> rx.Component:
    return kit.button(
        f"Write to {NewMessage.address}",
        look="wide",
        picture="at-sign",
        on_click=[NewMessage.choose_address, *_cleared()],
    )


def _cleared() -> list[rx.event.EventSpec]:
    return [rx.set_value(TO, ""), rx.set_focus(TO)]
