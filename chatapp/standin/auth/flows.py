"""Code exchange (PKCE): who started a flow proves it by a secret, so that a link caught on its way is worth nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from typing import Any

from chatapp.standin.database import Connection, Row, one

from .errors import AuthError, invalid_input
from .users import as_uuid

CODE_SECONDS = 300  # hosted default: how long a code may be exchanged


async def start_flow(connection: Connection, user: Row, body: dict[str, Any], method: str) -> bool:
    """Remember the challenge a client sent; return whether it sent one. Raises AuthError."""
    challenge, hashing = body.get("code_challenge"), str(body.get("code_challenge_method") or "").lower()
    if not challenge and not hashing:
        return False
    if not isinstance(challenge, str) or hashing not in ("s256", "plain"):
        raise invalid_input("PKCE flow requires code_challenge_method and code_challenge")
    if not 43 <= len(challenge) <= 128:
        raise invalid_input("code challenge has to be between 43 and 128 characters")
    await connection.execute(
        """insert into auth.flow_state (user_id, auth_code, code_challenge_method, code_challenge, provider_type,
             authentication_method) values (%s, %s, %s, %s, 'email', %s)""",
        (user["id"], str(uuid.uuid4()), hashing, challenge, method),
    )
    return True


async def issue_code(connection: Connection, user: Row) -> str:
    """Return the code that the newest flow of `user` is exchanged by. Raises AuthError."""
    flow = await one(
        connection,
        """update auth.flow_state set auth_code_issued_at = now(), updated_at = now() where id = (
             select id from auth.flow_state where user_id = %s and auth_code_issued_at is null
             order by created_at desc limit 1) returning auth_code""",
        user["id"],
    )
    if flow is None:
        raise _no_flow()
    return str(flow["auth_code"])


async def take_flow(connection: Connection, code: object, verifier: object) -> Row | AuthError:
    """Use a code up and return its flow. The refusals that end a flow are returned: that end is committed."""
    flow = await one(
        connection,
        """delete from auth.flow_state where auth_code = %s and auth_code_issued_at is not null
           returning *, auth_code_issued_at + make_interval(secs => %s) < now() as expired""",
        str(as_uuid(code)),
        CODE_SECONDS,
    )
    if flow is None:
        raise _no_flow()
    if flow["expired"]:
        return AuthError(403, "flow_state_expired", "invalid flow state, flow state has expired")
    if not _proves(flow, str(verifier)):
        return AuthError(400, "bad_code_verifier", "code challenge does not match previously saved code verifier")
    return flow


def _no_flow() -> AuthError:
    return AuthError(404, "flow_state_not_found", "invalid flow state, no valid flow state found")


def _proves(flow: Row, verifier: str) -> bool:
    if flow["code_challenge_method"] == "s256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), flow["code_challenge"].encode())
