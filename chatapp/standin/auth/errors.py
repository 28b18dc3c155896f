"""Auth's refusals, with the codes of https://supabase.com/docs/guides/auth/debugging/error-codes."""

from __future__ import annotations

from starlette.responses import JSONResponse


class AuthError(Exception):
    """A refusal: the HTTP status, the code a program tests, and the sentence a person reads."""

    def __init__(self, status: int, code: str, message: str, **extra: object) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra

    def response(self) -> JSONResponse:
        body = {"code": self.status, "error_code": self.code, "msg": self.message, **self.extra}
        return JSONResponse(body, self.status, headers={"x-sb-error-code": self.code})


def invalid_input(message: str) -> AuthError:
    """What was sent is not what the endpoint takes."""
    return AuthError(400, "validation_failed", message)


def invalid_credentials() -> AuthError:
    """One answer for an unknown address and a wrong password: whoever asks must not learn which."""
    return AuthError(400, "invalid_credentials", "Invalid login credentials")


def weak_password() -> AuthError:
    """A password is too short; the clients read the reason from `weak_password`."""
    message = "Password should be at least 6 characters."
    return AuthError(422, "weak_password", message, weak_password={"reasons": ["length"]})


def not_in_standin(what: str) -> AuthError:
    """Say so instead of pretending: a silent success would be found out in production."""
    return AuthError(501, "not_implemented", f"The local stand-in has no {what}: use a hosted Supabase project for it.")
