"""`postgres_changes`: which channels are told of a row's change.

As walrus does it for a hosted project: a change of a published table reaches whoever asked for its table and
kind, whose filters it meets, and who could select the row at that moment. The database answers all of it in one round
trip; what the catalogue says of the table is asked once, until Postgres describes the table anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from chatapp.standin.database import Database

from .line import Line, LineError, LineLostError
from .payloads import payload
from .pgoutput import Change, Relation
from .protocol import Written, compact
from .questions import Answer, Asker, Question, Rows
from .subscriptions import Binding
from .tables import Table, table_of

if TYPE_CHECKING:
    from .channels import Channel

QUEUE_CHANGES = 10_000  # more would be minutes of work: whoever waits for them is put out and rejoins
SLOW_POLICY = "5s"  # a policy that takes longer is a "no": everybody waits behind it
MOST_SHAPES = 50  # of one table: its kinds of change, each with some columns left out
TRIES = 3  # memberships of roles may change while we ask
log = logging.getLogger(__name__)


@dataclass
class _Known:
    """What was found out about a table since it was described, and the questions that its changes raised."""

    relation: Relation
    table: Table
    questions: dict[object, Question] = field(default_factory=dict)


class Changes:
    """Who listens to which tables; changes wait in order and are told one by one."""

    def __init__(self, database: Database, superuser_url: str) -> None:
        self._database, self._line = database, Line(superuser_url, timeout=SLOW_POLICY)
        self._bindings: dict[Channel, tuple[Binding, ...]] = {}
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(QUEUE_CHANGES)
        self._known: dict[int, _Known] = {}

    def add(self, channel: Channel, bindings: tuple[Binding, ...]) -> None:
        self._bindings[channel] = bindings
        self.ask_anew()

    def remove(self, channel: Channel) -> None:
        if self._bindings.pop(channel, None):
            self.ask_anew()

    def ask_anew(self) -> None:
        """Somebody came, left or has new claims: who asks is part of every question."""
        for known in self._known.values():
            known.questions.clear()

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
        try:
            while True:
                await self._tell(await self._waiting.get())
        finally:
            self._line.close()

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
        try:
            for _ in range(TRIES):
                if await self._told(change):
                    return
            why = "what it rests on changed all the time"
        except (LineError, LineLostError, psycopg.Error) as error:
            why = str(error)
        except Exception:  # a fault of ours must not silence the next change
            log.exception("a change could not be told")
            return
        self._known.clear()
        log.warning("a change of %s could not be told: %s", change.relation.table, why)

    async def _told(self, change: Change) -> bool:
        """Tell a change to whom it concerns; return False when what was known of its table is out of date."""
        self._line.tidy()
        known = await self._known_of(change.relation)
        if known is None:  # dropped since
            return True
        rows = Rows.of(change, known.table)
        question, refused = self._question(change, known, rows)
        if not question.askers and not refused:
            return True
        try:
            answer = await question.ask(self._line, rows)
        except LineLostError:  # Postgres was restarted since the last change
            answer = await question.ask(self._line, rows)
        if answer.memberships != known.table.memberships:
            del self._known[change.relation.oid]
            return False
        self._push(change, known.table, answer, [*refused, *answer.told])
        return True

    async def _known_of(self, relation: Relation) -> _Known | None:
        known = self._known.get(relation.oid)
        if known is None or known.relation is not relation:
            async with self._database.transaction(rollback=True) as connection:
                table = await table_of(connection, relation.schema, relation.table)
            if table is None:
                return None
            known = self._known[relation.oid] = _Known(relation, table)
        return known

    def _question(self, change: Change, known: _Known, rows: Rows) -> tuple[Question, list[Asker]]:
        """Return what to ask for a change, and who is told of its table's fault whatever the answer."""
        table, shape = known.table, (change.kind, *rows.shape)
        askers = list(self._askers(change))
        refused = [asker for asker in askers if table.fault(change.kind, asker.role)]
        if shape not in known.questions:
            if len(known.questions) >= MOST_SHAPES:
                known.questions.clear()
            asking = [asker for asker in askers if asker not in refused]
            known.questions[shape] = Question(table, change.kind, rows, asking)
        return known.questions[shape], refused

    def _push(self, change: Change, table: Table, answer: Answer, askers: list[Asker]) -> None:
        """Tell each channel once for all its bindings that show the same columns; who is told the same, the same."""
        told: dict[tuple[Channel, tuple[str, ...] | None], list[int]] = {}
        for asker in askers:
            told.setdefault((asker.channel, asker.binding.columns), []).append(asker.binding.id)
        payloads: dict[object, str] = {}
        for (channel, columns), ids in told.items():
            if channel not in self._bindings:  # it left while the database was asked
                continue
            key = str(channel.claims["role"]), columns
            if key not in payloads:
                payloads[key] = compact(payload(change, table, answer, *key))
            channel.push("postgres_changes", Written(f'{{"ids":{compact(ids)},"data":{payloads[key]}}}'))
