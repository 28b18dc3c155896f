"""A bare python-socketio room, which is what Reflex sits on: whoever connects is in it, and "post" goes to all."""

from __future__ import annotations

import argparse

import socketio
import uvicorn

from chatapp import serve


def app() -> socketio.ASGIApp:
    """Make the ASGI app; the factory that the server is given."""
    server = socketio.AsyncServer(async_mode="asgi")

    async def connect(sid: str, *_: object) -> None:
        await server.enter_room(sid, "room")

    async def post(_: str, text: str) -> None:
        await server.emit("message", text, room="room")

    server.on("connect", connect)
    server.on("post", post)
    return socketio.ASGIApp(server)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(**{**serve.options("127.0.0.1", port), "app": "tests.bench.peers.room_server:app"})
