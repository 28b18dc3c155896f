"""`postgres_changes`: which channels are told of a row's change, and what they are told.

As walrus does it for a hosted project: a change of a published table reaches whoever asked for its table and
kind, whose filters it meets, and who could select the row at that moment. All of it is asked of the database:
types, filters and record in one query, visibility in another for all askers with distinct claims.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from chatapp.standin.database import Connection, Database, Row, every

from .filters import Filter
from .pgoutput import Change, Values
from .subscriptions import Binding
from .tables import Column, Table, table_of

if TYPE_CHECKING:
    from .channels import Channel

QUEUE_CHANGES = 10_000  # more would be minutes of work: whoever waits for them is put out and rejoins
RECORD_LIMIT = 1024 * 1024  # bytes, as hosted; of a larger row only the short values are told
SHORT_VALUE = 64
SLOW_POLICY = "5s"  # a policy that takes longer is a "no": everybody waits behind it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asker:
    """One channel's interest in one change."""

    channel: Channel
    binding: Binding

    @property
    def role(self) -> str:
        return str(self.channel.claims["role"])

    @property
    def claims(self) -> str:
        return json.dumps(self.channel.claims, sort_keys=True, default=str)


class Changes:
    """Who listens to which tables; changes wait in order and are told one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bindings: dict[Channel, tuple[Binding, ...]] = {}
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(QUEUE_CHANGES)

    def add(self, channel: Channel, bindings: tuple[Binding, ...]) -> None:
        self._bindings[channel] = bindings

    def remove(self, channel: Channel) -> None:
        self._bindings.pop(channel, None)

    def put(self, change: Change) -> None:
        """Queue a change if anybody asked for its kind. Never waits: broadcasts come by the same stream."""
        if not any(self._askers(change)):
            return
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            self._put_everybody_out()

    async def run(self) -> None:
        """Tell changes until cancelled."""
        while True:
            change = await self._waiting.get()
            try:
                await self._tell(change)
            except psycopg.Error as error:
                log.warning("a change of %s could not be told: %s", change.relation.table, error)
            except Exception:  # a fault of ours must not silence the next change
                log.exception("a change could not be told")

    def _put_everybody_out(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
        for channel in tuple(self._bindings):
            channel.socket.close_channel(channel, "postgres_changes fell behind: join again")

    def _askers(self, change: Change) -> Iterable[Asker]:
        for channel, bindings in tuple(self._bindings.items()):
            for binding in bindings:
                if binding.is_about(change):
                    yield Asker(channel, binding)

    async def _tell(self, change: Change) -> None:
        askers = list(self._askers(change))
        if not askers:
            return
        roles = sorted({asker.role for asker in askers})
        async with self._database.transaction(rollback=True) as connection:
            await connection.execute(
                "select set_config('statement_timeout', %s, true), set_config('timezone', 'UTC', true)", (SLOW_POLICY,)
            )
            table = await table_of(connection, change.relation.schema, change.relation.table, roles)
            if table is None:  # dropped since
                return
            row = _Changed(change, table)
            statement, filters = row.question({each for asker in askers for each in asker.binding.filters})
            answer = await (await connection.execute(statement)).fetchone()
            if answer is None:
                return
            refused = [asker for asker in askers if table.fault(change.kind, asker.role)]
            told = [asker for asker in askers if row.meets(asker.binding.filters, filters, answer)]
            told = [asker for asker in told if asker not in refused]
            if table.guarded and change.kind != "DELETE" and told:
                told = await _visible(connection, row, told)
        self._push(row, answer, [*refused, *told])

    def _push(self, row: _Changed, answer: Row, askers: list[Asker]) -> None:
        """Tell each channel once for all its bindings that show the same columns."""
        told: dict[tuple[Channel, tuple[str, ...] | None], list[int]] = {}
        for asker in askers:
            told.setdefault((asker.channel, asker.binding.columns), []).append(asker.binding.id)
        payloads: dict[tuple[str, tuple[str, ...] | None], dict[str, Any]] = {}
        for (channel, columns), ids in told.items():
            key = str(channel.claims["role"]), columns
            data = payloads.get(key) or payloads.setdefault(key, row.payload(answer, *key))
            if channel in self._bindings:  # it may have left while the database was asked
                channel.push("postgres_changes", {"ids": ids, "data": data})


async def _visible(connection: Connection, row: _Changed, askers: list[Asker]) -> list[Asker]:
    """Return those of `askers` who can select the row now."""
    claims = sorted({asker.claims for asker in askers})
    question = row.selection().as_string(connection)
    answers = await every(connection, "select unnest(_standin.visible_to(%s, %s::jsonb[])) as seen", question, claims)
    seen = {each for each, answer in zip(claims, answers, strict=True) if answer["seen"]}
    return [asker for asker in askers if asker.claims in seen]


class _Changed:
    """A change beside what the catalogue says of its table."""

    def __init__(self, change: Change, table: Table) -> None:
        self.change, self.table = change, table
        self._columns = {column.name: column for column in table.columns}
        self._new, self._old = change.new, change.old or self._key(change.new)
        if change.kind == "UPDATE":  # a long value that did not change is not sent again; the old row may have it
            self._new = {**{name: self._old[name] for name in self._old if name in self._columns}, **change.new}

    @property
    def _asked(self) -> Values:
        return self._old if self.change.kind == "DELETE" else self._new

    def _key(self, values: Values) -> Values:
        return {column.name: values[column.name] for column in self.table.key if column.name in values}

    def question(self, filters: set[Filter]) -> tuple[sql.Composed, list[Filter]]:
        """Return a statement for the record and the old one as JSON and whether each filter is met, and their order."""
        known = [each for each in filters if each.column in self._columns and each.column in self._asked]
        conditions = [
            each.condition(self._held(each.column, self._asked), sql.SQL(self._columns[each.column].type))
            for each in known
        ]
        statement = sql.SQL("select ({}) as new, ({}) as old, array[{}]::boolean[] as met").format(
            self._json(self._new), self._json(self._old), sql.SQL(", ").join(conditions)
        )
        return statement, known

    def _held(self, name: str, values: Values) -> sql.Composed:
        return sql.SQL("{}::{}").format(sql.Literal(values[name]), sql.SQL(self._columns[name].type))

    def _json(self, values: Values) -> sql.Composed:
        items = [
            sql.SQL("{} as {}").format(self._held(name, values), sql.Identifier(name))
            for name in values
            if name in self._columns
        ]
        return sql.SQL("select to_jsonb(r) from (select {}) r").format(sql.SQL(", ").join(items))

    def meets(self, wanted: tuple[Filter, ...], asked: list[Filter], answer: Row) -> bool:
        """Tell whether every wanted filter is met; one on a column that was not sent, as in most deletions, is not."""
        met = dict(zip(asked, answer["met"], strict=True))
        return all(met.get(each, False) for each in wanted)

    def selection(self) -> sql.Composed:
        """Return a query that finds the row by its key, for whoever may select it."""
        conditions = [
            sql.SQL("{} = {}").format(sql.Identifier(column.name), self._held(column.name, self._new))
            for column in self.table.key
        ]
        entity = sql.Identifier(self.table.schema, self.table.name)
        return sql.SQL("select true from {} where {} limit 1").format(entity, sql.SQL(" and ").join(conditions))

    def payload(self, answer: Row, role: str, wanted: tuple[str, ...] | None) -> dict[str, Any]:
        """Return what somebody with `role` who asked for the columns `wanted` is told."""
        shown = [
            column
            for column in self.table.columns
            if role in column.readers and (wanted is None or column.name in wanted or column.is_key)
        ]
        fault = self.table.fault(self.change.kind, role)
        large = len(json.dumps(answer["new"])) > RECORD_LIMIT
        errors = [fault] if fault else ["Error 413: Payload Too Large"] if large else None
        data: dict[str, Any] = {
            "schema": self.table.schema,
            "table": self.table.name,
            "type": self.change.kind,
            "commit_timestamp": self.change.committed_at,
            "columns": [] if fault else [{"name": column.name, "type": column.kind} for column in shown],
            "errors": errors,
        }
        return data | self._records(answer, [] if fault else shown, short_only=large)

    def _records(self, answer: Row, shown: list[Column], *, short_only: bool) -> dict[str, Any]:
        def told(values: dict[str, Any], columns: list[Column]) -> dict[str, Any]:
            return {
                column.name: values[column.name]
                for column in columns
                if column.name in values and not (short_only and len(json.dumps(values[column.name])) > SHORT_VALUE)
            }

        # Who may see a deleted row cannot be asked any more: where rows are guarded, only its key is told.
        old = [column for column in shown if column.is_key] if self._hides_old else shown
        record = {} if self.change.kind == "DELETE" else {"record": told(answer["new"], shown)}
        return record if self.change.kind == "INSERT" else {**record, "old_record": told(answer["old"], old)}

    @property
    def _hides_old(self) -> bool:
        return self.table.guarded and self.change.kind == "DELETE"
