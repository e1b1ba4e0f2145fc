"""Refuses guessable passwords: variations of common ones, keyboard rows, and words of this installation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop[]",
    "qwertzuiopü",
    "asdfghjkl;'",
    "zxcvbnm,./",
)
LETTER_FOR: Final = str.maketrans("013457@$!", "oieastasi")
SHARE_IN_ROWS: Final = 0.8
LETTERS_BESIDE_WORDS: Final = 8
"""A password with at least this number of letters besides the installation's words is accepted."""
SHORTEST_CORE: Final = 4
"""Minimum length of a common password without its outer digits; shorter ones are ignored."""
_AROUND: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_VALIDATION: Final = "django.contrib.auth.password_validation"


def validators(*, words: Iterable[str], base_url: str, breached: str) -> list[dict[str, Any]]:
    """Return Django's validators setting.

    `words` are refused besides those of the base URL; `breached` is a file with one password per line, or "".
    """
    labels = (urlsplit(base_url).hostname or "").split(".")[:-1]
    own = sorted({word.lower() for word in ("gatehouse", *words, *labels) if len(word) > 3})
    rules: list[dict[str, Any]] = [
        {
            "NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator",
            "OPTIONS": {"user_attributes": ("username", "email", "first_name")},
        },
        {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
        {"NAME": f"{__name__}.GuessablePasswordValidator", "OPTIONS": {"words": own}},
    ]
    if breached:
        rules.append(
            {"NAME": f"{_VALIDATION}.CommonPasswordValidator", "OPTIONS": {"password_list_path": breached}}
        )
    return rules


class GuessablePasswordValidator:
    """Refuses variations of common passwords, or of this installation's words, that only add what the length
    requires.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        # The longest first, because a word can contain another.
        self.words = tuple(sorted(words, key=len, reverse=True))

    @cached_property
    def common(self) -> set[str]:
        """Return Django's list of breached passwords, without the digits and symbols around each."""
        cores = {_AROUND.sub("", password) for password in CommonPasswordValidator().passwords}
        return {core for core in cores if len(core) >= SHORTEST_CORE}

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that is easy to guess."""
        folded = password.lower()
        if repeats(folded) or follows_rows(folded):
            raise ValidationError(
                "This password is a pattern, such as repeated characters or a row of keys. Choose another "
                "one.",
                code="password_pattern",
            )
        readings = {folded, folded.translate(LETTER_FOR), _AROUND.sub("", folded).translate(LETTER_FOR)}
        if any(_AROUND.sub("", reading) in self.common for reading in readings):
            raise ValidationError(
                "This password is a common one with digits or symbols added. Choose another one.",
                code="password_too_common",
            )
        for word in self.words:
            if any(word in reading and _letters_beside(self.words, reading) for reading in readings):
                raise ValidationError(
                    "This password is little more than “%(word)s”, which others guess here. Add other "
                    "words, or choose another one.",
                    code="password_of_this_place",
                    params={"word": word},
                )

    def get_help_text(self) -> str:
        """Return the help text of the field."""
        return (
            "Your password can’t be a common one with digits or symbols added, a row of keys, or a name of "
            "this installation."
        )


def repeats(text: str) -> bool:
    """Return whether the text repeats a shorter one."""
    lengths = range(1, len(text) // 2 + 1)
    return any(text == (text[:length] * len(text))[: len(text)] for length in lengths)


def follows_rows(text: str) -> bool:
    """Return whether most characters follow each other in the alphabet, in digits or on a keyboard, in either
    direction.
    """
    pairs = list(pairwise(text))
    rows = [*ROWS, *(row[::-1] for row in ROWS)]
    following = [pair for pair in pairs if any("".join(pair) in row for row in rows)]
    return bool(pairs) and len(following) / len(pairs) >= SHARE_IN_ROWS


def _letters_beside(words: tuple[str, ...], reading: str) -> bool:
    """Return whether too few letters remain without the words."""
    for word in words:
        reading = reading.replace(word, "")
    return sum(letter.isalpha() for letter in reading) < LETTERS_BESIDE_WORDS
