"""Who invites, for those who hold an invite."""

from chatapp.migrate import execute_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_sql("0004_inviters", "inviters")


def downgrade() -> None:
    execute_sql("0004_inviters", "down")
