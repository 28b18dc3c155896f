"""Every model, for Alembic and for the test that compares them with the migrated database."""

from __future__ import annotations

from sqlmodel import SQLModel

from chatapp.accounts import model as accounts
from chatapp.messages import model as messages
from chatapp.rooms import model as rooms

metadata = SQLModel.metadata
TABLES = (
    accounts.Profile,
    accounts.Session,
    rooms.Room,
    rooms.Membership,
    rooms.Invite,
    messages.Message,
)
