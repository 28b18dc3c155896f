"""Who is calling: API keys, and access tokens signed with this project's own ES256 key."""

from __future__ import annotations

import hashlib
import hmac
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

    def role_of(self, key: str | None) -> str | None:
        """Return the role an API key stands for, None for anything else. Compares in constant time."""
        if key and hmac.compare_digest(key.encode(), self.record.publishable_key.encode()):
            return "anon"
        if key and hmac.compare_digest(key.encode(), self.record.secret_key.encode()):
            return "service_role"
        return None

    def claims_of(self, token: str | None) -> dict[str, Any]:
        """Return the claims of an access token or an API key. Raises TokenError.

        Algorithm, issuer and audience are pinned: a token signed with HS256 and the *public* key, one that
        says `none`, and one of another project are refused alike.
        """
        if role := self.role_of(token):
            return {"role": role, "exp": FAR_FUTURE}
        try:
            claims: dict[str, Any] = jwt.decode(
                token or "",
                self.private.public_key(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self.issuer,
                options={"require": ["exp", "iat", "sub", "role"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenError(f"Token has expired {_seconds_late(token)} seconds ago") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenError("The token provided is not a valid JWT") from error
        return _checked(claims)


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
    return Keys(record, private)


def _new_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
