"""Reads the lines of a CSV file of people as cells: encodings, separators and quotes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

T = TypeVar("T")
MAX_BYTES: Final = 4 * 1024 * 1024
"""Maximum size of a file in bytes, enough for some 10,000 people."""
MAX_ROWS: Final = 10_000
SEPARATORS: Final = (",", ";", "\t")
OTHERS: Final = ("\t", ";", ",")
"""The order in which separators are tried for a line: names often contain commas and rarely tabs."""
ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+|[^@<>;\t]*<[^@\s,;<>]+@[^@\s,;<>]+>")
"""A cell with only an address, or with a name and an address in angle brackets."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""First characters of formulas: https://owasp.org/www-community/attacks/CSV_Injection"""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class SheetError(ValueError):
    """The file as a whole can't be parsed. The message is a sentence for the person."""


def sheet_rows(data: bytes, *, reader: Callable[[list[str]], Callable[[int, list[str]], T]]) -> list[T]:
    """Parse the rows of a CSV file of people with the parser that `reader` returns for the column names. Rows
    without content are skipped. Raises SheetError for an invalid file.
    """
    if len(data) > MAX_BYTES:
        raise SheetError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    lines = cells_by_line(decoded_sheet(data))
    head = next(lines, None)
    if head is None:
        raise SheetError("The file is empty.")
    read = reader(head[1])
    rows_read: list[T] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows_read) >= MAX_ROWS:
            raise SheetError(f"The file has more than {MAX_ROWS:,} people. Split it into smaller files.")
        rows_read.append(read(line, cells))
    if not rows_read:
        raise SheetError("The file has column names and no people below them.")
    return rows_read


def decoded_sheet(data: bytes) -> str:
    """Decode the file: UTF-8 or UTF-16 by byte order mark, else UTF-8, else Windows-1252. Raises
    SheetError.
    """
    if data.startswith(b"PK\x03\x04"):
        raise SheetError("This is a workbook or an archive. Save the sheet as CSV and choose that file.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _decoded(data, "utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _decoded(data, "cp1252")
    if "\x00" in text and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _unmarked(data)
    if _CONTROL.search(text):
        raise SheetError("We can’t read this file. Save the sheet as CSV (UTF-8) and try again.")
    return text


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise SheetError("We can’t read this file. Save it as CSV (UTF-8) and try again.") from None


def _unmarked(data: bytes) -> str:
    """Decode UTF-16 without a byte order mark, in which every other byte of ASCII letters is zero."""
    start = data[:200]
    zeros = start[1::2].count(0), start[0::2].count(0)
    if len(start) < 2 or max(zeros) * 3 < len(start) // 2:
        return _decoded(data, "utf-8")
    encoding = "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    return _decoded(data, encoding)


def cells_by_line(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells), split by the separator that is most frequent in the first line. Raises
    SheetError.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    skipped = 0
    match = re.fullmatch(r'"?sep=([,;\t])"?', first.strip("\ufeff "), re.IGNORECASE)
    if match:
        text, skipped = rest, 1
    separator = match[1] if match else max(SEPARATORS, key=_outside_quotes(text).count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    written = text.split("\n")
    before = 0
    while True:
        wrong = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells, wrong = [], str(error)
        if not match and reader.line_num == before + 1:
            cells = _by_its_own(written[before], cells, separator)
        if wrong and not cells:
            raise SheetError(f"Line {before + 1 + skipped}: {_said(wrong)}")
        if cells:
            yield before + 1 + skipped, cells
        before = reader.line_num


def _by_its_own(line: str, cells: list[str], separator: str) -> list[str]:
    """Return the cells of a line split by another separator if only that isolates an address, or else
    `cells`.
    """
    bare = _without_quoted(line)
    if any(is_address(cell) for cell in cells) and (separator in bare or len(cells) > 1):
        return cells
    others = [delimiter for delimiter in OTHERS if delimiter != separator and delimiter in bare]
    for other in others:
        with suppress(csv.Error):
            (cells_read,) = csv.reader([line], delimiter=other, strict=True)
            if any(is_address(cell) for cell in cells_read):
                return cells_read
    if others and cells and separator not in bare:
        with suppress(csv.Error):
            (cells_read,) = csv.reader([line], delimiter=max(others, key=bare.count), strict=True)
            return cells_read
    return cells


def is_address(cell: str) -> bool:
    return ADDRESS.fullmatch(cell.strip()) is not None


def _said(error: str) -> str:
    if "field larger" in error:
        return "a cell is too long. Check for a missing quotation mark."
    return "a quotation mark isn’t closed, or is inside a cell. Inside a cell, write it twice."


def _outside_quotes(text: str) -> str:
    """Return the first line with content, without quoted text."""
    return _without_quoted(next((line_part for line_part in text.splitlines() if line_part.strip()), ""))


def _without_quoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)
