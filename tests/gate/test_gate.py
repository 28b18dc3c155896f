"""The gate's judgements, one by one; tests/live calls real handlers through it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from pydantic import StringConstraints
from typing_extensions import TypedDict

from chatapp import gate
from chatapp.errors import Invalid


class Form(TypedDict):
    name: Annotated[str, StringConstraints(max_length=5)]


def by_types(self: Any, room_id: UUID, form: Form, count: int = 1) -> None: ...


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/chat",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "chat",
        "",
        None,
        7,
        "/chat\r\nSet-Cookie: a=b",
        "/chat\u2028",
        "/" + "a" * 501,
        "http:/chat",
        "///evil.example",
        "//[",
        "//\u2100",
        "/\t/evil.example",
        " //evil.example",
    ],
)
def test_next_leads_nowhere_but_into_this_site(target: object) -> None:
    assert gate.site_path(target) == "/chat"


@pytest.mark.parametrize("path", ["/chat", "/chat/4f1c?at=3", "/invite/abc_-1", "/", "/chat//[", "/a:b@c"])
def test_next_keeps_a_path_of_this_site(path: str) -> None:
    assert gate.site_path(path) == path


def test_arguments_arrive_as_the_types_the_handler_declares() -> None:
    room_id = uuid4()
    assert gate.validated(by_types, {"room_id": str(room_id), "form": {"name": "Ada"}}) == {
        "room_id": room_id,
        "form": {"name": "Ada"},
        "count": 1,
    }


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"room_id": "nonsense", "form": {"name": "Ada"}},
        {"room_id": str(uuid4())},
        {"room_id": str(uuid4()), "form": {"name": "Adelaide"}},
        {"room_id": str(uuid4()), "form": {}},
        {"room_id": str(uuid4()), "form": {"name": "Ada"}, "actor": "me"},
        {"room_id": str(uuid4()), "form": {"name": "Ada"}, "count": "many"},
        {"room_id": None, "form": None},
        {"room_id": [], "form": []},
        {"self": 1},
    ],
)
def test_anything_else_is_refused_in_one_sentence(payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        gate.validated(by_types, payload)


def test_arguments_are_bounded() -> None:
    with pytest.raises(Invalid, match="too much"):
        gate.validated(by_types, {"form": "a" * gate.ARGUMENTS_LIMIT})


@pytest.mark.parametrize(
    ("header", "plain", "secure"),
    [
        ("chatapp_session=abc", "abc", ""),
        ("__Host-chatapp_session=abc", "", "abc"),
        ("other=1; __Host-chatapp_session=secure; chatapp_session=plain", "plain", "secure"),
        ("chatapp_session=plain;__Host-chatapp_session=secure", "plain", "secure"),
        ('prefs={"theme":"dark"}; chatapp_session=abc', "abc", ""),
        ('a="; chatapp_session = abc ; b=\x00', "abc", ""),
        ("chatapp_session=a=b", "a=b", ""),
        ("my_chatapp_session=abc; chatapp_session2=abc", "", ""),
        ("chatapp_session", "", ""),
        ("other=1", "", ""),
        ("", "", ""),
        ("=;;=,\x00", "", ""),
    ],
)
def test_the_session_is_read_from_the_cookie_header(header: str, plain: str, secure: str) -> None:
    assert gate.session_value(header, secure=False) == plain
    assert gate.session_value(header, secure=True) == secure


def test_a_form_is_validated_as_what_it_holds() -> None:
    # Reflex sends the fields of a form as a list under a name of its own.
    sent = {"room_id": str(uuid4()), "form": {"__reflex_form_data__": [["name", "Ada"]]}}
    assert gate.validated(by_types, sent)["form"] == {"name": "Ada"}


@pytest.mark.parametrize("fields", [7, None, "ab", [["name"]], [[[], "Ada"]], [["name", "Adelaide"]]])
def test_a_malformed_form_is_refused(fields: object) -> None:
    with pytest.raises(Invalid):
        gate.validated(by_types, {"room_id": str(uuid4()), "form": {"__reflex_form_data__": fields}})
