"""Runs migrations as the database's owner, all of them in one transaction, one process at a time."""

from sqlalchemy import Connection, text

from alembic import context
from chatapp import migrate, schema, settings

LOCK = 7_264_100_301  # any number, the same for every process of this app


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        include_object=schema.comparable,
        version_table_schema=migrate.VERSION_SCHEMA,
    )
    with context.begin_transaction():
        # Of the transaction, not of the session: a transaction pooler knows no sessions.
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # The version table is not for the API, so it cannot be in `public`.
        connection.execute(text(f"create schema if not exists {migrate.VERSION_SCHEMA}"))
        context.run_migrations()


def run_from_command_line() -> None:
    found = settings.load()
    if found is None:
        raise SystemExit("Set DATABASE_URL and the keys of your Supabase project first (see .env.example).")
    with migrate.owner_engine(found).connect() as connection:
        run(connection)


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    run_from_command_line()
