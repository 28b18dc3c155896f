"""Frames: what goes over a Realtime socket, in protocol 1.0.0 (JSON objects) and 2.0.0 (JSON lists, binary
broadcasts).

Source: https://supabase.com/docs/guides/realtime/protocol and Phoenix's serializers. Binary frames start with
their kind and one length byte for each text that follows; a client sends kind 3 (user broadcast push), a
server kind 4 (user broadcast).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

USER_BROADCAST_PUSH = 3
USER_BROADCAST = 4
BINARY, JSON = 0, 1  # how a user broadcast's payload is encoded

Frame = str | bytes


class FrameError(Exception):
    """The client sent something that is no frame of the protocol."""


@dataclass(frozen=True)
class Message:
    """One frame from a client, `size` bytes or characters long. `raw` is a binary broadcast's payload."""

    topic: str
    event: str
    payload: dict[str, Any]
    ref: str | None = None
    join_ref: str | None = None
    raw: bytes | None = None
    size: int = 0


def decode(frame: Frame) -> Message:
    """Read a frame of either version. Raises FrameError."""
    try:
        message = _decode_binary(frame) if isinstance(frame, bytes) else _decode_text(parse(frame))
        return replace(message, size=len(frame))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def parse(text: str | bytes) -> Any:
    """Read JSON that can be sent on. Raises ValueError.

    Half a surrogate pair can be written as an escape and read by Python, but not encoded: it would end the connection
    of everybody it is sent to.
    """
    value = json.loads(text)
    if (b"\\u" if isinstance(text, bytes) else "\\u") in text:  # type: ignore[operator]  # of the same kind
        compact(value).encode()
    return value


def _decode_text(parts: Any) -> Message:
    if isinstance(parts, list):
        join_ref, ref, topic, event, payload = parts
        parts = {"join_ref": join_ref, "ref": ref, "topic": topic, "event": event, "payload": payload}
    return _message(parts["topic"], parts["event"], parts.get("payload"), parts.get("ref"), parts.get("join_ref"))


def _message(topic: object, event: object, payload: object, ref: object, join_ref: object) -> Message:
    if not isinstance(topic, str) or not isinstance(event, str):
        raise FrameError("topic and event must be strings")
    content = payload if isinstance(payload, dict) else {}
    return Message(topic, event, content, _ref(ref), _ref(join_ref))


def _ref(value: object) -> str | None:
    return None if value is None else str(value)


def _decode_binary(frame: bytes) -> Message:
    """kind, six lengths' worth of texts (join ref, ref, topic, event, metadata), an encoding, then the
    payload.
    """
    kind, *lengths, encoding = frame[:7]
    if kind != USER_BROADCAST_PUSH:
        raise FrameError(f"frames of kind {kind} are not for servers")
    if len(frame) < 7 + sum(lengths):
        raise FrameError("the frame ends before its texts do")
    texts, at = [], 7
    for length in lengths:
        texts.append(frame[at : at + length].decode())
        at += length
    join_ref, ref, topic, event, _metadata = texts
    raw = frame[at:]
    content = parse(raw) if encoding == JSON else None
    payload = {"type": "broadcast", "event": event, "payload": content}
    return Message(topic, "broadcast", payload, ref or None, join_ref or None, None if encoding == JSON else raw)


def encode(
    version: int,
    topic: str,
    event: str,
    payload: object,
    *,
    ref: str | None = None,
    join_ref: str | None = None,
) -> str:
    """Write a frame. `ref` is there even when null: the Python client drops a frame without the key."""
    content = payload if isinstance(payload, Written) else compact(payload)
    if version == 2:
        return f"[{compact(join_ref)},{compact(ref)},{compact(topic)},{compact(event)},{content}]"
    return f'{{"topic":{compact(topic)},"event":{compact(event)},"payload":{content},"ref":{compact(ref)}}}'


class Written(str):
    """JSON already: a payload that many are told is written once."""

    __slots__ = ()


def compact(value: object) -> str:
    """Write JSON without needless bytes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


@dataclass(frozen=True)
class Broadcast:
    """A broadcast on its way to many sockets, written once for each version of the protocol."""

    topic: str
    event: str
    payload: object = None
    meta: dict[str, Any] | None = None
    raw: bytes | None = None

    def frame(self, version: int) -> Frame | None:
        """Return the frame for a socket of `version`; None where a binary payload cannot be told."""
        if version == 2:
            return self._binary_frame if self._fits_binary else self._text_frame(2)
        return self._frame_of_version_1

    @cached_property
    def _frame_of_version_1(self) -> Frame | None:
        return None if self.raw is not None else self._text_frame(1)

    def _text_frame(self, version: int) -> str | None:
        meta = {"meta": self.meta} if self.meta else {}
        payload = {"type": "broadcast", "event": self.event, "payload": self.payload, **meta}
        return None if self.raw is not None else encode(version, f"realtime:{self.topic}", "broadcast", payload)

    @property
    def _fits_binary(self) -> bool:
        """A length is one byte, so longer names go as text."""
        return all(len(text) < 256 for text in self._texts)

    @cached_property
    def _texts(self) -> tuple[bytes, bytes, bytes]:
        meta = compact(self.meta).encode() if self.meta else b""
        return f"realtime:{self.topic}".encode(), self.event.encode(), meta

    @cached_property
    def _binary_frame(self) -> bytes:
        encoding = JSON if self.raw is None else BINARY
        content = compact(self.payload).encode() if self.raw is None else self.raw
        header = bytes([USER_BROADCAST, *map(len, self._texts), encoding])
        return header + b"".join(self._texts) + content
