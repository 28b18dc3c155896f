# ruff: noqa: N818 - these are sentences to people; `raise NotAMember` reads better than `raise NotAMemberError`
"""What can go wrong, in words fit for the person who caused it.

Every verb and every query raises `ChatError` or nothing: a view shows `message` as it is, a handler may
branch on `code`.
"""

from __future__ import annotations


class ChatError(Exception):
    """One clear sentence (`message`) and a name for programs (`code`)."""

    code = "error"

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code


class Unauthorized(ChatError):
    """Nobody is signed in."""

    code = "unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class NotAMember(ChatError):
    """The actor is not in the room. Also the answer for a room that is not there: the two must look alike."""

    code = "not_a_member"

    def __init__(self, message: str = "Not a member of this room") -> None:
        super().__init__(message)


class NotFound(ChatError):
    """There is no such thing, or not for this actor."""

    code = "not_found"

    def __init__(self, message: str = "Not found") -> None:
        super().__init__(message)


class Forbidden(ChatError):
    """The actor may see it, but not do that to it."""

    code = "forbidden"

    def __init__(self, message: str = "You are not allowed to do that.") -> None:
        super().__init__(message)


class Invalid(ChatError):
    """The input cannot be accepted; the message says what to change."""

    code = "invalid"


class Unavailable(ChatError):
    """Something we depend on does not answer; trying again later may help."""

    code = "unavailable"


class TooSlow(Unavailable):
    """The database was given a time for an answer, and it is over."""


class Misconfigured(ChatError):
    """Whoever runs this has something to set right; the message says what."""

    code = "misconfigured"


class SettingsError(Misconfigured):
    """The settings name half a project, or something that is not one."""


class NotMigrated(Misconfigured):
    """The database is older or newer than this code."""

    code = "not_migrated"

    def __init__(self, message: str = "") -> None:
        cure = "The database is not up to date with this version: run `python -m chatapp migrate`."
        super().__init__(message or cure)


class Internal(ChatError):
    """A defect of ours; the cause is chained and logged, never shown."""

    code = "internal"

    def __init__(self, message: str = "Something went wrong on our side.") -> None:
        super().__init__(message)
