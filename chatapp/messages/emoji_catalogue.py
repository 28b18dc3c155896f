"""The emoji to choose from, with the names they are found by: `python -m chatapp.messages.emoji_catalogue` writes
assets/emoji.json, which browsers fetch when somebody looks for the first one.

Names and aliases are the emoji package's. It knows no order, so groups and order stand beside this file as Unicode's
emoji-test.txt has them. Skin tones are left out: thousands of them would only hide the rest.
"""

from __future__ import annotations

import json
from pathlib import Path

import emoji as unicode

NEWEST = 16
"""Version of Unicode's emoji up to which they are offered: newer ones are empty boxes on most people's screens."""

GROUPS = Path(__file__).with_name("emoji_groups.txt")
ASSET = Path(__file__).parents[2] / "assets" / "emoji.json"

Entry = list[str]
"""An emoji, its name, and more words that it is found by."""


def groups() -> list[tuple[str, list[str]]]:
    """Return the groups in their order, each with its emoji."""
    lines = (line.split("\t") for line in GROUPS.read_text(encoding="utf-8").splitlines())
    return [(name, emoji.split(" ")) for name, emoji in lines]


def offered() -> set[str]:
    """Return every emoji that the package knows and that is to be offered."""
    whole = unicode.STATUS["fully_qualified"]
    return {
        one
        for one, data in unicode.EMOJI_DATA.items()
        if data["status"] == whole and data["E"] <= NEWEST and "skin_tone" not in data["en"]
    }


def catalogue() -> str:
    """Return the asset's content: [[group, [entry, …]], …]."""
    made = [[name, [_entry(one) for one in emoji]] for name, emoji in groups()]
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n"


def _entry(one: str) -> Entry:
    data = unicode.EMOJI_DATA[one]
    name, *more = (code.strip(":").replace("_", " ") for code in (data["en"], *data.get("alias", ())))
    others = " ".join(word for word in dict.fromkeys(more) if word != name)
    return [one, name, others] if others else [one, name]


if __name__ == "__main__":
    ASSET.write_text(catalogue(), encoding="utf-8")
