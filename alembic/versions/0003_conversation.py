"""Replies, quotes, mentions, turns of markers that outlive a membership, and columns that are each person's own."""

from chatapp.migrate import execute_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTS = ("members", "own_profile", "threads", "mentions")


def upgrade() -> None:
    execute_sql("0003_conversation", *PARTS)


def downgrade() -> None:
    execute_sql("0003_conversation", *(f"down_{part}" for part in reversed(PARTS)))
