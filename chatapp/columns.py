"""Kinds of columns that several models share.

Defaults are the database's: it fills what a model leaves at None.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, DateTime, FetchedValue, ForeignKey, func, text
from sqlmodel import Field


def moment() -> Any:
    """A required time, with its zone."""
    return Field(sa_type=DateTime(timezone=True))


def maybe_moment() -> Any:
    """A time that may not have come yet."""
    return Field(default=None, sa_type=DateTime(timezone=True))


def stamped() -> Any:
    """The time the row was made."""
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        nullable=False,
        sa_column_kwargs={"server_default": func.now()},
    )


def counter() -> Any:
    """A number that triggers keep; 0 at first."""
    return Field(default=None, sa_type=BigInteger, nullable=False, sa_column_kwargs={"server_default": text("0")})


def numbered() -> Any:
    """A number that a trigger gives each new row."""
    return Field(default=None, sa_type=BigInteger, nullable=False, sa_column_kwargs={"server_default": FetchedValue()})


def default(value: str, **options: Any) -> Any:
    """A column that the database sets to `value`, a SQL expression, when nothing is given."""
    return Field(default=None, nullable=False, sa_column_kwargs={"server_default": text(value)}, **options)


def reference(target: str, on_delete: str, **options: Any) -> Any:
    """A reference to `target`, as `table.column`."""
    return Field(sa_column_args=[ForeignKey(target, ondelete=on_delete)], **options)


def within(target: str) -> Any:
    """A reference to another row of the same table, perhaps none. What it names is not deleted by itself."""
    return Field(default=None, sa_column_args=[ForeignKey(target)])
