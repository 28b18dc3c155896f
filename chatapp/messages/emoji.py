"""Emoji in what is said: shortcodes become emoji when a message is sent, and a few emoji alone are shown large."""

from __future__ import annotations

import re

import emoji as unicode

LARGE_MOST = 6
"""Emoji that are shown large, if a message says nothing else."""

_LARGE_CHARACTERS = 12 * LARGE_MOST  # a family is a dozen code points
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
_SHORTCODE = re.compile(r"(?<![0-9A-Za-z_]):[a-z0-9_+\-]{1,60}:(?![0-9A-Za-z_])")


def without_shortcodes(text: str) -> str:
    """Return `text` with `:tada:` as 🎉, but for code and for what is no emoji's name. Nothing is made of 12:30:45."""
    if text.count(":") < 2:
        return text
    parts = _CODE.split(text)  # text, code, text, … text
    parts[::2] = [_SHORTCODE.sub(_emoji, part) for part in parts[::2]]
    return "".join(parts)


def is_large(text: str) -> bool:
    """Return whether a message says nothing but a few emoji."""
    if text.isascii() or len(text) > _LARGE_CHARACTERS:
        return False
    bare = "".join(text.split())
    return unicode.emoji_count(bare) <= LARGE_MOST and unicode.purely_emoji(bare)


def _emoji(found: re.Match[str]) -> str:
    return unicode.emojize(found[0], language="alias")
