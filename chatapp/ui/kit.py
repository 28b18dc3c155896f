"""The kit: buttons, links, people, and what is shown where there is nothing yet. Each answers one component."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx
from reflex_components_core.react_router import link as router_link

Kind = Literal["primary", "plain", "quiet", "danger"]
Content = rx.Component | rx.Var[Any] | str
ICON = 18
"""Pixels of an icon beside a label."""


def icon(name: str, size: int = ICON) -> rx.Component:
    """A drawing that says nothing: what it means stands beside it, or in its button's name."""
    return rx.icon(name, size=size, stroke_width=1.75, custom_attrs={"aria-hidden": "true"})


def button(label: str, *, kind: Kind = "plain", look: str = "", picture: str = "", **props: Any) -> rx.Component:
    """A button with words on it. `look` may add `small`, `large` or `wide`."""
    return rx.el.button(*_labelled(label, picture), class_name=_button_class(kind, look), **_button_props(props))


def icon_button(label: str, picture: str | rx.Component, *, kind: Kind = "quiet", **props: Any) -> rx.Component:
    """A button with only a drawing on it; `label` is its name and its tooltip."""
    drawing = icon(picture) if isinstance(picture, str) else picture
    names = {"aria-label": label, **props.pop("custom_attrs", {})}
    return rx.el.button(
        drawing, class_name=_button_class(kind, "icon"), title=label, custom_attrs=names, **_button_props(props)
    )


def submit(label: str, *, busy: rx.Var[bool], look: str = "wide large") -> rx.Component:
    """The button that sends a form; it waits while `busy`."""
    return rx.el.button(
        rx.el.span(class_name="spinner", custom_attrs={"aria-hidden": "true"}),
        label,
        type="submit",
        disabled=busy,
        class_name=_button_class("primary", look),
        custom_attrs={"aria-busy": rx.cond(busy, "true", "false")},
    )


def link(*children: Content, to: str | rx.Var[str], **props: Any) -> rx.Component:
    """A link inside the site: no page load."""
    return router_link(*children, to=to, **props)


def link_button(
    label: str, *, to: str | rx.Var[str], kind: Kind = "plain", look: str = "", picture: str = ""
) -> rx.Component:
    """A link that looks like a button, for going somewhere."""
    return link(*_labelled(label, picture), to=to, class_name=_button_class(kind, look))


def chip(label: Content, **props: Any) -> rx.Component:
    """Something usual, offered at a touch."""
    return rx.el.button(label, class_name="chip", **_button_props(props))


def keys(*names: Content) -> rx.Component:
    """Keys to be pressed together."""
    return rx.el.span(*(rx.el.kbd(name) for name in names), class_name="keys")


def back(label: str, to: str) -> rx.Component:
    """The arrow back to the page above, on phones only."""
    return link(
        icon("chevron-left", 24),
        to=to,
        class_name=f"{_button_class('quiet', 'icon')} only-narrow",
        custom_attrs={"aria-label": label},
    )


def text_link(label: str, to: str | rx.Var[str]) -> rx.Component:
    """A link within a sentence."""
    return link(label, to=to, class_name="prose-link")


def avatar(name: rx.Var[str], initials: rx.Var[str], colour: rx.Var[int], url: rx.Var[str]) -> rx.Component:
    """A person's picture, 32 px and round, or their initials in their colour."""
    return rx.cond(
        url,
        rx.el.img(src=url, alt=name, class_name="avatar", width="32", height="32", loading="lazy"),
        rx.el.span(
            rx.el.span(initials, custom_attrs={"aria-hidden": "true"}),
            role="img",
            class_name=f"avatar avatar-{colour}",
            custom_attrs={"aria-label": name},
        ),
    )


def badge(text: Content) -> rx.Component:
    """A word or two about the thing beside it."""
    return rx.el.span(text, class_name="badge")


def alert(message: rx.Var[str]) -> rx.Component:
    """What went wrong, said at once; nothing while there is nothing to say."""
    said = rx.el.div(icon("circle-alert", 16), rx.el.span(message), class_name="alert")
    return rx.el.div(rx.cond(message, said), role="alert", class_name="alert-place")


def hint(text: str, **props: Any) -> rx.Component:
    """A quiet sentence of help."""
    return rx.el.p(text, class_name="hint", **props)


def empty_state(art: rx.Component, title: str, text: str, *actions: rx.Component) -> rx.Component:
    """A page with nothing on it but a picture, a heading and what to do next."""
    return rx.el.div(
        art,
        rx.el.h1(title),
        rx.el.p(text),
        *([rx.el.div(*actions, class_name="actions")] if actions else []),
        class_name="empty",
    )


def skeleton(rows: int) -> rx.Component:
    """The shape of a list that is on its way; `Loading...` for those who don't see it."""
    return rx.el.div(
        rx.el.p("Loading...", class_name="sr-only"),
        *(
            rx.el.div(_bone(), rx.el.div(_bone(), _bone(), class_name="skeleton-lines"), class_name="skeleton-row")
            for _ in range(rows)
        ),
        role="status",
    )


def _bone() -> rx.Component:
    return rx.el.span(class_name="skeleton")


def _labelled(label: str, picture: str) -> list[Content]:
    words = rx.el.span(label, class_name="button-label")
    return [icon(picture), words] if picture else [words]


def _button_class(kind: Kind, look: str) -> str:
    return " ".join(["button", *(f"button-{word}" for word in (kind, *look.split()))])


def _button_props(props: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", **props}
