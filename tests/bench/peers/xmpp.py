"""The simplest XMPP client there is: anonymous, over a plain connection, in one chat room."""

from __future__ import annotations

import re

from tests.bench.viewers import Tally, Viewer

HOST = "localhost"
ROOM = f"bench@conference.{HOST}"
_STREAM = (
    f"<?xml version='1.0'?><stream:stream to='{HOST}' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)
_AUTH = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
_BIND = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
_STEPS = (
    (re.compile(rb"</stream:features>"), _AUTH),
    (re.compile(rb"<success[^>]*>"), _STREAM),
    (re.compile(rb"</stream:features>"), _BIND),
    (re.compile(rb"<iq[^>]*type=['\"]result['\"].*</iq>", re.DOTALL), ""),
    (re.compile(rb"<status code=['\"]110['\"]"), ""),
)
"""What is waited for, and what is answered to it; the last but one is answered by joining, the last means: joined."""
_END = b"</message>"


class XmppViewer(Viewer):
    """An occupant of the room."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__("127.0.0.1", port)
        self._nick = f"viewer-{number}"

    def opened(self) -> None:
        self._buffer, self._step = bytearray(), 0
        self.say(_STREAM)

    def received(self, data: bytes, now: float, tally: Tally) -> None:
        self._buffer += data
        if not self.ready:
            self._join()
        self._skip_to_message()
        end = self._buffer.rfind(_END)
        if end >= 0:
            stanzas = bytes(self._buffer[: end + len(_END)])
            del self._buffer[: end + len(_END)]
            self._count(stanzas, len(stanzas), now, tally)

    def _skip_to_message(self) -> None:
        """Drop the presences: who else is coming is no delivery."""
        if self.ready and (start := self._buffer.find(b"<message")) != 0:
            del self._buffer[: start if start > 0 else max(0, len(self._buffer) - len(_END))]

    def post(self, text: str) -> None:
        self.say(f"<message to='{ROOM}' type='groupchat'><body>{text}</body></message>")

    def say(self, stanza: str) -> None:
        self.sock.sendall(stanza.encode())

    def goodbye(self) -> None:
        self.say("</stream:stream>")

    def _join(self) -> None:
        wanted, answer = _STEPS[self._step]
        if not (found := wanted.search(self._buffer)):
            return
        del self._buffer[: found.end()]
        self._step += 1
        if self._step == len(_STEPS):
            self.ready = True
        elif self._step == len(_STEPS) - 1:
            muc = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
            self.say(f"<presence to='{ROOM}/{self._nick}'>{muc}</presence>")
        else:
            self.say(answer)
