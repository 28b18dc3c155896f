"""The emoji to choose from: all there are, once each, as the file that browsers fetch has them."""

from __future__ import annotations

import json

from chatapp.messages.emoji_catalogue import ASSET, catalogue, groups, offered
from chatapp.texts import one_emoji


def test_the_file_is_what_is_made_of_the_data() -> None:
    assert ASSET.read_text(encoding="utf-8") == catalogue(), "run `python -m chatapp.messages.emoji_catalogue`"


def test_every_emoji_is_in_one_group() -> None:
    listed = [one for _, emoji in groups() for one in emoji]
    assert len(listed) == len(set(listed))
    assert set(listed) == offered()


def test_every_emoji_can_be_a_reaction_and_has_a_name() -> None:
    for _, entries in json.loads(catalogue()):
        for emoji, name, *_ in entries:
            assert one_emoji(emoji) == emoji
            assert name
