"""The mails that would have been sent: printed to the log, and kept for `/outbox`, the newest 200."""

from __future__ import annotations

import html
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

MAILS_KEPT = 200
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Mail:
    """One mail. `link` is what its button leads to, `code` the digits to type instead."""

    to: str
    subject: str
    kind: str
    code: str
    link: str | None = None
    token_hash: str | None = None
    sent_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Outbox:
    """What was mailed since the start. In memory only: a code lives for an hour."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=MAILS_KEPT)

    def add(self, mail: Mail) -> None:
        self._mails.append(mail)
        print(f"mail to {mail.to}: {mail.subject}: {mail.link or mail.code}", flush=True)

    def newest_first(self) -> list[Mail]:
        return list(reversed(self._mails))


def outbox_routes(outbox: Outbox) -> list[Route]:
    """Return the page and its JSON, `?to=` for one person's mails."""

    async def listed(request: Request) -> Response:
        if not is_local(request):
            return _not_here()
        return JSONResponse([asdict(mail) for mail in _mails(outbox, request)])

    async def page(request: Request) -> Response:
        return html_page(_table(_mails(outbox, request))) if is_local(request) else _not_here()

    return [Route("/outbox.json", listed), Route("/outbox", page)]


def is_local(request: Request) -> bool:
    """Tell whether a request comes from this machine *and* names it so.

    A site elsewhere can point its own name at 127.0.0.1 and have a browser here read the answer for it (DNS
    rebinding); the name it was asked by gives it away.
    """
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname
    return name in LOOPBACK and request.client is not None and request.client.host in LOOPBACK


def html_page(body: str) -> HTMLResponse:
    """Return a page that runs nothing and is shown in no frame."""
    headers = {"content-security-policy": POLICY, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return HTMLResponse(f"{HEAD}<main>{body}</main>", headers=headers)


HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The stand-in</title><style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:60rem;margin:2rem auto;padding:0 1rem}
li{margin:1rem 0;padding-bottom:1rem;border-bottom:1px solid #8884;list-style:none}ul{padding:0}
code{font-size:1.2em}a{overflow-wrap:anywhere}small{opacity:.7}dt{font-weight:600}dd{margin:0 0 .5rem}
</style>"""


def _mails(outbox: Outbox, request: Request) -> list[Mail]:
    to = request.query_params.get("to")
    return [mail for mail in outbox.newest_first() if to in (None, mail.to)]


def _table(mails: list[Mail]) -> str:
    listed = "".join(map(_entry, mails)) or "<li>No mail yet.</li>"
    return f"<h1>Outbox</h1><p>Nothing here was sent to anybody. <a href='/'>Status</a></p><ul>{listed}</ul>"


def _entry(mail: Mail) -> str:
    to, subject, code = html.escape(mail.to), html.escape(mail.subject), html.escape(mail.code)
    link = html.escape(mail.link or "")
    opened = f"<br><a href='{link}' rel='noreferrer'>{link}</a>" if link else ""
    when = html.escape(mail.sent_at)
    return f"<li><b>{subject}</b> to {to} <small>{when}</small><br>Code: <code>{code}</code>{opened}</li>"


def _not_here() -> Response:
    return PlainTextResponse("The outbox is for a browser on this machine.", 403)
