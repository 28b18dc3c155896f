"""What a message says, as HTML: rendered once per revision for everybody who sees it, never once per viewer.

Two fences stand one behind the other. The renderer makes only tags of its own: a `<` in a message is text to it, and
of links it takes web and mail addresses alone. What it made then passes an allow-list (nh3, a parser and not a
pattern), so that a mistake of the first is not yet a hole.

A text that says the same without any of this has no HTML: most messages are such, and stay small on the wire.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import Any, Protocol

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from pygments.token import STANDARD_TYPES

from chatapp.messages.bounded import Bounded
from chatapp.messages.code import highlighted

ID_SHOWN = 13
"""Characters of a user's id that a mention carries, as reactions do: enough to tell a room's members apart."""

LONG = 1500
"""Characters from which a text is rendered beside the event loop, which is everybody's."""

KEPT = 4_000_000
"""Characters of text and HTML that are remembered, so that a reaction or an older page renders nothing again."""

NESTING = 16
"""Levels of quotes and lists. Without a bound a line of `>` costs the square of its length."""

SIGNS = 1500
"""Characters of markup that a text may have. One with more is no prose: it is shown as it is, for the work grows with
their square."""

WORD = "0-9A-Za-z_\u00c0-\u024f\u0370-\u052f"
"""What a mention may not touch, as `private.mentions_in` has it: `a@Ada` and `@Adam` mention no Ada. Scripts without
spaces are not in it."""

Mentions = Sequence[tuple[str, str]]
"""Who is mentioned, as (id, the name as it was written)."""

_SIGN = re.compile(r"[*_`~\[\\<]")
_LINE = re.compile(r"\n[ \t]*(?:[-+>]|\d{1,9}[.)])")  # begins with what is found fast
_GAP = re.compile(r"\n{2,}")  # between blocks
_SAFE_ADDRESS = re.compile(r"https?://[^/]|mailto:[^/]", re.IGNORECASE)
_BLOCKS = ["fence", "blockquote", "list"]
_INLINE = ["backticks", "emphasis", "strikethrough", "link", "image", "autolink", "escape", "newline", "linkify"]
_PLAIN = {"paragraph_open", "paragraph_close", "text", "softbreak", "hardbreak"}


class Said(Protocol):
    """A message, as far as its text goes."""

    @property
    def content(self) -> str: ...
    @property
    def mentions(self) -> Mentions: ...


def html(text: str, mentions: Mentions = ()) -> str:
    """Return `text` as HTML that may be put into a page; "" where the text alone says it all."""
    if not mentions and not _may_be_marked(text):
        return ""
    key = (text, tuple(mentions))
    if (known := _rendered.get(key)) is None:
        known = _render(text, mentions)
        _rendered.put(key, known, len(text) + len(known))
    return known


def plain(text: str, mentions: Mentions = ()) -> str:
    """Return what `text` says without its marks, for where there is room for words alone: `**so**` as `so`."""
    made = html(text, mentions)
    return _GAP.sub("\n", unescape(nh3.clean(made, tags=set())).strip()) if made else text


async def prepare(messages: Iterable[Said]) -> None:
    """Render what is long ahead of time, on another thread: `html` finds it done."""
    if long := [message for message in messages if len(message.content) > LONG]:
        await asyncio.to_thread(lambda: [html(message.content, message.mentions) for message in long])


_rendered: Bounded[tuple[str, tuple[tuple[str, str], ...]], str] = Bounded(KEPT)


def _may_be_marked(text: str) -> bool:
    """Whether it is worth a closer look; asked of every message, so it is quick."""
    return bool(_SIGN.search(text) or "://" in text or "mailto:" in text or _LINE.search(f"\n{text}"))


def _render(text: str, mentions: Mentions) -> str:
    if len(_SIGN.findall(text)) > SIGNS:
        return ""
    env = {"mentions": _by_name(mentions)}
    tokens = _parser.parse(text, env)
    if _is_plain(tokens):
        return ""
    return _cleaner.clean(_parser.renderer.render(tokens, _parser.options, env)).strip()


