"""What every page's <head> holds, and how the app as a whole is dressed."""

from __future__ import annotations

import reflex as rx
from reflex_base.event import noop
from reflex_base.vars.base import Var
from reflex_components_core.base.error_boundary import ErrorBoundary

from chatapp.ui import art, connection, kit
from chatapp.ui.device import Device

STYLESHEETS = [
    f"/styles/{name}.css"
    for name in ("tokens", "base", "kit", "shell", "conversation", "text", "writing", "people", "rooms", "search")
]
"""In this order: later ones refine earlier ones. They are bundled into one file."""

VIEWPORT = "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
"""Edge to edge on phones with a notch, and the composer stays above the phone's keyboard."""


def head_components() -> list[rx.Component]:
    """Viewport, icons, what an installed app is, the bars' colour. Reflex adds the theme's script, first of all."""
    return [
        rx.el.meta(name="viewport", content=VIEWPORT),
        rx.el.script(src="/early.js"),  # before anything can be pressed
        rx.el.link(rel="icon", type="image/svg+xml", href="/favicon.svg"),
        rx.el.link(rel="apple-touch-icon", href="/icons/apple-touch-icon.png"),
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        rx.el.meta(name="apple-mobile-web-app-title", content="Chat"),
        _theme_color("#f5f2ec", "light"),
        _theme_color("#161513", "dark"),
    ]


def dress(app: rx.App) -> None:
    """Give the app its styles, its language, a place for its toasts and its word on the connection."""
    app.stylesheets = [*app.stylesheets, *STYLESHEETS]
    app.html_lang = "en"
    app.toaster = rx.toast.provider(position="top-center", rich_colors=False, gap=8)
    # In place of Reflex's own toast and pulsing icon, which come late and speak of ports and URLs.
    app.app_wraps[5, "Overlay"] = lambda stateful: rx.fragment(connection.banner()) if stateful else None
    app.app_wraps[6, "Device"] = lambda _: rx.fragment(Device.create())
    app.app_wraps[55, "ErrorBoundary"] = lambda _: _boundary()


def _boundary() -> rx.Component:
    """Around every page: where drawing one fails, words for people in place of Reflex's stack trace. A full load mends
    most of what can be wrong in a page, and drafts and what is unsent are kept outside of it.
    """
    again = rx.el.a("Load the page again", href="", class_name="button button-primary")
    failed = kit.empty_state(
        art.nothing_there(), "Something went wrong", "This page could not be shown. What you wrote is safe.", again
    )
    return ErrorBoundary.create(on_error=noop(), fallback_render=Var.create(rx.el.main(failed, class_name="start")))


def _theme_color(colour: str, scheme: str) -> rx.Component:
    media = {"media": f"(prefers-color-scheme: {scheme})"}
    return rx.el.meta(name="theme-color", content=colour, custom_attrs=media)
