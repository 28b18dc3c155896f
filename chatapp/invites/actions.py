"""Verbs about invites."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import col, func, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import ChatError, Forbidden, Invalid, NotAMember, NotFound
from chatapp.invites import queries
from chatapp.invites.model import MOST, Invite
from chatapp.invites.queries import BAD_INVITE, token_hash, token_of
from chatapp.rooms.model import Membership
from chatapp.supabase import auth
from chatapp.texts import email_address

DAYS_MOST = 365
MAIL_DAYS = 7
"""How long an invitation by mail lasts, in days."""

NOT_YOU = "Only the owner and admins can invite people to this room."


async def create_invite(actor: Actor, room_id: UUID, days: int = 7, max_uses: int | None = None) -> str:
    """Make an invite and return its token. Raises as `make_invite` does."""
    return token_of(await make_invite(actor, room_id, days, max_uses))


async def make_invite(actor: Actor, room_id: UUID, days: int = 7, max_uses: int | None = None) -> UUID:
    """Make an invite and return its id.

    Raises NotAMember, Forbidden for a private room the actor doesn't run, Invalid for impossible limits and where the
    actor has too many invites to the room already.
    """
    if not 1 <= days <= DAYS_MOST or (max_uses is not None and not 1 <= max_uses <= 1_000_000):
        raise Invalid(f"An invite lasts 1 to {DAYS_MOST} days and takes 1 or more uses.")
    async with _inviting(actor, room_id) as session:
        return await _insert(session, actor, room_id, days, max_uses)


async def current_invite(actor: Actor, room_id: UUID) -> UUID:
    """Return the id of the actor's newest invite without a limit of uses, made for a week where there is none.

    Raises as `make_invite` does.
    """
    async with _inviting(actor, room_id) as session:
        # Two tabs at once: the second waits, and finds what the first has made.
        await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{room_id} {actor.user_id}", 0))))
        found = await queries.current(session, actor, room_id)
        return found or await _insert(session, actor, room_id)


async def revoke(actor: Actor, invite_id: UUID) -> None:
    """End an invite of one's own, or of a room one runs; twice is once. Raises NotFound for any other."""
    change = update(Invite).where(col(Invite.id) == invite_id)
    ended = change.values(revoked_at=func.coalesce(col(Invite.revoked_at), func.now()))
    async with transaction(actor) as session:
        if (await session.exec(ended.returning(col(Invite.id)))).one_or_none() is None:
            raise NotFound(BAD_INVITE)


async def accept_invite(actor: Actor, token: str) -> UUID:
    """Become a member by an invite and return the room's id. Raises NotFound when the invite is not good."""
    async with transaction(actor) as session:
        room_id: UUID | None = await session.scalar(select(func.private.accept_invite(token_hash(token))))
    if room_id is None:
        raise NotFound(BAD_INVITE)
    return room_id


async def invite_address(actor: Actor, room_id: UUID, address: str, site: str) -> str:
    """Make whoever has this e-mail address a member; where nobody has it, Supabase mails them the way in.

    Returns what has become of it: `added`, `already` a member, or `mailed`.
    `site` is where the mail's link leads, `https://chat.example`. Raises NotAMember, Forbidden, Invalid for what is no
    address and for too many, and Unavailable when no mail can be sent.
    """
    address = email_address(address)
    outcome = await _add(actor, room_id, address)
    if outcome != "unknown":
        return outcome
    token = await create_invite(actor, room_id, days=MAIL_DAYS, max_uses=1)
    try:
        await auth.invite(address, f"{site}/welcome?next=/invite/{token}")
    except ChatError:
        await _revoke_token(actor, token)
        raise
    return "mailed"


async def _add(actor: Actor, room_id: UUID, address: str) -> str:
    async with transaction(actor) as session:
        if await session.get(Membership, (room_id, actor.user_id)) is None:
            raise NotAMember
        outcome: str | None = await session.scalar(select(func.private.invite_address(room_id, address)))
    if outcome in ("added", "already", "unknown"):
        return outcome
    # Told after the transaction: that an address was asked for must be kept.
    raise (
        Invalid("Too many addresses for now. Please try again in an hour.") if outcome == "wait" else Forbidden(NOT_YOU)
    )


async def _revoke_token(actor: Actor, token: str) -> None:
    ended = update(Invite).where(col(Invite.token_hash) == token_hash(token)).values(revoked_at=func.now())
    async with transaction(actor) as session:
        await session.exec(ended)


@asynccontextmanager
async def _inviting(actor: Actor, room_id: UUID) -> AsyncIterator[AsyncSession]:
    """A member's transaction, whose refusals are told in words about invites."""
    try:
        async with transaction(actor) as session:
            if await session.get(Membership, (room_id, actor.user_id)) is None:
                raise NotAMember
            yield session
    except Forbidden as refused:
        raise Forbidden(NOT_YOU) from refused
    except Invalid as refused:
        raise Invalid(f"You have {MOST} invites to this room. Revoke one to make another.") from refused


async def _insert(
    session: AsyncSession, actor: Actor, room_id: UUID, days: int = 7, max_uses: int | None = None
) -> UUID:
    invite_id = uuid4()
    values = {
        "id": invite_id,
        "room_id": room_id,
        "token_hash": token_hash(token_of(invite_id)),
        "created_by": actor.user_id,
        "expires_at": datetime.now(UTC) + timedelta(days=days),
        "max_uses": max_uses,
    }
    await session.exec(insert(Invite).values(values))
    return invite_id
