"""Reactions and pins, read markers that announce themselves, and when somebody was last here."""

from chatapp.migrate import execute_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_sql("0002_live", "changes", "receipts", "presence")


def downgrade() -> None:
    execute_sql("0002_live", "down_presence", "down_receipts", "down_changes")
