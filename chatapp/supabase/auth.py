"""Supabase Auth: prove who somebody is, in exchange for tokens. Errors come as sentences for the person
signing in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from httpx import HTTPError
from pydantic import ValidationError
from supabase import AuthApiError, AuthError, AuthRetryableError, AuthWeakPasswordError
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
        data = {"email": email, "password": password, "options": {"data": {"name": name}}}
        return _tokens(await client.as_nobody().auth.sign_up(data))  # type: ignore[arg-type]


async def sign_in(email: str, password: str) -> Tokens:
    """Check a password. Raises Invalid or Unavailable."""
    with _in_words():
        data = {"email": email, "password": password}
        return _tokens(await client.as_nobody().auth.sign_in_with_password(data))  # type: ignore[arg-type]


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


async def sign_out(access_token: str) -> None:
    """End one session at Supabase. A session that has ended already is no error."""
    try:
        with _in_words():
            await client.as_nobody().auth.admin.sign_out(access_token, "local")
    except Invalid:
        log.debug("The session had ended already.")


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
        made = await client.as_project().auth.admin.create_user({**attributes, **chosen})  # type: ignore[typeddict-item]
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
