"""Read Postgres's logical replication messages (`pgoutput`, protocol version 1).

Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

Values = dict[str, str | None]  # in Postgres's text form; a value that did not change and was not sent is left out


@dataclass(frozen=True)
class Relation:
    """A published table."""

    oid: int
    schema: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One row's change in a committed transaction. `kind` is INSERT, UPDATE or DELETE."""

    kind: str
    relation: Relation
    new: Values
    old: Values


KINDS = {b"I": "INSERT", b"U": "UPDATE", b"D": "DELETE"}


class Decoder:
    """Turns messages into changes; it remembers the tables, which Postgres describes once."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}

    def feed(self, message: bytes) -> Change | None:
        """Return the change that `message` tells of, None for every other message."""
        kind = message[:1]
        if kind == b"R":
            self._remember(_Reader(message, 1))
        elif kind in KINDS:
            return self._change(KINDS[kind], _Reader(message, 1))
        return None

    def _remember(self, reader: _Reader) -> None:
        oid, schema, table, _identity = reader.uint32(), reader.text(), reader.text(), reader.byte()
        columns = tuple(_column_name(reader) for _ in range(reader.uint16()))
        self._relations[oid] = Relation(oid, schema, table, columns)

    def _change(self, kind: str, reader: _Reader) -> Change:
        relation = self._relations[reader.uint32()]
        rows: dict[bytes, Values] = {}
        while not reader.done:
            image = reader.byte()  # N new, O old, K old key
            rows[image] = _row(reader, relation)
        return Change(kind, relation, rows.get(b"N", {}), rows.get(b"O") or rows.get(b"K", {}))


def _column_name(reader: _Reader) -> str:
    _flags, name, _type, _modifier = reader.byte(), reader.text(), reader.uint32(), reader.uint32()
    return name


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

    def text(self) -> str:
        end = self._message.index(0, self._at)
        return self.take(end + 1 - self._at)[:-1].decode()
