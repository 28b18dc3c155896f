"""Replies, quotes, turns of markers that outlive a membership, and profile columns that are each person's own."""

from chatapp.migrate import execute_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_sql("0003_conversation", "members", "own_profile", "threads")


def downgrade() -> None:
    execute_sql("0003_conversation", "down_threads", "down_own_profile", "down_members")
