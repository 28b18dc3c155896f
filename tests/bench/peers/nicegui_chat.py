"""NiceGUI's chat example, as its documentation has it, but for one route that posts without a browser."""

# ruff: noqa: DTZ005, SIM117  # theirs, not ours

from __future__ import annotations

import os
from datetime import datetime
from uuid import uuid4

from nicegui import app, ui

messages: list[tuple[str, str, str, str]] = []


@ui.refreshable
def chat_messages(own_id: str) -> None:
    if messages:
        for user_id, avatar, text, stamp in messages:
            ui.chat_message(text=text, stamp=stamp, avatar=avatar, sent=own_id == user_id)
    else:
        ui.label("No messages yet").classes("mx-auto my-36")
    ui.run_javascript("window.scrollTo(0, document.body.scrollHeight)")


@ui.page("/")
async def main() -> None:
    def send() -> None:
        stamp = datetime.now().strftime("%X")
        messages.append((user_id, avatar, text.value, stamp))
        text.value = ""
        chat_messages.refresh()

    user_id = str(uuid4())
    avatar = f"https://robohash.org/{user_id}?bgset=bg2"
    ui.add_css(r"a:link, a:visited {color: inherit !important; text-decoration: none; font-weight: 500}")
    with ui.footer().classes("bg-white"), ui.column().classes("w-full max-w-3xl mx-auto my-6"):
        with ui.row().classes("w-full no-wrap items-center"):
            with ui.avatar().on("click", lambda: ui.navigate.to(main)):
                ui.image(avatar)
            text = ui.input(placeholder="message").on("keydown.enter", send)
            text.props("rounded outlined input-class=mx-3").classes("flex-grow")
    await (
        ui.context.client.connected()
    )  # chat_messages(...) uses run_javascript which is only possible after connecting
    with ui.column().classes("w-full max-w-2xl mx-auto items-stretch"):
        chat_messages(user_id)


@app.post("/post/{text}")
async def post(text: str) -> None:
    messages.append(("bench", "", text, datetime.now().strftime("%X")))
    chat_messages.refresh()


ui.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), reload=False, show=False)
