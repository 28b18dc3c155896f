"""What a message says, as HTML: what is marked up shows as such, what is not has none, all else stays out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import emoji
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.messages import markdown
from chatapp.messages.bounded import Bounded
from chatapp.messages.code import LANGUAGES, highlighted
from chatapp.messages.emoji import is_large, without_shortcodes
from chatapp.messages.markdown import html
from tests.hostile import corpus

ALLOWED = {
    "p": set(),
    "br": set(),
    "strong": set(),
    "em": set(),
    "s": set(),
    "code": set(),
    "pre": set(),
    "blockquote": set(),
    "ul": set(),
    "ol": {"start"},
    "li": set(),
    "a": {"href", "target", "rel"},
    "span": {"class", "data-user"},
}
ADA, GRACE = "0a" * 18, "09" * 18


class Judge(HTMLParser):
    """Reads HTML as a browser would, and knows no Markdown: notes whatever is not allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag not in ALLOWED or set(values) - ALLOWED[tag]:
            self.wrong.append(f"<{tag} {values}>")
        if tag == "a":
            safe = re.match(
                r"(https?|mailto):", values.get("href", "http:") or ""
            )  # without an address it leads nowhere
            if not safe or values.get("rel") != "noopener noreferrer nofollow" or values.get("target") != "_blank":
                self.wrong.append(f"link {values}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"declaration {decl}")

    handle_pi = unknown_decl = handle_comment


def judged(made: str) -> list[str]:
    judge = Judge()
    judge.feed(made)
    judge.close()
    return judge.wrong


def link(href: str, text: str) -> str:
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{text}</a>'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**b** _i_ ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("*one*\ntwo", "<p><em>one</em><br>\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>"),
        ("[text](https://a.b/c)", f"<p>{link('https://a.b/c', 'text')}</p>"),
        ("see https://a.b/c_d_e, ok", f"<p>see {link('https://a.b/c_d_e', 'https://a.b/c_d_e')}, ok</p>"),
        ("![a picture](https://a.b/c.png)", f"<p>{link('https://a.b/c.png', 'a picture')}</p>"),
        ("\\*no\\*", "<p>*no*</p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("```\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("```nonsense\nx\n```", "<pre><code>x\n</code></pre>"),
    ],
)
def test_what_is_marked_up(text: str, wanted: str) -> None:
    assert html(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "one\n\n\n  two\n\ttabbed",
        "2 * 3 * 4, a_b_c, <b>x</b>, [x](javascript:alert(1)), #1 and # 2, 1 < 2 && 3 > 2 &copy;",
        "main.py, README.md, www.example.com, a@b.com",
        "---\n===\n# no heading",
        "    indented\n    text",
        "x" * 10_000,
        "*" * 10_000,
        "@Ada without a mention",
        "مرحبا *",
    ],
    ids=lambda text: text[:12],
)
def test_a_text_that_says_the_same_without_has_no_html(text: str) -> None:
    assert html(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello *", "hello *"),
        ("**so** `a<b` & [there](https://a.b/c) ~~no~~", "so a<b & there no"),
        ("> one\n\n- two\n- three", "one\ntwo\nthree"),
        ("```py\nx = 1 < 2\n```", "x = 1 < 2"),
        ("**<b>x</b>** &lt;i&gt;", "<b>x</b> &lt;i&gt;"),
        ("a cut **mark", "a cut **mark"),
    ],
)
def test_plain_words_are_without_marks(text: str, words: str) -> None:
    assert markdown.plain(text) == words
    assert markdown.plain(f"@Ada {text}", [(ADA, "Ada")]).startswith("@Ada")


def test_code_is_coloured_in_the_languages_that_are_known() -> None:
    assert '<span class="k">def</span>' in html("```python\ndef f(): pass\n```")
    assert '<span class="k">def</span>' in html("```PY title=x\ndef f(): pass\n```")
    for language in LANGUAGES:
        assert re.sub(r"<[^>]*>", "", highlighted("<b>", language)).strip() == "&lt;b&gt;"
    assert highlighted("x = '<'" * 2000, "python") == "x = '&lt;'" * 2000


def test_mentions_are_chips_where_they_are_text() -> None:
    chip = f'<span class="mention" data-user="{ADA[:13]}">@Ada Lovelace</span>'
    both = ((ADA, "Ada Lovelace"), (GRACE, "Ada"))
    assert html("hi @Ada Lovelace", both) == f"<p>hi {chip}</p>"
    assert html("**@Ada Lovelace**, @Ada", both) == (
        f'<p><strong>{chip}</strong>, <span class="mention" data-user="{GRACE[:13]}">@Ada</span></p>'
    )
    assert "mention" not in html("`@Ada` [@Ada](https://a.b) x@Ada @Adam", both)
    two = html("@Ada", ((ADA, "Ada"), (GRACE, "Ada")))
    assert f'data-user="{ADA[:13]} {GRACE[:13]}"' in two
    assert judged(html("@<i onclick=x>", ((ADA, "<i onclick=x>"),))) == []


def test_a_text_is_rendered_once_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = markdown._render

    def noted(text: str, mentions: markdown.Mentions) -> str:
        asked.append(text)
        return real(text, mentions)

    monkeypatch.setattr(markdown, "_render", noted)
    for _ in range(200):
        html("**rendered once**")
    assert asked == ["**rendered once**"]


def test_what_is_remembered_is_bounded() -> None:
    kept: Bounded[int, str] = Bounded(10)
    for number in range(5):
        kept.put(number, "x", 4)
    assert [kept.get(number) for number in range(5)] == [None, None, None, "x", "x"]
    kept.put(9, "huge", 11)
    assert [kept.get(number) for number in (3, 4, 9)] == [None, None, None]
    kept.put(1, "a", 5)
    kept.put(1, "b", 10)
    assert kept.get(1) == "b"


def test_nothing_hostile_gets_through() -> None:
    assert [text for text in corpus() if judged(html(text))] == []


def test_the_corpus_is_large() -> None:
    assert len(corpus()) >= 300


PIECES = st.sampled_from(
    [*"*_`~[]()<>!\\\n \"'&@:#-+>|", "```", "javascript:", "https://a.b", "<img src=x onerror=x>", "data:", "a", "1. "]
)
MARKED = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


