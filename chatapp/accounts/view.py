"""What a stranger sees: the start, signing in and signing up."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.accounts import doors
from chatapp.accounts.state import SignIn, Viewer
from chatapp.ui import art, forms, kit, layout
from chatapp.ui.browser import keeping_next


def navigation() -> rx.Component:
    """Where one can go from a page without a sidebar."""
    return rx.cond(
        Viewer.signed_in,
        kit.link_button("Chat", to="/chat", kind="quiet"),
        rx.fragment(
            kit.link_button("Sign in", to=keeping_next("/sign-in"), kind="quiet"),
            kit.link_button("Sign up", to=keeping_next("/sign-up"), kind="quiet"),
        ),
    )


def welcome() -> rx.Component:
    """What a stranger sees first; on the stand-in they are in with one press."""
    return rx.el.div(
        art.talk(),
        rx.el.h1("A calm place to talk things through"),
        rx.el.p("Rooms for the people you work with. What one says, everybody sees, at once."),
        rx.el.div(
            kit.link_button("Get started", to="/sign-up", kind="primary", look="large"),
            kit.link_button("I have an account", to="/sign-in", look="large"),
            class_name="actions",
        ),
        rx.cond(SignIn.people.length() > 0, _demo_people()),
        class_name="welcome",
    )


def sign_in_card() -> rx.Component:
    """E-mail address and password, or, on the stand-in, simply a name."""
    return layout.card(
        "Sign in",
        doors.lead("Good to see you again."),
        rx.cond(
            SignIn.people.length() > 0,
            rx.fragment(_demo_people(), layout.rule("or with an account of your own")),
        ),
        rx.el.form(
            kit.alert(SignIn.error),
            _email(),
            _password("current-password"),
            rx.el.p(doors.forgot(), class_name="forgot"),
            kit.submit("Sign in", busy=SignIn.busy),
            on_submit=SignIn.sign_in,
            class_name="form",
        ),
        doors.other_ways(),
        layout.card_foot("New here? ", kit.text_link("Sign up", keeping_next("/sign-up"))),
        doors.outbox(),
    )


def sign_up_card() -> rx.Component:
    """A new account, signed in at once."""
    return layout.card(
        "Sign up",
        doors.lead("A name, and a way to recognise you next time."),
        rx.el.form(
            kit.alert(SignIn.error),
            forms.field("Name", "name", auto_complete="name", required=True, max_length=80),
            _email(),
            _password("new-password", placeholder="At least 8 characters"),
            kit.submit("Sign up", busy=SignIn.busy),
            on_submit=SignIn.sign_up,
            class_name="form",
        ),
        layout.card_foot("Have an account? ", kit.text_link("Sign in", keeping_next("/sign-in"))),
    )


def _demo_people() -> rx.Component:
    return rx.el.div(rx.foreach(SignIn.people, _continue_as), class_name="demo")


def _continue_as(name: rx.Var[str], number: rx.Var[int]) -> rx.Component:
    face = rx.el.span(name.to(str)[0], class_name=f"avatar avatar-{number}", custom_attrs={"aria-hidden": "true"})
    return rx.el.button(
        face,
        f"Continue as {name}",
        type="button",
        disabled=SignIn.busy,
        on_click=SignIn.continue_as(name),
        class_name="button button-plain",
    )


def _email() -> rx.Component:
    return forms.field(
        "Email", "email", type="email", auto_complete="email", required=True, placeholder="you@company.com"
    )


def _password(kept_as: str, **props: Any) -> rx.Component:
    return forms.field("Password", "password", type="password", auto_complete=kept_as, required=True, **props)
