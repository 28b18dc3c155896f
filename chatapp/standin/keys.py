"""Who is calling: API keys, and access tokens signed with this project's own ES256 key."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from .record import Record, write_private

ALGORITHM = "ES256"
LEGACY_ISSUER = "supabase"
AUDIENCE = "authenticated"
API_ROLES = frozenset({"anon", "authenticated", "service_role"})
FAR_FUTURE = 4_102_444_800  # 2100-01-01: an API key does not expire


class TokenError(Exception):
    """The token is not one of ours, not valid any more, or not meant for us; `str` says which."""


@dataclass(frozen=True)
class Keys:
    """The project's API keys and its signing key."""

    record: Record
    private: ec.EllipticCurvePrivateKey
    legacy_secret: str
    """What projects signed tokens with (HS256) before 2025; tokens and API keys signed with it still count."""

    @property
    def issuer(self) -> str:
        return f"{self.record.url}/auth/v1"

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public half, as `jwks.json` publishes it."""
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        thumb = hashlib.sha256(f"{public['x']}.{public['y']}".encode()).hexdigest()[:32]
        return {**public, "kid": thumb, "alg": ALGORITHM, "use": "sig", "key_ops": ["verify"], "ext": True}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, algorithm=ALGORITHM, headers={"kid": self.jwk["kid"]})

    def legacy_key(self, role: str) -> str:
        """Return the API key of `role` (anon, service_role) in its old form, a token."""
        claims = {"iss": LEGACY_ISSUER, "role": role, "iat": 1_700_000_000, "exp": FAR_FUTURE}
        return jwt.encode(claims, self.legacy_secret, algorithm="HS256")

    def role_of(self, key: str | None) -> str | None:
        """Return the role an API key stands for, None for anything else. Compares in constant time."""
        if key and hmac.compare_digest(key.encode(), self.record.publishable_key.encode()):
            return "anon"
        if key and hmac.compare_digest(key.encode(), self.record.secret_key.encode()):
            return "service_role"
        return self._legacy_role(key) if key and key.startswith("ey") else None

    def _legacy_role(self, key: str) -> str | None:
        with contextlib.suppress(TokenError):
            claims = self._legacy_claims(key)
            return claims["role"] if claims["role"] != "authenticated" else None
        return None

    def _legacy_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token signed with the project's secret. Raises TokenError.

        `authenticated` takes a subject: a token that stands for nobody must not pass for somebody.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.legacy_secret,
                algorithms=["HS256"],
                options={"require": ["exp", "role"], "verify_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _refused(token, error) from error
        if claims.get("iss", LEGACY_ISSUER) not in (LEGACY_ISSUER, "supabase-demo", self.issuer):
            raise TokenError("The token provided is of another issuer")
        if claims["role"] == "authenticated" and not claims.get("sub"):
            raise TokenError("The token provided names nobody")
        return _checked(claims)

    def claims_of(self, token: str | None) -> dict[str, Any]:
        """Return the claims of an access token or an API key. Raises TokenError.

        Algorithm, issuer and audience are pinned: a token signed with HS256 and the *public* key, one that
        says `none`, and one of another project are refused alike.
        """
        if role := self.role_of(token):
            return {"role": role, "exp": FAR_FUTURE}
        if _algorithm(token) == "HS256":
            return self._legacy_claims(token or "")
        try:
            claims: dict[str, Any] = jwt.decode(
                token or "",
                self.private.public_key(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self.issuer,
                options={"require": ["exp", "iat", "sub", "role"]},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _refused(token, error) from error
        return _checked(claims)


def _algorithm(token: str | None) -> str | None:
    """Return what a token says it is signed with: it chooses between two secrets, never how one is used."""
    try:
        return str(jwt.get_unverified_header(token or "").get("alg"))
    except jwt.InvalidTokenError:
        return None


def _refused(token: str | None, error: Exception) -> TokenError:
    if isinstance(error, jwt.ExpiredSignatureError):
        return TokenError(f"Token has expired {_seconds_late(token)} seconds ago")
    return TokenError("The token provided is not a valid JWT")


def _checked(claims: dict[str, Any]) -> dict[str, Any]:
    """Refuse a role the API does not serve: a token must never become `postgres`."""
    if claims["role"] not in API_ROLES:
        raise TokenError("The role in the token is not served by the API")
    return claims


def _seconds_late(token: str | None) -> int:
    unverified = jwt.decode(token or "", options={"verify_signature": False})
    return max(0, int(time.time() - unverified["exp"]))


def load_keys(data: Path, record: Record) -> Keys:
    """Return the keys of `data`, making the signing key (`signing-key.pem`, mode 0600) at the first start."""
    path = data / "signing-key.pem"
    if not path.exists():
        write_private(path, _new_pem())
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TokenError("signing-key.pem holds no elliptic-curve key")
    return Keys(record, private, _legacy_secret(data))


def _legacy_secret(data: Path) -> str:
    path = data / "jwt-secret"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48).encode())
    return path.read_text()


def _new_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
