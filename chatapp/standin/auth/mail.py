"""Writing mails: a one-time code, the link that carries it, and who may be written to."""

from __future__ import annotations

from urllib.parse import urlencode

from chatapp.standin.database import Connection, Row
from chatapp.standin.outbox import Mail

from . import onetime
from .service import Auth
from .users import change_user

SUBJECTS = {
    "signup": "Confirm your sign-up",
    "invite": "You have been invited",
    "magiclink": "Your link to sign in",
    "recovery": "Reset your password",
    "email_change": "Confirm the change of your e-mail address",
    "reauthentication": "Confirm that it is you",
}
TOKENS = {
    "signup": onetime.CONFIRMATION,
    "invite": onetime.CONFIRMATION,
    "magiclink": onetime.RECOVERY,
    "recovery": onetime.RECOVERY,
    "reauthentication": onetime.REAUTHENTICATION,
}
SENT_AT = {
    "signup": "confirmation_sent_at",
    "invite": "invited_at",
    "magiclink": "recovery_sent_at",
    "recovery": "recovery_sent_at",
    "email_change": "email_change_sent_at",
    "reauthentication": "reauthentication_sent_at",
}


async def write(
    auth: Auth,
    connection: Connection,
    user: Row,
    kind: str,
    redirect_to: str,
    *,
    to: str | None = None,
    token: str | None = None,
    pkce: bool = False,
) -> Mail:
    """Return a mail of `kind` to `user`, or to the address `to`; it goes out once the transaction is through."""
    to = to or user["email"]
    secret = await onetime.issue(connection, user, token or TOKENS[kind], to, pkce=pkce)
    # The database's clock, or a change of two columns by one statement would disagree with itself.
    sent = f"update auth.users set {SENT_AT[kind]} = now() where id = %s"  # noqa: S608 - our own names
    await connection.execute(sent, (user["id"],))
    if kind == "reauthentication":
        return Mail(to, SUBJECTS[kind], kind, secret.code)
    query = urlencode({"token": secret.hash, "type": kind, "redirect_to": redirect_to})
    link = f"{auth.keys.issuer}/verify?{query}"
    return Mail(to, SUBJECTS[kind], kind, secret.code, link, secret.hash)


async def write_email_change(
    auth: Auth, connection: Connection, user: Row, new: str, redirect_to: str, *, pkce: bool
) -> list[Mail]:
    """Return the mails to the old and the new address: a change counts once both have agreed."""
    user = await change_user(connection, user["id"], email_change=new, email_change_confirm_status=0)
    tokens = [(user["email"], onetime.EMAIL_CURRENT)] if user["email"] else []
    recipients = [*tokens, (new, onetime.EMAIL_NEW)]
    return [
        await write(auth, connection, user, "email_change", redirect_to, to=to, token=token, pkce=pkce)
        for to, token in recipients
    ]
