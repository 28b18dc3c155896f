"""Realtime's endpoints under `/realtime/v1`, and the way from the database to the hub."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from chatapp.standin.database import Database
from chatapp.standin.keys import TokenError

from .authorization import writing_rights
from .channels import Services, Socket
from .hub import Hub
from .pgoutput import Change
from .protocol import Broadcast, Frame, FrameError, decode, parse

BODY_LIMIT = 4_000_000  # bytes; a hosted broadcast may have 3 MB
TRY_AGAIN_LATER = 1013  # WebSocket close code for a socket that lags
RETENTION = "3 days"  # as hosted
SWEEP_SECONDS = 600.0
log = logging.getLogger(__name__)


def deliver(services: Services, change: Change) -> None:
    """Bring a row of `realtime.messages` to the channels of its topic, any other to those that asked for changes."""
    if (change.relation.schema, change.relation.table) == ("realtime", "messages"):
        _broadcast(services.hub, change)
    else:
        services.changes.put(change)


def _broadcast(hub: Hub, change: Change) -> None:
    row = change.new
    if change.kind != "INSERT" or row.get("extension") != "broadcast":
        return
    topic, event, raw = row["topic"] or "", row.get("event") or "", row.get("binary_payload")
    payload = json.loads(row.get("payload") or "null")
    broadcast = Broadcast(topic, event, payload, {"id": row["id"]}, bytes.fromhex(raw[2:]) if raw else None)
    hub.broadcast((topic, row.get("private") == "t"), broadcast)


async def sweep(database: Database) -> None:
    """Delete delivered messages from time to time: the table is a passage, not a store."""
    while True:
        try:
            await database.run("delete from realtime.messages where inserted_at < now() - %s::interval", RETENTION)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round may succeed
            log.warning("old realtime messages could not be deleted: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)


def realtime_routes(services: Services) -> list[BaseRoute]:
    """Return Realtime's routes."""
    endpoints = _Endpoints(services)
    return [
        WebSocketRoute("/realtime/v1/websocket", endpoints.socket),
        Route("/realtime/v1/api/broadcast", endpoints.broadcast_many, methods=["POST"]),
        Route("/realtime/v1/api/broadcast/{topic}/events/{event}", endpoints.broadcast_one, methods=["POST"]),
    ]


@dataclass(frozen=True)
class _Endpoints:
    services: Services

    async def socket(self, websocket: WebSocket) -> None:
        """Serve one connection. A key that is not ours is refused before the handshake, as HTTP."""
        token = websocket.headers.get("x-api-key") or websocket.query_params.get("apikey")
        try:
            self.services.keys.claims_of(token)
        except TokenError as error:
            await websocket.send_denial_response(JSONResponse({"error": str(error)}, 401))
            return
        usage = self.services.usage
        if usage.connections >= usage.limits.connections:
            await websocket.send_denial_response(JSONResponse({"error": "Too many connected users"}, 429))
            return
        usage.connections += 1
        try:
            await websocket.accept()
            version = 2 if websocket.query_params.get("vsn", "1.0.0").startswith("2") else 1
            await _serve(websocket, Socket(self.services, token, version))
        finally:
            usage.connections -= 1

    async def broadcast_many(self, request: Request) -> Response:
        """`POST /api/broadcast` with `{"messages": [{topic, event, payload, private}]}`."""
        body = _json(await _read(request))
        messages = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(messages, list) or not messages or not all(map(_is_complete, messages)):
            return JSONResponse({"errors": {"messages": ["can't be blank"]}}, 422)
        broadcasts = [Broadcast(each["topic"], each["event"], each["payload"]) for each in messages]
        return await self._send(
            request, [(b, bool(m.get("private"))) for b, m in zip(broadcasts, messages, strict=True)]
        )

    async def broadcast_one(self, request: Request) -> Response:
        """`POST /api/broadcast/{topic}/events/{event}` with the payload as JSON or bytes."""
        topic, event = request.path_params["topic"], request.path_params["event"]
        content, private = await _read(request), request.query_params.get("private") == "true"
        if request.headers.get("content-type", "").startswith("application/octet-stream"):
            return await self._send(request, [(Broadcast(topic, event, raw=content), private)])
        payload = _json(content)
        if payload is None:
            return JSONResponse({"error": "The body must be JSON or application/octet-stream"}, 422)
        return await self._send(request, [(Broadcast(topic, event, payload), private)])

    async def _send(self, request: Request, broadcasts: list[tuple[Broadcast, bool]]) -> Response:
        try:
            claims = self.services.keys.claims_of(_token(request))
        except TokenError as error:
            return JSONResponse({"message": str(error)}, 401)
        if refusal := self._refused(len(broadcasts)):
            return JSONResponse({"message": refusal}, 429)
        for broadcast, private in broadcasts:
            if not private or await self._may_write(broadcast.topic, claims):
                self.services.hub.broadcast((broadcast.topic, private), broadcast)
        return Response(status_code=202)

    def _refused(self, count: int) -> str | None:
        usage = self.services.usage
        if count > usage.limits.events:
            return "Too many messages to broadcast, please reduce the batch size"
        return None if usage.events.take(count) else "You have exceeded your rate limit"

    async def _may_write(self, topic: str, claims: dict[str, Any]) -> bool:
        return (await writing_rights(self.services.database, topic, claims))["broadcast"]


async def _serve(websocket: WebSocket, socket: Socket) -> None:
    """Read and write until either side ends, or the client lags behind too far."""
    jobs = [
        asyncio.create_task(_receive(websocket, socket)),
        asyncio.create_task(_send(websocket, socket)),
        asyncio.create_task(socket.lagging.wait()),
    ]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        socket.close()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
    if socket.lagging.is_set():
        with contextlib.suppress(TimeoutError, RuntimeError):
            await asyncio.wait_for(websocket.close(TRY_AGAIN_LATER), 1)


async def _receive(websocket: WebSocket, socket: Socket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await _handle(socket, await _next_frame(websocket))


async def _next_frame(websocket: WebSocket) -> Frame:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    content: bytes | None = message.get("bytes")
    return str(message.get("text", "")) if content is None else content


async def _handle(socket: Socket, frame: Frame) -> None:
    """A frame we cannot read is passed over, as Phoenix does; one that fails must not cost the other
    channels.
    """
    try:
        await socket.handle(decode(frame))
    except FrameError as error:
        log.info("a frame was passed over: %s", error)
    except Exception:
        log.exception("a frame could not be handled")


async def _send(websocket: WebSocket, socket: Socket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            frame = await socket.outgoing.get()
            await (websocket.send_bytes(frame) if isinstance(frame, bytes) else websocket.send_text(frame))
            if socket.is_ending and socket.outgoing.empty():
                await websocket.close()
                return


async def _read(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            return b""
    return content


def _json(content: bytes) -> Any:
    try:
        return parse(content)
    except (ValueError, RecursionError):
        return None


def _is_complete(message: object) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("topic"), str)
        and isinstance(message.get("event"), str)
        and bool(message["topic"] and message["event"])
        and "payload" in message
    )


def _token(request: Request) -> str | None:
    """A user's token counts for more than the API key, which the clients may send in both places."""
    token = request.headers.get("authorization", "").partition(" ")[2]
    return token if token and not token.startswith("sb_") else request.headers.get("apikey") or token
