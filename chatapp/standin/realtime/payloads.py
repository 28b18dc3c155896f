"""What a client is told of a change, in a hosted project's form."""

from __future__ import annotations

import json
from typing import Any

from .pgoutput import Change
from .questions import Answer
from .tables import Column, Table

RECORD_LIMIT = 1024 * 1024  # bytes, as hosted; of a larger row only the short values are told
SHORT_VALUE = 64


def payload(change: Change, table: Table, answer: Answer, role: str, wanted: tuple[str, ...] | None) -> dict[str, Any]:
    """Return what somebody with `role` who asked for the columns `wanted` is told."""
    shown = [
        column
        for column in table.columns
        if role in column.readers and (wanted is None or column.name in wanted or column.is_key)
    ]
    fault = table.fault(change.kind, role)
    large = len(json.dumps(answer.new)) > RECORD_LIMIT
    errors = [fault] if fault else ["Error 413: Payload Too Large"] if large else None
    data: dict[str, Any] = {
        "schema": table.schema,
        "table": table.name,
        "type": change.kind,
        "commit_timestamp": change.committed_at,
        "columns": [] if fault else [{"name": column.name, "type": column.kind} for column in shown],
        "errors": errors,
    }
    return data | _records(change, table, answer, [] if fault else shown, short_only=large)


def _records(
    change: Change, table: Table, answer: Answer, shown: list[Column], *, short_only: bool
) -> dict[str, dict[str, Any]]:
    def told(values: dict[str, Any], columns: list[Column]) -> dict[str, Any]:
        return {
            column.name: values[column.name]
            for column in columns
            if column.name in values and not (short_only and len(json.dumps(values[column.name])) > SHORT_VALUE)
        }

    # Who may see a deleted row cannot be asked any more: where rows are guarded, only its key is told.
    only_key = table.guarded and change.kind == "DELETE"
    old = [column for column in shown if column.is_key] if only_key else shown
    record = {} if change.kind == "DELETE" else {"record": told(answer.new, shown)}
    return record if change.kind == "INSERT" else {**record, "old_record": told(answer.old, old)}
