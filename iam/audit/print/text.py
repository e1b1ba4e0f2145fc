"""Text in the fonts of a PDF: which characters they have, how wide it is, and where lines break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Geist"
BOLD: Final = "Geist-SemiBold"
MONO: Final = "GeistMono"
ABSENT: Final = "?"
"""For a character that the fonts lack: they have Latin letters. CSV and JSON hold the exact text."""
_FOLDER: Final = Path(__file__).parent / "fonts"
_FILES: Final = {
    REGULAR: "geist-regular.ttf",
    BOLD: "geist-semibold.ttf",
    MONO: "geist-mono-regular.ttf",
}
_WORD: Final = re.compile(r"\S+")


@lru_cache(maxsize=1)
def register_fonts() -> None:
    """Make the fonts known to ReportLab, once per process."""
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_FOLDER / file)))


def printable(text: str, font: str) -> str:
    """The text with ABSENT for each character that the font lacks."""
    if text.isascii() and text.isprintable():
        return text
    known = pdfmetrics.getFont(font).face.charToGlyph
    clean = " ".join(text.split())
    absent = {ord(letter): ABSENT for letter in clean if ord(letter) not in known}
    return clean.translate(absent) if absent else clean


@lru_cache(maxsize=50_000)
def width(text: str, font: str, size: float) -> float:
    """Points that the text takes."""
    return float(pdfmetrics.stringWidth(text, font, size))


def lines(text: str, *, font: str, size: float, room: float) -> list[str]:
    """The text as lines that fit into `room` points; at least one line. A line feed of the text stays one."""
    broken: list[str] = []
    for paragraph in text.split("\n"):
        broken += _wrapped(printable(paragraph, font), font=font, size=size, room=room)
    return broken


def _wrapped(text: str, *, font: str, size: float, room: float) -> list[str]:
    if width(text, font, size) <= room:
        return [text]
    made: list[str] = []
    line = ""
    for word in _WORD.findall(text):
        longer = f"{line} {word}" if line else word
        if width(longer, font, size) <= room:
            line = longer
            continue
        if line:
            made.append(line)
        *full, line = _pieces(word, font=font, size=size, room=room)
        made += full
    return [*made, line]


def _pieces(word: str, *, font: str, size: float, room: float) -> Iterator[str]:
    """A word that is wider than a line, such as an ARN, cut where the line ends."""
    rest = word
    while len(rest) > 1 and width(rest, font, size) > room:
        end = max(1, int(len(rest) * room / width(rest, font, size)))
        while end > 1 and width(rest[:end], font, size) > room:
            end -= 1
        yield rest[:end]
        rest = rest[end:]
    yield rest
