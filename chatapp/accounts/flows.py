"""A way in that leads out of this site and back: by a link in a mail, or over a provider.

What such a flow needs to end where it began is carried by the browser itself, sealed: first as a ticket in an
address, then in a cookie. Only the browser that asked can come back: a link that somebody else opens, or sends, is
worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, ValidationError

from chatapp import settings

Seal = Literal["ticket", "cookie"]
LASTS: dict[Seal, int] = {"ticket": 60, "cookie": 3600}
"""Seconds. A ticket is used at once; a mail's link lasts an hour at Supabase, too."""


class Flow(BaseModel):
    """Somebody on their way in. `verifier` proves that a code is theirs; `leads_to` is where they go out, if not to
    their mail; `next_path` where they want to end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["link", "reset", "provider"]
    verifier: str
    next_path: str
    leads_to: str = ""

    def sealed(self, how: Seal) -> str:
        """As text that tells nothing and cannot be made by anybody else."""
        return _fernet(how).encrypt(self.model_dump_json().encode()).decode()

    @classmethod
    def opened(cls, sealed: str, how: Seal) -> Flow | None:
        """What was sealed in this way; None for anything else, and for what is too old."""
        try:
            return cls.model_validate_json(_fernet(how).decrypt(sealed.encode(errors="replace"), ttl=LASTS[how]))
        except (InvalidToken, ValidationError):
            return None


def _fernet(how: Seal) -> Fernet:
    """A key of its own for each: what has been in an address, and so in logs, is no cookie."""
    secret = settings.current().supabase_secret_key.get_secret_value().encode()
    return Fernet(base64.urlsafe_b64encode(hmac.new(secret, f"sign-in {how}".encode(), hashlib.sha256).digest()))
