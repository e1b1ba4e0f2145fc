"""Writes a PDF of headings, paragraphs, facts and tables.

Each page is finished before the next begins, so that a table of any length needs little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from iam.audit.print import text
from iam.moments import moment_words

Style = Literal["text", "bold", "mono"]
MARGIN: Final = 42.0
TOP: Final = 54.0
BOTTOM: Final = 48.0
GAP: Final = 8.0
"""The space between two columns in points."""
INK: Final = 0.1
SOFT: Final = 0.4
RULE: Final = 0.8
_FONTS: Final[dict[Style, str]] = {"text": text.REGULAR, "bold": text.BOLD, "mono": text.MONO}
_TOTAL: Final = "total-of-pages"


@dataclass(frozen=True, slots=True)
class PdfColumn:
    """A column of a table. `share` is its share of the width, relative to the other columns."""

    title: str
    share: float = 1.0
    style: Style = "text"


@dataclass(frozen=True, slots=True)
class _Cell:
    x: float
    room: float
    font: str
    size: float


class PdfDocument:
    """A PDF written into `target` (a file opened for writing bytes), complete after `close` or its `with`
    block.

    `as_of` is the moment that the facts describe; it is printed on every page.
    """

    def __init__(
        self, target: BinaryIO, *, title: str, subtitle: str = "", as_of: datetime, is_wide: bool = False
    ) -> None:
        text.register_fonts()
        size = landscape(A4) if is_wide else A4
        # Equal facts give equal bytes: no creation date, and an id derived from the content.
        self._canvas = Canvas(target, pagesize=size, pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setAuthor("Gatehouse")
        self._canvas.setSubject(subtitle or title)
        self._width, self._height = size
        self._title = title
        self._as_of = f"As of {moment_words(as_of)}"
        self._page = 1
        self._y = self._height - TOP
        self._is_closed = False
        self._frame()
        self._lines(title, style="bold", size=18, leading=24)
        if subtitle:
            self._lines(subtitle, style="text", size=10.5, leading=17, ink=SOFT)
        self._lines(self._as_of, style="text", size=9, leading=13, ink=SOFT)
        self._y -= 10

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def heading(self, words: str) -> None:
        """Write a heading, never alone at the end of a page."""
        self._y -= 10
        self._need(64)
        self._lines(words, style="bold", size=12.5, leading=17)
        self._y -= 3

    def paragraph(self, words: str, *, style: Style = "text") -> None:
        """Write running text; a line feed begins a new line."""
        self._lines(words, style=style, size=9.5, leading=13.5)
        self._y -= 5

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write names with their values, one below the other."""
        room = self._width - 2 * MARGIN
        columns = (PdfColumn("", share=0.26), PdfColumn("", share=0.74))
        for name, value in pairs:
            cells = self._cells(columns, room=room, size=9.5)
            self._row(cells, (name, value), leading=13.5, inks=(SOFT, INK))
        self._y -= 5

    def table(self, columns: Sequence[PdfColumn], rows: Iterable[Sequence[str]]) -> int:
        """Write rows of one text per column, with titles on each page. Returns the number of rows."""
        cells = self._cells(columns, room=self._width - 2 * MARGIN, size=8)
        self._need(48)
        self._titles(columns, cells)
        count = 0
        for row in rows:
            self._table_row(columns, cells, row)
            count += 1
        if not count:
            self._lines("None.", style="text", size=8.5, leading=13, ink=SOFT)
        self._y -= 8
        return count

    def close(self) -> None:
        """Finish the last page and write the file."""
        if self._is_closed:
            return
        self._is_closed = True
        self._canvas.beginForm(_TOTAL)
        self._canvas.setFont(text.REGULAR, 8)
        self._canvas.setFillGray(SOFT)
        self._canvas.drawString(0, 0, f"of {self._page}")
        self._canvas.endForm()
        self._canvas.save()

    def _cells(self, columns: Sequence[PdfColumn], *, room: float, size: float) -> list[_Cell]:
        whole = sum(column.share for column in columns)
        x = MARGIN
        cells = []
        for column in columns:
            part = room * column.share / whole
            points = size - 0.5 if column.style == "mono" else size
            cells.append(_Cell(x=x, room=part - GAP, font=_FONTS[column.style], size=points))
            x += part
        return cells

    def _titles(self, columns: Sequence[PdfColumn], cells: Sequence[_Cell]) -> None:
        heads = [_Cell(x=cell.x, room=cell.room, font=text.BOLD, size=8) for cell in cells]
        self._row(heads, [column.title for column in columns], leading=11, inks=[INK] * len(heads))
        self._rule(INK, 0.8)

    def _table_row(self, columns: Sequence[PdfColumn], cells: Sequence[_Cell], row: Sequence[str]) -> None:
        broken = [_broken(cell, value) for cell, value in zip(cells, row, strict=True)]
        height = max(len(part) for part in broken) * 11 + 5
        if self._y - height < BOTTOM and height < self._height - TOP - BOTTOM - 20:
            self._next_page()
            self._titles(columns, cells)
        self._y -= 3
        self._draw(cells, broken, leading=11, inks=[INK] * len(cells))
        self._rule(RULE, 0.4)

    def _row(
        self, cells: Sequence[_Cell], values: Sequence[str], *, leading: float, inks: Sequence[float]
    ) -> None:
        broken = [_broken(cell, value) for cell, value in zip(cells, values, strict=True)]
        self._draw(cells, broken, leading=leading, inks=inks)

    def _draw(
        self,
        cells: Sequence[_Cell],
        broken: Sequence[Sequence[str]],
        *,
        leading: float,
        inks: Sequence[float],
    ) -> None:
        """Draw the lines of columns side by side; a row taller than a page continues on the next."""
        for number in range(max(len(part) for part in broken)):
            self._need(leading)
            self._y -= leading
            for cell, part, ink in zip(cells, broken, inks, strict=True):
                if number < len(part):
                    self._canvas.setFillGray(ink)
                    self._string(cell, part[number])

    def _string(self, cell: _Cell, words: str) -> None:
        """Draw a line of a cell, in as many fonts as its characters need."""
        x = cell.x
        for font, part in text.runs(words, cell.font):
            self._canvas.setFont(font, cell.size)
            self._canvas.drawString(x, self._y, part)
            x += text.width(part, font, cell.size)

    def _lines(self, words: str, *, style: Style, size: float, leading: float, ink: float = INK) -> None:
        cell = _Cell(x=MARGIN, room=self._width - 2 * MARGIN, font=_FONTS[style], size=size)
        self._draw([cell], [_broken(cell, words)], leading=leading, inks=[ink])

    def _need(self, points: float) -> None:
        if self._y - points < BOTTOM:
            self._next_page()

    def _next_page(self) -> None:
        self._canvas.showPage()
        self._page += 1
        self._y = self._height - TOP
        self._frame()

    def _rule(self, gray: float, thickness: float) -> None:
        self._y -= 4
        self._canvas.setStrokeGray(gray)
        self._canvas.setLineWidth(thickness)
        self._canvas.line(MARGIN, self._y, self._width - MARGIN, self._y)

    def _frame(self) -> None:
        """Draw what every page has: Gatehouse and the title at the top, the moment and page number at the
        bottom.
        """
        canvas = self._canvas
        right = self._width - MARGIN
        above = self._height - 34
        canvas.setFillGray(INK)
        canvas.setFont(text.BOLD, 8)
        canvas.drawString(MARGIN, above, "Gatehouse")
        canvas.setFont(text.REGULAR, 8)
        canvas.setFillGray(SOFT)
        if self._page > 1:
            cell = _Cell(x=0, room=right - MARGIN - 90, font=text.REGULAR, size=8)
            words = _broken(cell, self._title)[0]
            x = right - text.width(words, text.REGULAR, 8)
            for font, part in text.runs(words, text.REGULAR):
                canvas.setFont(font, 8)
                canvas.drawString(x, above, part)
                x += text.width(part, font, 8)
            canvas.setFont(text.REGULAR, 8)
        canvas.drawString(MARGIN, 26, self._as_of)
        canvas.drawRightString(right - 24, 26, f"Page {self._page}")
        canvas.saveState()
        canvas.translate(right - 22, 26)
        canvas.doForm(_TOTAL)
        canvas.restoreState()
        canvas.setStrokeGray(RULE)
        canvas.setLineWidth(0.4)
        canvas.line(MARGIN, 38, right, 38)


def _broken(cell: _Cell, words: str) -> list[str]:
    return text.lines(words, font=cell.font, size=cell.size, room=cell.room)
