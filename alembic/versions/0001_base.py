"""Profiles, rooms, memberships, messages, invites and sessions."""

from chatapp.migrate import execute_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_sql("0001_base", "tables", "triggers", "hints", "membership", "policies", "grants")


def downgrade() -> None:
    execute_sql("0001_base", "down")
