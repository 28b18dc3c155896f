"""Threads, quotes, mentions, direct messages, invites, status, turns that outlive a membership, what is private."""

from chatapp.migrate import execute_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTS = (
    "members",
    "knowing",
    "own_profile",
    "threads",
    "mentions",
    "direct",
    "invites",
    "status",
    "search",
    "attempts",
)


def upgrade() -> None:
    execute_sql("0003_conversation", *PARTS)


def downgrade() -> None:
    execute_sql("0003_conversation", *(f"down_{part}" for part in reversed(PARTS)))
