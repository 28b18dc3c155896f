"""Program text in the colours of its language, as classes that assets/styles/text.css gives a light and a dark look."""

from __future__ import annotations

import re
from functools import cache

from markdown_it.common.utils import escapeHtml
from pygments import format  # noqa: A004  # its name
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

_NAMES = """
    bash c c++ console cpp cs csharp css diff docker dockerfile elixir erlang go graphql haskell html ini java
    javascript js json jsx kotlin lua make makefile nginx perl php powershell ps1 py pycon python r rb ruby
    rs rust scala scss sh shell sql swift toml ts tsx typescript xml yaml yml zsh
"""
LANGUAGES = frozenset(_NAMES.split())
"""Those that are coloured. Not all five hundred: a lexer is a set of patterns that runs on a stranger's text."""

MOST = 4000
"""Characters of a block that are coloured; a longer one is shown in one colour."""

_RUN = re.compile(r"(.{1,4}?)\1{60}", re.DOTALL)
"""The same over and over is no program, and what makes some lexers take the square of the time."""

_FORMAT = HtmlFormatter(nowrap=True)


def highlighted(text: str, language: str) -> str:
    """Return program text as HTML, escaped; coloured where the language is one of `LANGUAGES`."""
    name = language.lower()
    if name not in LANGUAGES or len(text) > MOST or _RUN.search(text):
        return escapeHtml(text)
    tokens = list(_lexer(name).get_tokens(text))
    if "".join(piece for _, piece in tokens).rstrip("\n") != text.rstrip("\n"):
        return escapeHtml(text)  # some lexers leave out what they don't understand
    coloured: str = format(tokens, _FORMAT)
    return coloured


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)
