"""Read Postgres's logical replication messages (`pgoutput`, protocol version 1).

Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Values = dict[str, str | None]  # in Postgres's text form; a value that did not change and was not sent is left out


@dataclass(frozen=True)
class Relation:
    """A published table."""

    oid: int
    schema: str
    table: str
    columns: tuple[str, ...]
    key: frozenset[str] = frozenset()
    """The columns of its replica identity: all that is known of an old row, unless that is FULL."""


@dataclass(frozen=True)
class Change:
    """One row's change in a committed transaction. `kind` is INSERT, UPDATE or DELETE."""

    kind: str
    relation: Relation
    new: Values
    old: Values
    committed_at: str = ""
    """When its transaction was committed: ISO 8601 in UTC, to the millisecond."""
    transaction: int = 0


KINDS = {b"I": "INSERT", b"U": "UPDATE", b"D": "DELETE"}


class Decoder:
    """Turns messages into changes; it remembers the tables, which Postgres describes once."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}
        self._committed_at, self._transaction = "", 0

    def feed(self, message: bytes) -> Change | None:
        """Return the change that `message` tells of, None for every other message."""
        kind = message[:1]
        if kind == b"B":
            reader = _Reader(message, 9)
            self._committed_at, self._transaction = _moment(reader.int64()), reader.uint32()
        elif kind == b"R":
            self._remember(_Reader(message, 1))
        elif kind in KINDS:
            return self._change(KINDS[kind], _Reader(message, 1))
        return None

    def _remember(self, reader: _Reader) -> None:
        oid, schema, table, _identity = reader.uint32(), reader.text(), reader.text(), reader.byte()
        columns = [_column(reader) for _ in range(reader.uint16())]
        names, key = tuple(name for name, _ in columns), frozenset(name for name, is_key in columns if is_key)
        self._relations[oid] = Relation(oid, schema, table, names, key)

    def _change(self, kind: str, reader: _Reader) -> Change:
        relation = self._relations[reader.uint32()]
        rows: dict[bytes, Values] = {}
        while not reader.done:
            image = reader.byte()  # N new, O old, K old key
            row = _row(reader, relation)
            rows[image] = {name: row[name] for name in row if image != b"K" or name in relation.key}
        new, old = rows.get(b"N", {}), rows.get(b"O") or rows.get(b"K", {})
        return Change(kind, relation, new, old, self._committed_at, self._transaction)


def _moment(microseconds: int) -> str:
    """Postgres counts from 2000."""
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _column(reader: _Reader) -> tuple[str, bool]:
    flags, name, _type, _modifier = reader.byte(), reader.text(), reader.uint32(), reader.uint32()
    return name, bool(flags[0] & 1)


def _row(reader: _Reader, relation: Relation) -> Values:
    row: Values = {}
    for name in relation.columns[: reader.uint16()]:
        kind = reader.byte()
        if kind == b"n":
            row[name] = None
        elif kind == b"t":
            row[name] = reader.take(reader.uint32()).decode()
    return row


class _Reader:
    """A message and a place in it."""

    def __init__(self, message: bytes, at: int) -> None:
        self._message, self._at = message, at

    @property
    def done(self) -> bool:
        return self._at >= len(self._message)

    def take(self, count: int) -> bytes:
        self._at += count
        return self._message[self._at - count : self._at]

    def byte(self) -> bytes:
        return self.take(1)

    def uint16(self) -> int:
        return int(struct.unpack(">H", self.take(2))[0])

    def uint32(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def int64(self) -> int:
        return int(struct.unpack(">q", self.take(8))[0])

    def text(self) -> str:
        end = self._message.index(0, self._at)
        return self.take(end + 1 - self._at)[:-1].decode()
