"""The settings of this process: where its Supabase project is and how to reach it.

The only reader of the environment. The names are the ones a project's dashboard uses today; the two that
keys had until 2025 are taken too, with a warning.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chatapp.errors import SettingsError

log = logging.getLogger(__name__)

APP_LOGIN = "chat_app"
"""The role the app logs in as. It owns nothing and inherits nothing: see sql/."""

_NAMES = {
    "supabase_url": "SUPABASE_URL",
    "supabase_publishable_key": "SUPABASE_PUBLISHABLE_KEY",
    "supabase_secret_key": "SUPABASE_SECRET_KEY",
    "database_url": "DATABASE_URL",
}
_OLD_NAMES = {
    "supabase_publishable_key": "SUPABASE_ANON_KEY",
    "supabase_secret_key": "SUPABASE_SERVICE_ROLE_KEY",
}


class Settings(BaseModel):
    """A project, whole: every part is there. Secrets print as asterisks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    supabase_url: str
    supabase_publishable_key: str
    supabase_secret_key: SecretStr
    database_url: SecretStr
    """The owner's address, as the dashboard gives it: it migrates. The app logs in by `app_url`."""
    app_database_url: SecretStr | None = None
    migrate_on_start: bool = False
    is_standin: bool = False
    """Set by the composition root alone, when it started the stand-in itself."""

    @field_validator("supabase_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
            raise ValueError("must start with https:// (or http:// on this machine)")
        return value.rstrip("/")

    @field_validator("database_url", "app_database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value and urlsplit(value.get_secret_value()).scheme not in ("postgres", "postgresql"):
            raise ValueError("must start with postgresql://")
        return value

    @property
    def owner_url(self) -> str:
        """The address migrations use."""
        return self.database_url.get_secret_value()

    @property
    def app_url(self) -> str:
        """The address the app logs in by: APP_DATABASE_URL, or the owner's with `chat_app` and its own
        password.
        """
        if self.app_database_url:
            return self.app_database_url.get_secret_value()
        return _as_login(self.owner_url, self.app_password)

    @property
    def app_password(self) -> str:
        """The password of `chat_app`: derived, so that there is no fourth secret to keep."""
        key = self.supabase_secret_key.get_secret_value().encode()
        return hmac.new(key, APP_LOGIN.encode(), hashlib.sha256).hexdigest()


class _Environment(BaseSettings):
    """What the environment and `.env` say; any part may be missing."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    supabase_url: str | None = None
    supabase_publishable_key: str | None = Field(
        None, validation_alias=AliasChoices("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY")
    )
    supabase_secret_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    )
    database_url: SecretStr | None = None
    app_database_url: SecretStr | None = None
    migrate_on_start: bool = False
    standin_data: Path = Path(".standin")
    # Read beside their successors only to warn about them.
    supabase_anon_key: SecretStr | None = None
    supabase_service_role_key: SecretStr | None = None


def load() -> Settings | None:
    """Return the settings of the environment, or None when no project is configured.

    Raises SettingsError with one sentence when a part is missing or wrong.
    """
    found = _read()
    parts = {name: value for name in _NAMES if (value := getattr(found, name)) is not None}
    if not parts:
        return None
    _require_all(parts)
    _warn_of_old_names(found)
    optional = {"app_database_url": found.app_database_url, "migrate_on_start": found.migrate_on_start}
    return _build({**parts, **optional})


def standin_data() -> Path:
    """Return the folder of the stand-in's data: STANDIN_DATA, else `.standin` in the project, which git ignores."""
    return _read().standin_data


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make `settings` the process's own; done once, by the composition root."""
    global _current  # noqa: PLW0603 - the one place that sets it
    _current = settings


def current() -> Settings:
    """Return the process's settings. Raises SettingsError when nothing has set them."""
    if _current is None:
        raise SettingsError("No Supabase project is set up in this process.")
    return _current


def _read() -> _Environment:
    try:
        return _Environment()
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _build(parts: dict[str, Any]) -> Settings:
    try:
        return Settings(**parts)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Say what is wrong without repeating the value: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    return f"{_NAMES.get(name, name.upper())} {first['msg'].removeprefix('Value error, ')}."


def _require_all(parts: dict[str, Any]) -> None:
    missing = [_NAMES[name] for name in _NAMES if name not in parts]
    if missing:
        given = ", ".join(_NAMES[name] for name in parts)
        raise SettingsError(
            f"{given} is set but {', '.join(missing)} is not: set all four of your Supabase project, "
            "or none to use the local stand-in."
        )


def _warn_of_old_names(found: _Environment) -> None:
    for part, old in _OLD_NAMES.items():
        if getattr(found, old.lower()) is not None:
            log.warning("%s is the old name of %s: please rename it.", old, _NAMES[part])


def _as_login(owner_url: str, password: str) -> str:
    """Return `owner_url` with the app's login.

    A pooler finds the project by what follows the user's dot: keep it.
    """
    url = urlsplit(owner_url)
    _, dot, project = (url.username or "").partition(".")
    where = url.netloc.rpartition("@")[2]
    login = f"{APP_LOGIN}{dot}{project}:{quote(password, safe='')}@{where}"
    return urlunsplit(url._replace(netloc=login))
