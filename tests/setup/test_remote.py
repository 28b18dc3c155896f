"""A configured project is looked at before the app starts. The stand-in answers as a hosted one does."""

from __future__ import annotations

import socket

import pytest
from pydantic import SecretStr

from chatapp import remote
from chatapp.errors import ChatError, Misconfigured, Unavailable
from chatapp.settings import Settings


async def test_a_project_in_order_passes(project: Settings) -> None:
    await remote.check(project)


async def test_a_url_that_does_not_answer(project: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"
    refusal = await _refusal(project, supabase_url=nowhere)
    assert isinstance(refusal, Unavailable)
    assert f"{nowhere} does not answer" in refusal.message
    assert "check SUPABASE_URL" in refusal.message


@pytest.mark.parametrize("name", ["supabase_publishable_key", "supabase_secret_key"])
async def test_a_wrong_key_is_named_and_never_shown(project: Settings, name: str) -> None:
    wrong = "sb_wrong_0123456789"
    refusal = await _refusal(project, **{name: SecretStr(wrong) if "secret" in name else wrong})
    assert isinstance(refusal, Misconfigured)
    assert f"refuses {name.upper()}" in refusal.message
    assert wrong not in refusal.message


async def test_a_url_of_something_else(project: Settings) -> None:
    refusal = await _refusal(project, supabase_url=f"{project.supabase_url}/elsewhere")
    assert "is no working Supabase project (HTTP 404" in refusal.message


async def _refusal(project: Settings, **changes: object) -> ChatError:
    with pytest.raises(ChatError) as refusal:
        await remote.check(project.model_copy(update=changes))
    return refusal.value
