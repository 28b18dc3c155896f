"""The people of all tests, real accounts of a real Auth: Ada and Grace, who work together, and Linus, the outsider."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from chatapp.actor import Actor
from chatapp.invites import actions as invites
from chatapp.messages import actions as messages
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.rooms import actions as rooms
from chatapp.supabase import auth


@dataclass(frozen=True)
class Someone:
    """A person who can sign in; `actor` acts as them without a session."""

    name: str
    email: str
    password: str
    actor: Actor

    @property
    def id(self) -> UUID:
        return self.actor.user_id


@dataclass(frozen=True)
class Cast:
    ada: Someone
    grace: Someone
    linus: Someone


async def assemble() -> Cast:
    return Cast(await someone("Ada Lovelace"), await someone("Grace Hopper"), await someone("Linus Torvalds"))


async def someone(name: str) -> Someone:
    """Return a person nobody has met."""
    email = f"{name.split(maxsplit=1)[0].lower()}-{secrets.token_hex(6)}@example.com"
    password = secrets.token_urlsafe(12)
    user_id = await auth.create_account(name, email, password)
    return Someone(name, email, password, Actor(user_id, hashlib.sha256(secrets.token_bytes(32)).hexdigest()))


async def room(owner: Someone, *members: Someone, private: bool = False, name: str = "A room") -> UUID:
    """Make a room of the test's own; members of a private one come by invitation."""
    made = UUID((await rooms.create_room(owner.actor, name, "", private)).id)
    token = await invites.create_invite(owner.actor, made) if private and members else ""
    for member in members:
        await (invites.accept_invite(member.actor, token) if private else rooms.join(member.actor, made))
    return made


async def say(who: Someone, room_id: UUID, *texts: str) -> list[MessageSnapshot]:
    return [await messages.post(who.actor, room_id, secrets.token_hex(8), text) for text in texts]
