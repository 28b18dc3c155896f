"""The one gate before every handler: who is calling, may they, and are the arguments what the handler declares?

Reflex lets anyone who opens a socket call any public method of any state with any arguments. The gate turns that
around: a handler runs only if it is declared with `@handler`, for an actor taken from the session cookie (never
from state or arguments), with arguments validated against the handler's own type hints. All else is refused.
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import typing
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from urllib.parse import quote

import pydantic
import reflex as rx
from reflex.event import Event, EventSpec
from reflex.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext
from reflex_base.utils.form import form_data_as_dict

from chatapp.actor import Actor
from chatapp.errors import ChatError, Invalid, Unauthorized
from chatapp.patience import patiently

log = logging.getLogger(__name__)

COOKIE = "chatapp_session"
"""The session cookie's name on http; https adds the `__Host-` prefix."""

ARGUMENTS_LIMIT = 64 * 1024
"""Characters a handler's arguments may hold together."""

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to learn who opens a page. The tab's lock is held meanwhile, so they are few."""

INTERNAL = frozenset({"hydrate", "hydrate_and_load", "on_load_internal", "set_is_hydrated"})
"""Reflex's own handlers that a browser needs. They read or write nothing of ours."""

_RULE = "_chatapp_rule"
_actor: contextvars.ContextVar[Actor | None] = contextvars.ContextVar("actor", default=None)
_caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")

Resolve = Callable[[str], Awaitable[Actor | None]]
"""Answers who a session cookie's value belongs to, None for nobody."""

Subscribe = Callable[[str, Actor], Awaitable[object]]
"""Lets a tab, by its socket's id, hear when the actor's session ends. Doing it again changes nothing."""


class Rule(typing.NamedTuple):
    """How a handler may be called. `page` handlers run when a page opens: strangers are led to the sign-in page.

    `refused` is sent to a browser whose call is not let through: it takes back what it has shown ahead.
    """

    public: bool
    page: bool
    refused: EventSpec | None = None


def handler(
    fn: Callable[..., Any] | None = None,
    *,
    public: bool = False,
    page: bool = False,
    background: bool = True,
    refused: EventSpec | None = None,
    **options: Any,
) -> Any:
    """Declare a state's method as a handler that browsers may call.

    Handlers run in the background unless told otherwise, because a normal one holds its tab's lock while it awaits.
    `public` ones may be called by strangers, `page` ones belong into a page's `on_load`; for `refused` see `Rule`.
    """

    def declare(function: Callable[..., Any]) -> Any:
        setattr(function, _RULE, Rule(public, page, refused))
        return rx.event(function, background=background, **options)

    return declare if fn is None else declare(fn)


def actor() -> Actor:
    """Who is calling the running handler. Raises Unauthorized where nobody is signed in."""
    if (current := _actor.get()) is None:
        raise Unauthorized
    return current


def caller() -> str:
    """The id of the socket that calls the running handler, without waiting for its tab's lock."""
    return _caller.get()


def stranger() -> bool:
    """Whether the running handler was called without a session."""
    return _actor.get() is None


def rule_of(function: Callable[..., Any]) -> Rule | None:
    """The rule a handler was declared with, None for anything that is not one of our handlers."""
    return getattr(function, _RULE, None)


def cookie_name(secure: bool, name: str = COOKIE) -> str:
    """A cookie's name. A sibling subdomain cannot plant a `__Host-` one, so on https no other counts."""
    return ("__Host-" if secure else "") + name


def session_value(cookie_header: str, secure: bool, name: str = COOKIE) -> str:
    """A cookie's value in a Cookie header, the session's unless named, '' when there is none. `secure`: the page came
    by https.

    Other cookies of this host may hold anything, and http.cookies gives up at the first that it finds odd.
    """
    for cookie in cookie_header.split(";"):
        key, _, value = cookie.partition("=")
        if key.strip() == cookie_name(secure, name):
            return value.strip()
    return ""


def sign_in_page(next_path: str) -> str:
    """Where a stranger is sent who asked for `next_path`."""
    return f"/sign-in?next={quote(next_path.rstrip('/') or '/', safe='/')}"


def site_path(target: object) -> str:
    """`target` if it is a path of this site, else the start page. Keeps `next` from leading anywhere else."""
    text = target if isinstance(target, str) else ""
    # Browsers read a backslash as a slash and skip tabs and newlines; after a single slash no host can follow.
    inside = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if inside and len(text) <= 500 else "/chat"


