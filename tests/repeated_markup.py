"""The rule that markup is written once: no two places of the templates hold the same long run of tags and
texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MAX_RUN_LENGTH = 15
"""Tags and texts. What every page needs (its blocks, its header) makes runs of 14 and 15; what was longer
could be shared.
"""
IGNORED = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}|{%\s*load\b.*?%}", re.DOTALL)
PIECE = re.compile(
    r"{%.*?%}|{{.*?}}|<(?:{%.*?%}|{{.*?}}|[^<>])*>|(?:(?!{%|{{|<).)+",
    re.DOTALL,
)


class Piece(NamedTuple):
    """A tag or a text of a template with its white space folded, and its line."""

    text: str
    line: int


def _blank(match: re.Match[str]) -> str:
    """Only the line breaks of what is ignored, so that the lines keep their numbers."""
    return "\n" * match.group(0).count("\n")


def pieces(source: str) -> list[Piece]:
    """The tags and texts of a template, in order."""
    cleaned = IGNORED.sub(_blank, source)
    result = []
    for match in PIECE.finditer(cleaned):
        text = " ".join(match.group(0).split())
        if text:
            start = match.end() - len(match.group(0).lstrip())
            result.append(Piece(text, cleaned.count("\n", 0, start) + 1))
    return result


def repeated_markup(sources: Mapping[str, str]) -> Iterator[str]:
    """One line for each run of more than MAX_RUN_LENGTH pieces that stands in two places; keys are the
    templates' names.
    """
    size = MAX_RUN_LENGTH + 1
    first_places: dict[tuple[str, ...], tuple[str, int]] = {}
    for name, source in sources.items():
        template = pieces(source)
        texts = [piece.text for piece in template]
        was_repeated = False
        for start in range(len(template) - size + 1):
            run = tuple(texts[start : start + size])
            place = (name, template[start].line)
            first_place = first_places.setdefault(run, place)
            is_repeated = first_place != place
            # A longer run is one breach, not one for each place that it could begin at.
            if is_repeated and not was_repeated:
                yield (
                    f"{name}:{place[1]}: the same markup as {first_place[0]}:{first_place[1]}; include a "
                    "component"
                )
            was_repeated = is_repeated
