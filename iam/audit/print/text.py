"""Measures text in the fonts of a PDF, finds fonts for its characters, and breaks lines."""

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
"""Fonts for characters that a font lacks. Characters in none of them are printed as Unicode escapes."""
EAST_ASIAN: Final[Mapping[str, str]] = {
    "HeiseiMin-W3": "cp932",
    "STSong-Light": "gbk",
    "MSung-Light": "cp950",
    "HYSMyeongJo-Medium": "cp949",
}
"""Adobe's standard fonts for Japanese, simplified and traditional Chinese, and Korean, each with a codec that
has the letters of its character collection. They are not embedded in the file: the viewer draws them with its
own fonts, and the text can be searched and copied.
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
    """Register the fonts with ReportLab, once per process."""
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_FOLDER / file)))
    for name in EAST_ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))


def printable(text: str, font: str) -> str:
    """The text with an escape such as \\u738B for each character that no font has.

    CSV and JSON have the exact text, with the same escapes.
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
    """The font for a character; "" if none has it."""
    for name in (font, *SUBSTITUTES.get(font, ())):
        if ord(letter) in pdfmetrics.getFont(name).face.charToGlyph:
            return name
    return next(_east_asian_fonts(letter), "")


def _east_asian_fonts(text: str) -> Iterator[str]:
    """The East Asian fonts that have all East Asian characters of a text."""
    if not all(_is_east_asian(letter) for letter in text):
        return
    for name, codec in EAST_ASIAN.items():
        try:
            text.encode(codec)
        except UnicodeEncodeError:
            continue
        yield name


def _is_east_asian(letter: str) -> bool:
    """True if the character is wide and in the Unicode plane that these fonts cover."""
    return unicodedata.east_asian_width(letter) in ("W", "F", "H") and ord(letter) <= 0xFFFF


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """Split printable text into pairs of font and part."""
    if text.isascii() or font in EAST_ASIAN:
        return [(font, text)]
    made: list[tuple[str, str]] = []
    for is_east_asian, letters in groupby(text, key=lambda letter: _font_of(letter, font) in EAST_ASIAN):
        part = "".join(letters)
        whole = next(_east_asian_fonts(part), "") if is_east_asian else ""
        if whole:
            # Use one font per name, although several have some of its characters.
            made.append((whole, part))
            continue
        for name, same in groupby(part, key=lambda letter: _font_of(letter, font) or font):
            made.append((name, "".join(same)))
    return made


@lru_cache(maxsize=50_000)
def width(text: str, font: str, size: float) -> float:
    """The width of the text in points."""
    parts = runs(text, font)
    return float(sum(pdfmetrics.stringWidth(part, name, size) for name, part in parts))


def lines(text: str, *, font: str, size: float, room: float) -> list[str]:
    """Break the text into lines that fit into `room` points; at least one line. Line feeds are kept."""
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
    """A word wider than a line, such as an ARN, split at the line width."""
    rest = word
    while len(rest) > 1 and width(rest, font, size) > room:
        end = max(1, int(len(rest) * room / width(rest, font, size)))
        while end > 1 and width(rest[:end], font, size) > room:
            end -= 1
        yield rest[:end]
        rest = rest[end:]
    yield rest
