"""The pages of the other ways in, and the parts of `Settings` about the e-mail address and other browsers."""

from __future__ import annotations

import reflex as rx

from chatapp.accounts.model import PASSWORD_LEAST
from chatapp.accounts.snapshots import Provider
from chatapp.accounts.state import SignIn
from chatapp.accounts.ways import Email, Everywhere, MailLink, OtherWays, ResetPassword
from chatapp.ui import browser, forms, kit, layout
from chatapp.ui.browser import keeping_next

INVITATION = "/invite/"
"""How the address begins that an invite link leads to."""


def other_ways() -> rx.Component:
    """On the sign-in page, below the password: a link by mail and the project's providers, as far as it has them."""
    link = kit.link_button("Email me a link", to=keeping_next("/email-link"), look="wide large", picture="mail")
    shown = SignIn.by_link | (SignIn.providers.length() > 0)
    return rx.cond(
        shown,
        rx.el.div(
            layout.rule("or"),
            kit.alert(OtherWays.error),
            rx.cond(SignIn.by_link, link),
            rx.foreach(SignIn.providers, _provider),
            class_name="other-ways",
        ),
    )


def forgot() -> rx.Component:
    """Beside the password."""
    return kit.text_link("Forgot password?", keeping_next("/forgot-password"))


def outbox() -> rx.Component:
    """Where the stand-in shows its mails; nothing on a project."""
    link = rx.el.a("the outbox", href=SignIn.outbox, target="_blank", rel="noreferrer", class_name="prose-link")
    return rx.cond(SignIn.outbox, layout.card_foot("Nothing is sent from here: mails are in ", link, "."))


def email_link_card() -> rx.Component:
    """A link that signs in."""
    return layout.card(
        "Sign in by email",
        "We send you a link. Open it in this browser and you are in.",
        _ask(OtherWays.mail_link, "Email me a link"),
        _back_to_sign_in(),
        outbox(),
    )


def forgot_card() -> rx.Component:
    """A link for choosing another password."""
    return layout.card(
        "Forgot password?",
        "We send you a link for choosing a new one. Open it in this browser.",
        _ask(OtherWays.mail_reset, "Send link"),
        _back_to_sign_in(),
        outbox(),
    )


def check_inbox_card() -> rx.Component:
    """The same for an address that nobody has."""
    return layout.card(
        "Check your inbox",
        "If there is an account with this address, a link is on its way. It works once, in this browser, for an hour.",
        _back_to_sign_in(),
        outbox(),
    )


def reset_card() -> rx.Component:
    """Another password, by a link from a mail."""
    return rx.cond(
        ResetPassword.known,
        rx.cond(ResetPassword.good, _choose(), _bad_link("/forgot-password")),
        rx.el.div(kit.skeleton(2), class_name="card"),
    )


def mail_link_card() -> rx.Component:
    """What has become of a link."""
    on = kit.link_button("Continue", to="/chat", kind="primary", look="wide large")
    half = "That was one of two links. Now open the one we sent to your other address, and the change counts."
    return rx.match(
        MailLink.told,
        ("done", layout.card("Email changed", "From now on you sign in with your new address.", on)),
        ("half", layout.card("Half done", half, on)),
        _bad_link("/chat"),
    )


def email() -> rx.Component:
    """In `Settings`: another address."""
    ask = kit.button("Change email", picture="mail", look="wide", on_click=Email.show(True))
    form = rx.el.form(
        kit.alert(Email.error),
        forms.field("New email", "email", type="email", auto_complete="email", required=True, auto_focus=True),
        kit.hint("We send a link there, and one to your present address. Open both and the change counts."),
        kit.submit("Change email", busy=Email.busy),
        on_submit=Email.change,
        class_name="form",
    )
    return rx.el.div(rx.cond(Email.shown, form, ask), class_name="settings-part")


def everywhere() -> rx.Component:
    """In `Settings`: out of every browser."""
    button = kit.button(
        "Sign out everywhere",
        kind="danger",
        look="wide",
        picture="log-out",
        on_click=Everywhere.sign_out,
        disabled=Everywhere.busy,
    )
    return rx.el.div(
        kit.alert(Everywhere.error),
        button,
        kit.hint("Every browser and device of yours, this one too."),
        class_name="settings-part",
    )


def lead(usual: str) -> rx.Var[str]:
    """What a door says below its name: an invitation comes first. To which, a stranger is not told."""
    invited = browser.next_page().to(str).startswith(INVITATION)
    return rx.cond(invited, "You are invited to a room. Sign up or sign in to join it.", usual)


def _provider(provider: Provider) -> rx.Component:
    return kit.button(
        f"Continue with {provider.label}",
        look="wide large",
        disabled=OtherWays.busy,
        on_click=OtherWays.go_to(provider.name),
    )


def _ask(on_submit: rx.EventHandler, label: str) -> rx.Component:
    address = forms.field(
        "Email", "email", type="email", auto_complete="email", required=True, placeholder="you@company.com"
    )
    return rx.el.form(
        kit.alert(OtherWays.error),
        address,
        kit.submit(label, busy=OtherWays.busy),
        on_submit=on_submit,
        class_name="form",
    )


def _choose() -> rx.Component:
    chosen = forms.field(
        "New password",
        "password",
        type="password",
        auto_complete="new-password",
        required=True,
        min_length=PASSWORD_LEAST,
        placeholder=f"At least {PASSWORD_LEAST} characters",
    )
    form = rx.el.form(
        kit.alert(ResetPassword.error),
        chosen,
        kit.submit("Set new password", busy=ResetPassword.busy),
        on_submit=ResetPassword.set_password,
        class_name="form",
    )
    return layout.card("Choose a new password", "Every browser you are signed in with will be signed out.", form)


def _bad_link(again: str) -> rx.Component:
    why = "A link works once, for a limited time, and in the browser it was asked for from."
    return layout.card(
        "This link doesn't work any more",
        why,
        kit.link_button("Continue", to=again, kind="primary", look="wide large"),
    )


def _back_to_sign_in() -> rx.Component:
    return layout.card_foot(kit.text_link("Back to sign in", keeping_next("/sign-in")))