@given(MARKED)
def test_whatever_is_written_comes_out_harmless(text: str) -> None:
    assert judged(html(text, ((ADA, "a"), (GRACE, "<b>")))) == []


@given(MARKED)
def test_the_second_fence_holds_without_the_first(text: str) -> None:
    assert judged(markdown._cleaner.clean(text)) == []


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ship it :rocket::tada:!", "ship it 🚀🎉!"),
        (":+1: :thumbsup:", "👍 👍"),
        ("12:30:45 a:tada:b :nonsense: ::", "12:30:45 a:tada:b :nonsense: ::"),
        ("`:tada:` and ```\n:tada:\n``` :tada:", "`:tada:` and ```\n:tada:\n``` 🎉"),
        ("```\n:tada:", "```\n:tada:"),
    ],
)
def test_shortcodes(written: str, stored: str) -> None:
    assert without_shortcodes(written) == stored


def test_a_shortcode_never_makes_a_text_longer() -> None:
    names = [(one, name) for one, data in emoji.EMOJI_DATA.items() for name in (data["en"], *data.get("alias", ()))]
    assert [name for one, name in names if len(one) > len(name)] == []


@pytest.mark.parametrize(
    ("text", "large"),
    [
        ("🎉", True),
        ("🎉 👩‍🚀\n🏳️‍🌈", True),
        ("👍🏽" * 6, True),
        ("🎉" * 7, False),
        ("1", False),
        ("ok 🎉", False),
        ("é", False),
    ],
)
def test_a_few_emoji_alone_are_large(text: str, large: Any) -> None:
    assert is_large(text) is large


def test_what_finds_links_keeps_nothing_of_a_text() -> None:
    # Long texts are rendered on other threads by the same parser: one that keeps a text puts its links into another's.
    finder = markdown._parser.linkify
    before = dict(vars(finder))
    assert markdown.html("see https://example.com/a and https://example.com/b").count("<a ") == 2
    assert vars(finder) == before
