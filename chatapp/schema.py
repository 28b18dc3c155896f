"""Every model, for Alembic and for the test that compares them with the migrated database."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import SQLModel

from chatapp.accounts import model as accounts
from chatapp.invites import model as invites
from chatapp.messages import model as messages
from chatapp.reactions import model as reactions
from chatapp.rooms import model as rooms
from chatapp.threads import model as threads

metadata = SQLModel.metadata
TABLES = (
    accounts.Profile,
    accounts.Session,
    rooms.Room,
    rooms.Membership,
    invites.Invite,
    messages.Message,
    reactions.Reaction,
    threads.Follower,
)


NO_MODEL = {"words", "chat_messages_words_idx"}
"""What only functions of the database use: a model would read and send it with every message."""


def comparable(thing: object, name: str | None, _kind: str, reflected: bool, _other: object) -> bool:
    """Tell Alembic what to compare: all but the profiles' reference to auth.users, and what only search uses."""
    if reflected and name in NO_MODEL:
        return False
    if not (reflected and isinstance(thing, ForeignKeyConstraint)):
        return True
    return not any(element.target_fullname.startswith("auth.") for element in thing.elements)
