"""Settings: a whole project, none, or one sentence about what is missing."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg
import pytest

from chatapp import settings
from chatapp.errors import SettingsError
from chatapp.settings import Settings

WHOLE = {
    "SUPABASE_URL": "https://abcref.supabase.co/",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x",
    "SUPABASE_SECRET_KEY": "sb_secret_x",
    "DATABASE_URL": "postgresql://postgres.abcref:pa%40ss@pooler.example.com:6543/postgres?sslmode=require",
}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without .env, an environment without ours."""
    monkeypatch.chdir(tmp_path)
    for name in (*WHOLE, "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY", "APP_DATABASE_URL", "STANDIN_DATA"):
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_no_project() -> None:
    assert settings.load() is None


def test_a_whole_project(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, WHOLE)
    found = settings.load()
    assert found
    assert found.supabase_url == "https://abcref.supabase.co"
    assert not found.is_standin


def test_empty_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, dict.fromkeys(WHOLE, ""))
    assert settings.load() is None


def test_dotenv_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\n".join(f"{name}={value}" for name, value in WHOLE.items()))
    assert settings.load()


@pytest.mark.parametrize("missing", WHOLE)
def test_half_a_project_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    given(monkeypatch, {name: value for name, value in WHOLE.items() if name != missing})
    with pytest.raises(SettingsError, match=f"is set but {missing} is not"):
        settings.load()


def test_old_names_do_with_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    old = {"SUPABASE_ANON_KEY": "eyJ", "SUPABASE_SERVICE_ROLE_KEY": "eyS"}
    given(monkeypatch, {"SUPABASE_URL": WHOLE["SUPABASE_URL"], "DATABASE_URL": WHOLE["DATABASE_URL"], **old})
    with caplog.at_level(logging.WARNING):
        found = settings.load()
    assert found
    assert found.supabase_publishable_key == "eyJ"
    assert found.supabase_secret_key.get_secret_value() == "eyS"
    assert "SUPABASE_ANON_KEY is the old name of SUPABASE_PUBLISHABLE_KEY" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"), [("SUPABASE_URL", "abcref.supabase.co"), ("DATABASE_URL", "mysql://root:hunter2@localhost/x")]
)
def test_a_wrong_address_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    given(monkeypatch, {**WHOLE, name: value})
    with pytest.raises(SettingsError, match=f"{name} must start with") as raised:
        settings.load()
    assert "hunter2" not in str(raised.value)


def test_the_apps_login_keeps_host_project_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, WHOLE)
    found = settings.load()
    assert found
    login = psycopg.conninfo.conninfo_to_dict(found.app_url)
    assert login["user"] == "chat_app.abcref"
    assert login["password"] == found.app_password
    assert (login["host"], login["port"], login["sslmode"]) == ("pooler.example.com", "6543", "require")


def test_the_apps_login_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {**WHOLE, "APP_DATABASE_URL": "postgresql://me:pw@db.example.com/postgres"})
    found = settings.load()
    assert found
    assert found.app_url == "postgresql://me:pw@db.example.com/postgres"


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, WHOLE)
    found = settings.load()
    assert "sb_secret_x" not in repr(found)
    assert "pa%40ss" not in repr(found)


def test_the_standins_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.standin_data() == Path(".standin")
    given(monkeypatch, {"STANDIN_DATA": "/somewhere"})
    assert settings.standin_data() == Path("/somewhere")


def test_current_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", None)
    with pytest.raises(SettingsError):
        settings.current()


def test_settings_are_frozen(project: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        project.is_standin = False
