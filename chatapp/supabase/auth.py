"""Supabase Auth: prove who somebody is, in exchange for tokens. Errors come as sentences for the person
signing in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from httpx import HTTPError
from pydantic import BaseModel, ValidationError
from supabase import AuthApiError, AuthError, AuthRetryableError, AuthWeakPasswordError
from supabase_auth import AsyncMemoryStorage
from supabase_auth.types import AuthResponse

from chatapp.errors import ChatError, Invalid, Unauthorized, Unavailable
from chatapp.supabase import client

log = logging.getLogger(__name__)

CHECK_INBOX = "Check your inbox to confirm your email."
AWAY = "Signing in is not possible at the moment. Please try again."

# What Auth's codes (https://supabase.com/docs/guides/auth/debugging/error-codes) mean for a person.
_SENTENCES = {
    "invalid_credentials": "Email or password is incorrect.",
    "user_already_exists": "An account with this email already exists.",
    "email_exists": "An account with this email already exists.",
    "email_address_invalid": "This is not an email address we can use.",
    "email_not_confirmed": CHECK_INBOX,
    "signup_disabled": "New accounts are not accepted here.",
    "email_provider_disabled": "Signing in by email is not offered here.",
    "same_password": "The new password is the same as the current one.",
    "user_banned": "This account has been closed.",
    "captcha_failed": "This project asks for a captcha, which is not supported yet.",
    "over_request_rate_limit": "Too many attempts. Please wait a moment and try again.",
    "over_email_send_rate_limit": "Too many emails were sent. Please try again later.",
}


# What Auth says only of addresses that somebody has, or nobody: told, it would tell which.
_ABOUT_AN_ACCOUNT = frozenset(
    {
        "email_exists",
        "email_not_confirmed",
        "otp_disabled",
        "over_email_send_rate_limit",
        "signup_disabled",
        "user_already_exists",
        "user_banned",
        "user_not_found",
    }
)
_NO_PROVIDERS = frozenset({"email", "phone", "anonymous_users"})


@dataclass(frozen=True)
class Offered:
    """The ways in of a project: by e-mail, and at which providers, by the names Supabase gives them."""

    email: bool = True
    providers: tuple[str, ...] = ()


class _Settings(BaseModel):
    """What is read of `/auth/v1/settings`."""

    external: dict[str, Any] = {}


@dataclass(frozen=True)
class Tokens:
    """Proof of a signed-in person, as Supabase's services take it. Not for the browser."""

    user_id: UUID
    access_token: str
    refresh_token: str
    access_expires_at: datetime

    def __repr__(self) -> str:
        return f"Tokens(user_id={self.user_id})"  # the rest are secrets


async def sign_up(name: str, email: str, password: str) -> Tokens:
    """Make an account and sign in.

    Raises Invalid, also when the address must be confirmed first, or Unavailable.
    """
    with _in_words():
        answer = await client.as_nobody().auth.sign_up(
            {"email": email, "password": password, "options": {"data": {"name": name}}}
        )
        return _tokens(answer)


async def sign_in(email: str, password: str) -> Tokens:
    """Check a password. Raises Invalid or Unavailable."""
    with _in_words():
        return _tokens(await client.as_nobody().auth.sign_in_with_password({"email": email, "password": password}))


async def refresh(refresh_token: str) -> Tokens:
    """Exchange a refresh token, which can be used once, for new tokens.

    Raises Unauthorized when it is no longer good.
    """
    try:
        with _in_words():
            return _tokens(await client.as_nobody().auth.refresh_session(refresh_token))
    except Invalid as refused:
        raise Unauthorized from refused


async def change_password(access_token: str, current: str, new: str) -> Tokens:
    """Give somebody who is signed in, and knows the current password, another one; every session but the new one ends.

    The current password is proved by signing in with it, so guessing it meets the same limits as guessing at the door.
    Raises Invalid or Unavailable.
    """
    person = client.as_nobody()
    with _in_words(invalid_credentials="The current password is incorrect."):
        known = await person.auth.get_user(access_token)
        email = known.user.email if known else None
        if not email:
            raise Invalid("This account has no password to change.")
        answer = await person.auth.sign_in_with_password({"email": email, "password": current})
    tokens = _tokens(answer)
    try:
        with _in_words():
            await person.auth.update_user({"password": new})
    except ChatError:
        await sign_out(tokens.access_token)  # nothing was changed: the proof's own session is not left behind
        raise
    return tokens


async def sign_out(access_token: str, scope: Literal["local", "global"] = "local") -> None:
    """End one session at Supabase, or all of that person. A session that has ended already is no error."""
    try:
        with _in_words():
            await client.as_nobody().auth.admin.sign_out(access_token, scope)
    except Invalid:
        log.debug("The session had ended already.")


async def offered() -> Offered:
    """Return the ways in that the project has switched on. Raises Unavailable."""
    with _in_words():
        answer = await client.get("/auth/v1/settings")
        if answer.status_code != 200:
            raise Unavailable(AWAY)
        ways = _Settings.model_validate_json(answer.content).external
    others = sorted(name for name, on in ways.items() if on is True and name not in _NO_PROVIDERS)
    return Offered(bool(ways.get("email", True)), tuple(others))


async def mail_link(email: str, landing: str) -> str:
    """Mail a link that signs in, if this is somebody's address; return what its code is exchanged with.

    Whether it is nobody says. Raises Invalid for what no address would be refused for, and Unavailable.
    """
    person, kept = client.as_visitor()
    with _told_alike(), _in_words():
        await person.auth.sign_in_with_otp(
            {"email": email, "options": {"email_redirect_to": landing, "should_create_user": False}}
        )
    return _verifier(kept)


