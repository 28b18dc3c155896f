"""The parts of the kit that run in the browser, as Python sees them (assets/kit.js)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reflex.vars import FunctionVar, VarData
from reflex_base.event import EventChain
from reflex_base.utils.imports import ImportVar
from reflex_base.vars.base import Var

MODULE = "$/public/kit.js"


def is_open(name: str | Var) -> Var:
    """Whether what goes by this name (a panel, a question) is open in this tab; the server doesn't know."""
    hooks = {"const openNames = useOpen()": _imports(MODULE, "useOpen")}
    named = Var.create(name)
    data = VarData.merge(VarData(hooks=hooks), named._get_all_var_data())
    return Var(f"openNames.has({named})", _var_type=bool, _var_data=data).guess_type()


def show(name: str | Var) -> Var:
    """For a trigger: open it."""
    return trigger(MODULE, "show", Var.create(name))


def hide(name: str | Var) -> Var:
    """For a trigger: close it."""
    return trigger(MODULE, "hide", Var.create(name))


def toggle(name: str | Var) -> Var:
    """For a trigger: open or close it."""
    return trigger(MODULE, "toggle", Var.create(name))


def fill(form: str, values: Mapping[str, str]) -> Var:
    """For a trigger: put these values into a form's fields, all by name."""
    return trigger(MODULE, "fill", Var(json.dumps(form)), Var(json.dumps(values)))


def next_page() -> Var:
    """Where the address says to go next, "" for nowhere. Only for showing: the server judges it."""
    return hook("nextPage", call(MODULE, "useNext", kind=str), str)


def keeping_next(path: str) -> Var:
    """The address of another page, with the `next` of this one."""
    return call(MODULE, "keepingNext", Var.create(path), next_page(), kind=str)


def begins_in_field() -> Var:
    """Whether the field of a page gets the focus when it opens."""
    return call(MODULE, "beginsInField", kind=bool)


def command_key() -> Var:
    """The key that commands go with: Ctrl, or ⌘ on Apple's keyboards."""
    return hook("commandKey", call(MODULE, "useCommandKey", kind=str), str)


def initials_of(name: Var) -> Var:
    """What stands in for the picture of somebody of whom only the name is known."""
    return call(MODULE, "initialsOf", name, kind=str)


def colour_of(user_id: Var) -> Var:
    """A person's colour, 0 to 7, from the id alone."""
    return call(MODULE, "colourOf", user_id, kind=int)


def person_of(people: Var, user_id: Var, kind: Any) -> Var:
    """Who in a list of people has this id; undefined for nobody."""
    return call(MODULE, "personOf", people, user_id, kind=kind)


def status_of(person: Var, kind: Any) -> Var:
    """What a person says of themselves, with `words` for all of it; nothing once it has ended."""
    return call(MODULE, "statusOf", person, kind=kind)


def day_of(iso: Var) -> Var:
    """The day of an ISO 8601 time in the viewer's zone and manner of writing."""
    return call(MODULE, "dayOf", iso, kind=str)


def moment_of(iso: Var) -> Var:
    """A time of the next days, in the viewer's zone and manner of writing."""
    return call(MODULE, "momentOf", iso, kind=str)


def hook(name: str, call: Var, kind: Any) -> Var:
    """The result of a React hook, given as its call, for every component that uses it; `name` is its alone."""
    data = call._get_all_var_data()
    declared = VarData(hooks={f"const {name} = {call!s}": data})
    return Var(name, _var_type=kind, _var_data=VarData.merge(data, declared)).guess_type()


def call(module: str, function: str, *arguments: Var, kind: Any = Any) -> Var:
    """What a function of a module in assets/ answers, where it is asked from a component."""
    data = VarData.merge(_imports(module, function), *(argument._get_all_var_data() for argument in arguments))
    asked = f"{function}({', '.join(str(argument) for argument in arguments)})"
    return Var(asked, _var_type=kind, _var_data=data).guess_type()


def trigger(module: str, function: str, *arguments: Var) -> Var:
    """For a trigger: call a function of a module in assets/, and no handler."""
    asked = call(module, function, *arguments)
    return Var(f"(() => {asked!s})", _var_data=asked._get_all_var_data()).to(FunctionVar, EventChain)


def _imports(module: str, tag: str) -> VarData:
    return VarData(imports={module: [ImportVar(tag=tag)]})
