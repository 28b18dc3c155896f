"""What a text must be like before it may be stored."""

from __future__ import annotations

import emoji as unicode

from chatapp.errors import Invalid

EMAIL_LIMIT = 254  # RFC 5321


def clean(text: str, what: str, most: int, least: int = 1) -> str:
    """Return `text` trimmed. Raises Invalid, naming `what`, when it is too short, too long or cannot be stored.

    Lengths are code points, as Postgres' `char_length` counts them.
    """
    trimmed = storable(text, what).strip()
    if len(trimmed) < least:
        raise Invalid(f"{what} is empty.")
    if len(trimmed) > most:
        raise Invalid(f"{what} is too long: {len(trimmed):,} of {most:,} characters.")
    return trimmed


def storable(text: object, what: str) -> str:
    """Return `text`.

    Raises Invalid for NUL, which Postgres refuses, and lone surrogates, which UTF-8 has no bytes for.
    """
    if not isinstance(text, str):  # handlers are endpoints: anything may arrive, whatever the annotation says
        raise Invalid(f"{what} must be text.")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise Invalid(f"{what} contains characters that cannot be stored.")
    return text


def email_address(text: str) -> str:
    """Return `text` trimmed. Raises Invalid for what cannot be an address; whether it is one only a mail can tell."""
    email = clean(text, "Email", EMAIL_LIMIT)
    name, at, host = email.rpartition("@")
    if not (name and at and host) or any(char.isspace() for char in email):
        raise Invalid("This is not an email address we can use.")
    return email


def one_emoji(text: str) -> str:
    """Return the emoji, fully qualified, that `text` is: the two ways to write ❤️ are one. Raises Invalid."""
    if not unicode.is_emoji(text):
        raise Invalid("That is not an emoji.")
    return unicode.emojize(unicode.demojize(text))
