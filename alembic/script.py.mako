"""${message}."""

from chatapp.migrate import execute_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_sql("${up_revision}_NAME", "tables")


def downgrade() -> None:
    execute_sql("${up_revision}_NAME", "down")