async def mail_reset(email: str, landing: str) -> str:
    """Mail a link for choosing another password; as `mail_link`."""
    person, kept = client.as_visitor()
    with _told_alike(), _in_words():
        await person.auth.reset_password_for_email(email, {"redirect_to": landing})
    return _verifier(kept)


async def at_provider(provider: str, landing: str) -> tuple[str, str]:
    """Return the address at which somebody signs in elsewhere, and what the code they return with is exchanged with."""
    person, kept = client.as_visitor()
    with _in_words():
        options = {"provider": provider, "options": {"redirect_to": landing}}
        answer = await person.auth.sign_in_with_oauth(options)  # type: ignore[arg-type]  # which there are, the project says
    return answer.url, _verifier(kept)


async def exchange(code: str, verifier: str) -> Tokens:
    """Exchange the code that a link or a provider leads back with, good once. Raises Invalid or Unavailable."""
    person, _ = client.as_visitor()
    with _in_words():
        return _tokens(await person.auth.exchange_code_for_session({"auth_code": code, "code_verifier": verifier}))


async def set_password(access_token: str, refresh_token: str, new: str) -> Tokens:
    """Give somebody who came by a link from a mail another password; every other session at Supabase ends.

    Raises Invalid or Unavailable.
    """
    person = client.as_nobody().auth
    with _in_words():
        answer = await person.set_session(access_token, refresh_token)
        await person.update_user({"password": new})
        return _tokens(answer)


async def change_email(access_token: str, new: str, landing: str) -> None:
    """Mail a link to the new address, and to the present one where the project wants both to agree.

    That the new one is somebody's already is not told. Raises Invalid or Unavailable.
    """
    person, _ = client.as_visitor()
    with _told_alike(), _in_words():
        # The access token is good for a minute, so what would renew it is not asked for.
        await person.auth.set_session(access_token, "unused")
        await person.auth.update_user({"email": new}, {"email_redirect_to": landing})


async def invite(email: str, landing: str) -> None:
    """Mail somebody without an account the way in, which ends at the address `landing`.

    The secret key may. Raises Invalid, also for somebody who has an account, and Unavailable.
    """
    with _in_words():
        await client.as_project().auth.admin.invite_user_by_email(email, {"redirect_to": landing})


async def set_up(access_token: str, refresh_token: str, name: str, password: str) -> Tokens:
    """Give the account of somebody who was invited its name and first password.

    The tokens are those that the mail's link leads on with. Raises Invalid when they are not good, and Unavailable.
    """
    with _in_words():
        visitor = client.as_nobody().auth
        await visitor.get_user(access_token)  # Auth's word first: the client takes a token apart without care
        answer = await visitor.set_session(access_token, refresh_token)
        await visitor.update_user({"password": password, "data": {"name": name}})
        return _tokens(answer)


async def create_account(name: str, email: str, password: str, user_id: UUID | None = None) -> UUID:
    """Make a confirmed account, for seeds and tests: the secret key may. Raises Invalid when it is there."""
    with _in_words():
        attributes = {
            "email": email,
            "password": password,
            "email_confirm": True,
            "user_metadata": {"name": name},
        }
        chosen = {"id": str(user_id)} if user_id else {}
        made = await client.as_project().auth.admin.create_user({**attributes, **chosen})  # type: ignore[typeddict-item]  # an id is undeclared
        return UUID(made.user.id)


def _tokens(answer: AuthResponse) -> Tokens:
    session = answer.session
    if session is None or session.user is None:  # the project wants addresses to be confirmed
        raise Invalid(CHECK_INBOX, "email_not_confirmed")
    expires = session.expires_at or int(datetime.now(UTC).timestamp()) + session.expires_in
    return Tokens(
        UUID(session.user.id),
        session.access_token,
        session.refresh_token,
        datetime.fromtimestamp(expires, UTC),
    )


@contextmanager
def _in_words(**instead: str) -> Iterator[None]:
    """What Auth refuses becomes a sentence; `instead` has other ones, by Auth's code."""
    try:
        yield
    except AuthRetryableError as error:
        raise Unavailable(AWAY) from error
    except AuthError as error:
        raise _refusal(error, instead) from error
    except (HTTPError, ValidationError) as error:  # no answer, or not one of Auth's
        raise Unavailable(AWAY) from error


@contextmanager
def _told_alike() -> Iterator[None]:
    """Keep to ourselves what would tell whether an address is somebody's."""
    try:
        yield
    except Invalid as refused:
        if refused.code not in _ABOUT_AN_ACCOUNT:
            raise
        log.info("Auth did not mail a link: %s", refused.code)


def _verifier(kept: AsyncMemoryStorage) -> str:
    """The client keeps it under a name made from the project's, and what it is for behind a slash."""
    [value] = (value for name, value in kept.storage.items() if name.endswith("-code-verifier"))
    return value.partition("/")[0]


def _refusal(error: AuthError, instead: Mapping[str, str]) -> ChatError:
    code, sentences = str(error.code or ""), {**_SENTENCES, **instead}
    if isinstance(error, AuthWeakPasswordError):
        return Invalid(error.message, "weak_password")
    if code in sentences:
        return Invalid(sentences[code], code)
    status = error.status if isinstance(error, AuthApiError) else 500
    if status == 429:
        return Invalid(_SENTENCES["over_request_rate_limit"], code)
    if status >= 500:
        log.error("Supabase Auth failed: %s", error.message)
        return Unavailable(AWAY)
    return Invalid(error.message, code or "refused")
