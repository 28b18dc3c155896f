"""What stands before a hosted project's services: no API key, no entry."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse

from .keys import Keys


def bearer(request: Request) -> str | None:
    """Return the token in `Authorization`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def api_key(request: Request) -> str | None:
    """Return the API key, from the header or the address."""
    return request.headers.get("apikey") or request.query_params.get("apikey")


def refusal_of(keys: Keys, request: Request) -> JSONResponse | None:
    """Return the gateway's answer to a request without one of this project's keys, None where there is one."""
    key = api_key(request)
    if keys.role_of(key):
        return None
    if key:
        return JSONResponse({"message": "Invalid API key", "hint": "Double check your Supabase API key."}, 401)
    hint = "No `apikey` request header or url param was found."
    return JSONResponse({"message": "No API key found in request", "hint": hint}, 401)
