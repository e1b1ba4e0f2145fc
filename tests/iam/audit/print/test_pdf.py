"""A PDF is written page by page: titles on each page, every row, and the same bytes for the same facts."""

from __future__ import annotations

import base64
import io
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from reportlab.pdfbase.pdfdoc import escapePDF
from reportlab.pdfgen.canvas import Canvas

from iam.audit.print import text
from iam.audit.print.pdf import PdfColumn, PdfDocument

AT = datetime(2026, 11, 30, 13, 26, tzinfo=UTC)
COLUMNS = (PdfColumn("Person", style="bold"), PdfColumn("ARN", share=3, style="mono"), PdfColumn("State"))


def _rows(count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        yield f"Nora {number}", f"arn:aws:iam::111122223333:user/{'team/' * 30}nora{number}", "Passed"


def _made(count: int) -> bytes:
    target = io.BytesIO()
    with PdfDocument(target, title="Access", subtitle="In production", as_of=AT) as document:
        document.heading("People")
        document.facts([("Scope", "production")])
        assert document.table(COLUMNS, _rows(count)) == count
    return target.getvalue()


def _pages(made: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", made))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts, as they are drawn."""
    texts: list[str] = []
    draw = Canvas.drawString

    def drawing(canvas: Canvas, x: float, y: float, words: str) -> None:
        assert y >= 0
        texts.append(words)
        draw(canvas, x, y, words)

    monkeypatch.setattr(Canvas, "drawString", drawing)
    return texts


def test_every_row_is_drawn_and_titles_stand_on_each_page(drawn: list[str]) -> None:
    pages = _pages(_made(200))
    assert pages > 5
    assert drawn.count("State") == pages
    assert drawn.count("As of 30 Nov 2026, 13:26 UTC") == pages + 1
    assert [words for words in drawn if words.startswith("Nora")] == [f"Nora {n}" for n in range(200)]
    assert f"of {pages}" in drawn


def test_the_same_facts_make_the_same_bytes_and_other_facts_others() -> None:
    assert _made(3) == _made(3)
    assert _made(3) != _made(4)


def test_a_table_without_rows_says_so(drawn: list[str]) -> None:
    assert _pages(_made(0)) == 1
    assert "None." in drawn


def test_rows_are_taken_one_by_one_and_pages_are_finished_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    finished = []
    show = Canvas.showPage
    monkeypatch.setattr(Canvas, "showPage", lambda canvas: (finished.append(1), show(canvas)))
    seen = []

    def rows() -> Iterator[tuple[str, str, str]]:
        for row in _rows(300):
            seen.append(len(finished))
            yield row

    with PdfDocument(io.BytesIO(), title="Access", as_of=AT) as document:
        document.table(COLUMNS, rows())
    assert seen[0] == 0
    assert seen[150] > 3


def test_a_row_taller_than_a_page_goes_on_on_the_next(drawn: list[str]) -> None:
    target = io.BytesIO()
    with PdfDocument(target, title="Access", as_of=AT) as document:
        document.table([PdfColumn("Text")], [("\n".join(f"line {n}" for n in range(200)),)])
    assert _pages(target.getvalue()) == 4
    assert [words for words in drawn if words.startswith("line")] == [f"line {n}" for n in range(200)]


@pytest.mark.parametrize(
    ("words", "room", "lines"),
    [
        ("", 100, [""]),
        ("one two", 1000, ["one two"]),
        ("one two", 25, ["one", "two"]),
        ("one\ntwo", 1000, ["one", "two"]),
        ("Diałło  Šimůnek", 1000, ["Diałło Šimůnek"]),
        ("王 Wang", 1000, ["王 Wang"]),
        ("สมชาย", 1000, [r"\u0E2A\u0E21\u0E0A\u0E32\u0E22"]),
        ("𝄞", 1000, [r"\U0001D11E"]),
        ("Ольга Ґудзь, Ωμέγα", 1000, ["Ольга Ґудзь, Ωμέγα"]),
        ("Jose\u0301", 1000, ["José"]),
    ],
)
def test_lines(words: str, room: float, lines: list[str]) -> None:
    text.register_fonts()
    assert text.lines(words, font=text.REGULAR, size=10, room=room) == lines


NAMES = {
    "佐藤 花": ["HeiseiMin-W3"],
    "さとう ハナ": ["HeiseiMin-W3"],
    "张伟": ["STSong-Light"],
    "王伟": ["STSong-Light"],
    "陳怡君": ["HeiseiMin-W3"],
    "傅啟賢": ["MSung-Light", "STSong-Light"],
    "김민준": ["HYSMyeongJo-Medium"],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_east_asian_letters_is_text_in_one_font(name: str) -> None:
    text.register_fonts()
    parts = text.runs(text.printable(name, text.REGULAR), text.REGULAR)
    fonts = {font for font, part in parts if not part.isspace()}
    assert len(fonts) == 1
    assert fonts <= set(NAMES[name])
    assert "".join(part for _, part in parts) == name
    assert text.width(name.replace(" ", ""), text.REGULAR, 10) == pytest.approx(
        10 * len(name.replace(" ", "")), rel=0.1
    )


@pytest.mark.parametrize("name", NAMES)
def test_east_asian_names_can_be_found_in_the_file(name: str) -> None:
    """The strings of the file are UTF-16, and the font says so by the name of its encoding."""
    target = io.BytesIO()
    with PdfDocument(target, title="Access", as_of=AT) as document:
        document.table([PdfColumn("Person")], [(name,)])
    made = target.getvalue()
    streams = re.findall(rb"stream\r?\n(.*?)endstream", made, re.DOTALL)
    content = b"".join(_inflated(stream) for stream in streams)
    for part in name.split():
        assert escapePDF(part.encode("utf-16-be")).encode("latin-1") in content
    assert re.search(rb"/Encoding /Uni(JIS|GB|CNS|KS)-UCS2-H", made)


def _inflated(stream: bytes) -> bytes:
    """A stream of the file, which ReportLab compresses and then writes in ASCII; "" for one that is none."""
    try:
        return zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
    except (ValueError, zlib.error):
        return b""


def test_no_line_is_wider_than_its_room_and_no_letter_is_lost() -> None:
    text.register_fonts()
    arn = "arn:aws:iam::111122223333:user/" + "payments/" * 30
    broken = text.lines(arn, font=text.MONO, size=8, room=90)
    assert "".join(broken) == arn
    assert max(text.width(line, text.MONO, 8) for line in broken) <= 90


def test_letters_of_other_scripts_are_drawn_in_the_font_that_has_them() -> None:
    text.register_fonts()
    parts = text.runs("Olga Ольга Ωμέγα", text.BOLD)
    assert [name for name, _ in parts if name != text.BOLD] == [text.CYRILLIC_BOLD, text.GREEK_BOLD]
    assert "".join(part for _, part in parts) == "Olga Ольга Ωμέγα"
    for name, part in parts:
        known = text.pdfmetrics.getFont(name).face.charToGlyph
        assert all(ord(letter) in known for letter in part), name
    assert text.width("Ольга", text.REGULAR, 10) > 15


def test_no_printed_letter_is_one_that_its_font_lacks() -> None:
    """Whatever is printed: a font draws a box for a letter that it lacks."""
    text.register_fonts()
    for font in (text.REGULAR, text.BOLD, text.MONO):
        for number in (*range(0x20, 0x600), *range(0x2000, 0x2100), *range(0x4E00, 0x4E40), 0x1F600):
            for name, part in text.runs(text.printable(f"x{chr(number)}", font), font):
                if name in text.EAST_ASIAN:
                    assert part.encode(text.EAST_ASIAN[name]), hex(number)
                    continue
                known = text.pdfmetrics.getFont(name).face.charToGlyph
                assert all(ord(letter) in known for letter in part), hex(number)
