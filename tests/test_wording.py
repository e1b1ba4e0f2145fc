"""The rule on retired words finds them in what people read, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wording import RETIRED, breaches


def _words(tmp_path: Path, name: str, text: str) -> list[str]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return [breach.word.lower() for breach in breaches(file)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Nobody yet</p>", ["nobody"]),
        ('<p title="asked by Ines">x</p>', ["asked by"]),
        ('{% badge "Look closely" "warn" %}', ["look closely"]),
        ('{% url "changes:refresh" pk %}', []),
        ("{# nobody reads this #}{% comment %}nobody{% endcomment %}", []),
        ('<p class="nobody">No one yet</p>', []),
        ("<p>1 user(s)</p>", ["user(s)"]),
        ("<p>This isn't read; this isn’t</p>", ["isn't"]),
        ("{% if x == 'a' %}{% url 'b' c='s' %}{% endif %}", []),
    ],
)
def test_a_retired_word_is_found_in_a_template(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert _words(tmp_path, "page.html", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x = "Nobody yet"', ["nobody"]),
        ('x = f"{n} are asked for"', ["asked for"]),
        ('x = "Adopted"', ["adopted"]),
        ('x = "Its secret is sealed for {recipient_name}"', ["sealed"]),
        ('x = "nobody"', []),
        ('def f():\n    """Nobody reads this."""\n', []),
        ("# nobody reads this\n", []),
        ('x = "nobody reads it"  # wording: keep\n', []),
        ('x = f"{name} can\'t sign in"', ["can't"]),
        ("x = f\"{y['s']} of '{z}'\"", []),
        ('__all__ = ["Pull"]\n', []),
        ('x = models.CharField(help_text="Pulls of it.")\n', []),
        ('x = forms.CharField(help_text="Pulls of it.")\n', ["pulls"]),
    ],
)
def test_a_retired_word_is_found_in_code(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert _words(tmp_path, "module.py", text) == expected


def test_each_retired_word_names_what_to_use() -> None:
    assert all(words and use for words, use in RETIRED)
