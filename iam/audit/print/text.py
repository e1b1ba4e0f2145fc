"""Text in the fonts of a PDF: which characters they have, how wide it is, and where lines break."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Geist"
BOLD: Final = "Geist-SemiBold"
MONO: Final = "GeistMono"
CYRILLIC: Final = "NotoSans-Cyrillic"
CYRILLIC_BOLD: Final = "NotoSans-Cyrillic-SemiBold"
GREEK: Final = "NotoSans-Greek"
GREEK_BOLD: Final = "NotoSans-Greek-SemiBold"
SUBSTITUTES: Final[Mapping[str, tuple[str, ...]]] = {
    REGULAR: (CYRILLIC, GREEK),
    BOLD: (CYRILLIC_BOLD, GREEK_BOLD),
    MONO: (CYRILLIC, GREEK),
}
"""Fonts that have the letters which a font lacks. What none has is printed as its number in Unicode."""
EAST_ASIAN: Final[Mapping[str, str]] = {
    "HeiseiMin-W3": "cp932",
    "STSong-Light": "gbk",
    "MSung-Light": "cp950",
    "HYSMyeongJo-Medium": "cp949",
}
"""Adobe's standard fonts for Japanese, simplified and traditional Chinese, and Korean, each with a codec that
has the letters of its character collection. They aren't in the file: the viewer draws them with fonts of its
own, and the text can be searched and copied.
"""
_FOLDER: Final = Path(__file__).parent / "fonts"
_FILES: Final = {
    REGULAR: "geist-regular.ttf",
    BOLD: "geist-semibold.ttf",
    MONO: "geist-mono-regular.ttf",
    CYRILLIC: "noto-sans-cyrillic-regular.ttf",
    CYRILLIC_BOLD: "noto-sans-cyrillic-semibold.ttf",
    GREEK: "noto-sans-greek-regular.ttf",
    GREEK_BOLD: "noto-sans-greek-semibold.ttf",
}
_WORD: Final = re.compile(r"\S+")


@lru_cache(maxsize=1)
def register_fonts() -> None:
    """Make the fonts known to ReportLab, once per process."""
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_FOLDER / file)))
    for name in EAST_ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))


def printable(text: str, font: str) -> str:
    """The text with an escape such as \\u738B for each character that neither the font nor its substitutes
    have: as CSV and JSON escape it, which hold the exact text.
    """
    if text.isascii() and text.isprintable():
        return text
    clean = " ".join(unicodedata.normalize("NFC", text).split())
    absent = {ord(letter): _escaped(letter) for letter in clean if not _font_of(letter, font)}
    return clean.translate(absent) if absent else clean


def _escaped(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


@lru_cache(maxsize=10_000)
def _font_of(letter: str, font: str) -> str:
    """The font that draws a letter of a text in this font; "" if none does."""
    for name in (font, *SUBSTITUTES.get(font, ())):
        if ord(letter) in pdfmetrics.getFont(name).face.charToGlyph:
            return name
    return next(_east_asian_fonts(letter), "")


def _east_asian_fonts(text: str) -> Iterator[str]:
    """The East Asian fonts that have all letters of a text. Other letters than East Asian ones are no reason
    for one of them.
    """
    if not all(_is_east_asian(letter) for letter in text):
        return
    for name, codec in EAST_ASIAN.items():
        try:
            text.encode(codec)
        except UnicodeEncodeError:
            continue
        yield name


def _is_east_asian(letter: str) -> bool:
    """Whether it is wide, and in the plane of Unicode whose letters these fonts have."""
    return unicodedata.east_asian_width(letter) in ("W", "F", "H") and ord(letter) <= 0xFFFF


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """Printable text as (font, part), each part in one font."""
    if text.isascii() or font in EAST_ASIAN:
        return [(font, text)]
    made: list[tuple[str, str]] = []
    for is_east_asian, letters in groupby(text, key=lambda letter: _font_of(letter, font) in EAST_ASIAN):
        part = "".join(letters)
        whole = next(_east_asian_fonts(part), "") if is_east_asian else ""
        if whole:
            # One font for a name, although several have some of its letters.
            made.append((whole, part))
            continue
        for name, same in groupby(part, key=lambda letter: _font_of(letter, font) or font):
            made.append((name, "".join(same)))
    return made


@lru_cache(maxsize=50_000)
def width(text: str, font: str, size: float) -> float:
    """Points that the text takes."""
    parts = runs(text, font)
    return float(sum(pdfmetrics.stringWidth(part, name, size) for name, part in parts))


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