def _is_plain(tokens: Iterable[Token]) -> bool:
    """Whether there are only paragraphs of text, with nothing that was written otherwise than it reads."""
    inside = (child for token in tokens for child in (token.children or () if token.type == "inline" else (token,)))
    return all(token.type in _PLAIN and not token.info for token in inside)


# ------------------------------------------------------------------------------------------------ mentions


def _by_name(mentions: Mentions) -> dict[str, str]:
    """The short ids of those who have a name, separated by spaces; longer names come first."""
    found: dict[str, list[str]] = {}
    for user_id, name in sorted(mentions, key=lambda each: -len(each[1])):
        found.setdefault(name, []).append(user_id[:ID_SHOWN])
    return {name: " ".join(ids) for name, ids in found.items()}


def _find_mentions(state: StateCore) -> None:
    """A rule of the parser: cut names out of plain text. Code is none, and a link stays one link."""
    names: Mapping[str, str] = state.env.get("mentions") or {}
    if not names:
        return
    pattern = re.compile(rf"(?<![{WORD}])@({'|'.join(map(re.escape, names))})(?![{WORD}])")
    for block in state.tokens:
        depth, children = 0, []
        for token in block.children or ():
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            children += [token] if depth or token.type != "text" else _cut(token, pattern, names)
        block.children = children or block.children


def _cut(token: Token, pattern: re.Pattern[str], names: Mapping[str, str]) -> list[Token]:
    parts = pattern.split(token.content)  # text, name, text, name, … text
    cut: list[Token] = []
    for index, part in enumerate(parts):
        kind = "mention" if index % 2 else "text"
        if part:
            cut.append(Token(kind, "", 0, content=part, meta={"ids": names.get(part, "")}, level=token.level))
    return cut or [token]


# ------------------------------------------------------------------------------------------------ the parts' own HTML


def _mention(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    return f'<span class="mention" data-user="{escapeHtml(token.meta["ids"])}">@{escapeHtml(token.content)}</span>'


def _fence(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    language, _, _ = tokens[index].info.strip().partition(" ")
    return f"<pre><code>{highlighted(tokens[index].content, language)}</code></pre>\n"


def _image(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """A picture from elsewhere would tell its host who reads here: it is a link like any other."""
    address = str(tokens[index].attrs.get("src", ""))
    return f'<a href="{escapeHtml(address)}">{escapeHtml(tokens[index].content or address)}</a>'


def _make_parser() -> MarkdownIt:
    # From nothing: no HTML, no headings (a chat is no document), no link definitions (they would vanish from the text),
    # no entities and no indented code (pasted text stays as it is).
    parser = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": True, "maxNesting": NESTING})
    parser.enable([*_BLOCKS, *_INLINE])
    parser.validateLink = lambda url: bool(_SAFE_ADDRESS.match(url.strip()))  # type: ignore[method-assign]  # its documented way
    assert parser.linkify is not None  # noqa: S101  # the package is there: it is declared
    # `main.py` and `README.md` are no web sites, however many countries sell such names; and `@Ada` is no mail address.
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.core.ruler.after("text_join", "mentions", _find_mentions)
    for kind, rule in (("mention", _mention), ("fence", _fence), ("image", _image)):
        parser.add_render_rule(kind, rule)
    return parser


def _safe_attribute(_: str, name: str, value: str) -> str | None:
    return value if name != "href" or _SAFE_ADDRESS.match(value) else None


_parser = _make_parser()
_cleaner = nh3.Cleaner(
    tags={"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"},
    attributes={"*": set(), "a": {"href"}, "span": {"data-user"}, "ol": {"start"}},
    allowed_classes={"span": {"mention", *filter(None, STANDARD_TYPES.values())}},
    url_schemes={"http", "https", "mailto"},
    attribute_filter=_safe_attribute,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
