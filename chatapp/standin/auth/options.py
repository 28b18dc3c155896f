"""What a project's dashboard would set: confirmation, reauthentication, where links may lead, how much is allowed."""

from __future__ import annotations

import math
import os
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import AuthError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CALLERS_WATCHED = 4096


@dataclass(frozen=True)
class Options:
    """The defaults are those of the Supabase CLI, with limits no test comes near."""

    confirm_email: bool = False
    """A sign-up opens a session only after its mail was answered."""
    reauthenticate: bool = False
    """A new password wants a code from a mail when the session is older than a day."""
    site_url: str = "http://localhost:3000"
    """Where a link leads that names no place, or one that is not allowed."""
    redirects: tuple[str, ...] = ()
    """Beginnings of addresses links may lead to; this machine's own always may."""
    requests: int = 30_000
    """By one caller in five minutes."""
    mails: int = 10_000
    """By the whole project in an hour."""
    mail_seconds: float = 0
    """Between two mails to one person."""

    def allowed(self, address: str | None) -> str:
        """Return where a link shall lead: an open redirect would hand sessions to whoever asks."""
        if address and (_is_local(address) or any(address.startswith(start) for start in self.redirects)):
            return address
        return self.site_url


def options_from_environment() -> Options:
    """Read `STANDIN_*`; `docs/standin.md` lists them."""
    given = os.environ.get
    return Options(
        confirm_email=given("STANDIN_CONFIRM_EMAIL") == "1",
        reauthenticate=given("STANDIN_REAUTHENTICATE") == "1",
        site_url=given("STANDIN_SITE_URL", Options.site_url),
        redirects=tuple(filter(None, given("STANDIN_REDIRECTS", "").split(","))),
        requests=int(given("STANDIN_REQUESTS", str(Options.requests))),
        mails=int(given("STANDIN_MAILS", str(Options.mails))),
        mail_seconds=float(given("STANDIN_MAIL_SECONDS", str(Options.mail_seconds))),
    )


def _is_local(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and "\\" not in address
    except ValueError:
        return False


@dataclass
class Window:
    """At most `most` uses of a name within `seconds`. Bounded: the names quiet for longest are forgotten first."""

    most: int
    seconds: float
    _uses: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def wait(self, name: str) -> float:
        """Return for how many seconds `name` has to wait, 0 when it may go on."""
        uses = self._uses.get(name)
        if not self.most or not uses or len(uses) < self.most:
            return 0
        return max(0.0, uses[0] + self.seconds - time.monotonic())

    def use(self, name: str) -> None:
        self._uses.setdefault(name, deque(maxlen=max(self.most, 1))).append(time.monotonic())
        self._uses.move_to_end(name)
        if len(self._uses) > CALLERS_WATCHED:
            self._uses.popitem(last=False)


class Rates:
    """Who asked for how much lately."""

    def __init__(self, options: Options) -> None:
        self._requests = Window(options.requests, 300)
        self._mails = Window(options.mails, 3600)
        self._recipients = Window(1 if options.mail_seconds else 0, options.mail_seconds)

    def request(self, caller: str) -> None:
        """Count a request. Raises AuthError when there were too many."""
        if self._requests.wait(caller):
            raise AuthError(429, "over_request_rate_limit", "Request rate limit reached")
        self._requests.use(caller)

    def mail(self, recipient: str) -> None:
        """Count a mail. Raises AuthError when there were too many, or one to the same person just now."""
        if wait := self._recipients.wait(recipient):
            sentence = f"For security purposes, you can only request this after {math.ceil(wait)} seconds."
            raise AuthError(429, "over_email_send_rate_limit", sentence)
        if self._mails.wait(""):
            raise AuthError(429, "over_email_send_rate_limit", "email rate limit exceeded")
        self._recipients.use(recipient)
        self._mails.use("")