class Owner(rx.State):
    """Which session a tab's state was made for."""

    _session: str = ""


class Gate(Middleware):
    """Reflex middleware; first in line, before the state is touched or sent."""

    def __init__(self, resolve: Resolve, subscribe: Subscribe) -> None:
        self._resolve = resolve
        self._subscribe = subscribe

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """None lets the handler run; an update is sent in its place."""
        root = state._get_root_state()
        headers = root.router_data.get("headers", {})
        cookie = session_value(headers.get("cookie", ""), headers.get("origin", "").startswith("https:"))
        await self._bind(root, cookie)
        function = _function(event.name)
        if function is None:
            return StateUpdate()
        if function.__module__.startswith("reflex."):
            return None if function.__name__ in INTERNAL else StateUpdate()
        return await self._admit(function, cookie, event, root)

    async def _admit(
        self, function: Callable[..., Any], cookie: str, event: Event, root: BaseState
    ) -> StateUpdate | None:
        rule = rule_of(function)
        if rule is None:
            log.warning("Refused a call of %s, which is not declared as a handler.", function.__qualname__)
            return _refusal(Unauthorized())
        try:
            _actor.set(await self._caller(root, cookie, patient=rule.page))
            _caller.set(root.router_data.get("sid", ""))
            if not rule.public and stranger():
                return _to_sign_in(root) if rule.page else _refusal(Unauthorized(), rule.refused)
            _replace(event.payload, validated(function, event.payload))
        except ChatError as error:
            return _refusal(error, rule.refused)
        return None

    async def _caller(self, root: BaseState, cookie: str, patient: bool) -> Actor | None:
        """Who the cookie belongs to; their tab hears from now on when the session ends. Raises Unavailable.

        Here, because a socket may call any handler first. Nothing suspends between the answer and the subscription:
        a session that ends later finds the tab, one that ended before has no actor.
        """
        pauses = PAUSES if patient else ()
        found = await patiently(lambda: self._resolve(cookie), pauses) if cookie else None
        if found is not None:
            await self._subscribe(root.router_data.get("sid", ""), found)
        return found

    async def _bind(self, root: BaseState, cookie: str) -> None:
        """A client token is chosen by the browser and seen in URLs: another session's cookie gets a fresh state."""
        owner = await root.get_state(Owner)
        if owner._session != cookie:
            if owner._session:
                root.reset()
            owner._session = cookie


def validated(function: Callable[..., Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the handler's type hints declare them. Raises Invalid."""
    if len(repr(payload)) > ARGUMENTS_LIMIT:
        raise Invalid("That is too much to send at once.")
    try:
        # Reflex sends a form as a list of fields, and would turn it into a dict only after us.
        return dict(_arguments(function)(**{name: form_data_as_dict(value) for name, value in payload.items()}))
    except (pydantic.ValidationError, TypeError, ValueError):
        raise Invalid("That could not be understood.") from None


@cache
def _arguments(function: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """A function with the handler's parameters that validates and answers them."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: dict[str, Any] = {
        p.name: (hints[p.name], ... if p.default is inspect.Parameter.empty else p.default) for p in parameters
    }
    model = pydantic.create_model(
        f"Arguments of {function.__qualname__}", __config__=pydantic.ConfigDict(extra="forbid"), **fields
    )

    def validate(**payload: Any) -> dict[str, Any]:
        arguments = model(**payload)
        return {name: getattr(arguments, name) for name in fields}

    return validate


def _function(event_name: str) -> Callable[..., Any] | None:
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return registered.handler.fn if registered else None


def _replace(payload: dict[str, Any], arguments: dict[str, Any]) -> None:
    payload.clear()
    payload.update(arguments)


def _refusal(error: ChatError, then: EventSpec | None = None) -> StateUpdate:
    return _frontend(_toast(error.message), *([then] if then else []))


def _to_sign_in(root: BaseState) -> StateUpdate:
    return _frontend(rx.redirect(sign_in_page(site_path(root.router.url.path)), replace=True))


def _frontend(*events: Any) -> StateUpdate:
    return StateUpdate(events=Event.from_event_type(list(events)))


def report(exception: Exception) -> EventSpec:
    """What a person sees of an exception in a handler: a ChatError's own sentence, anything else only in the log."""
    if isinstance(exception, ChatError):
        return _toast(exception.message)
    log.error("A handler failed", exc_info=exception)
    return _toast("Something went wrong. Please try again.")


def _toast(sentence: str) -> EventSpec:
    told: EventSpec = rx.toast.error(sentence)
    return told
