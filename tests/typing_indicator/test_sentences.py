"""Who is typing, in a sentence: nobody is told of themselves, and many are not listed."""

from __future__ import annotations

from tests.javascript import evaluate

CASES: list[tuple[list[str], str]] = [
    ([], ""),
    (["me"], ""),
    (["Ada"], "Ada is typing..."),
    (["me", "Ada"], "Ada is typing..."),
    (["Ada", "Grace"], "Ada, Grace are typing..."),
    (["Ada", "Grace", "Linus"], "Ada, Grace and 1 other are typing..."),
    (["Ada", "Grace", "Linus", "Alan", "me"], "Ada, Grace and 2 others are typing..."),
    ([f"person {n}" for n in range(60)], "person 0, person 1 and 58 others are typing..."),
]


def test_every_number_of_people_has_its_sentence() -> None:
    asked = [[{"id": name, "name": name} for name in names] for names, _ in CASES]
    found = evaluate("people.js", "asked.map((typists) => typingOf(typists, 'me'))", asked=asked)
    assert found == [sentence for _, sentence in CASES]
