"""People from a file: every encoding and separator that spreadsheets write, every mistake with its line, and
files that are none.
"""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.people.onboarding.pasted_rows import (
    MIXED,
    read_pasted,
    read_sheet,
    typed,
)
from iam.people.sheet_lines import MAX_BYTES, MAX_ROWS, SheetError

ROWS = [("Zoë Łukasz", "zoe@example.com"), ("Bo, the second", "bo@example.com"), ("José", "jose@example.com")]


def written(rows: list[tuple[str, str]], *, separator: str = ",", ends: str = "\r\n") -> str:
    made = io.StringIO()
    writer = csv.writer(made, delimiter=separator, lineterminator=ends)
    writer.writerows([("Name", "E-mail"), *rows])
    return made.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_and_separator_of_a_spreadsheet_is_read(encoding: str, separator: str) -> None:
    typeds = read_sheet(written(ROWS, separator=separator).encode(encoding))
    assert [(typed.name, typed.email) for typed in typeds] == ROWS
    assert [typed.errors for typed in typeds] == [()] * 3


def test_what_old_spreadsheets_write_is_read() -> None:
    assert (
        read_sheet(written([("José", "jose@example.com")], separator=";").encode("cp1252"))[0].name == "José"
    )
    pasted = "sep=;\nName;E-mail\nBo;bo@example.com\n"
    assert [(typed.line, typed.name) for typed in read_sheet(pasted.encode())] == [(3, "Bo")]
    assert read_sheet(b"First name,Surname,Mail\rBo,Berg,bo@example.com\r")[0].name == "Bo Berg"


def test_every_mistake_is_told_with_its_line() -> None:
    text = (
        'Name,E-mail,User name,Until\n"Bo\nBerg",bo@example.com,,\n,nobody,,\n\n'
        "=HYPERLINK(1),x@example.com,,\nMia,mia@example.com,mía,tomorrow\nAda,ada@example.com,,30.11.2030,more\n"
    )
    typeds = read_sheet(text.encode())
    assert [typed.line for typed in typeds] == [2, 4, 6, 7, 8]
    assert typeds[0].name == "Bo Berg"
    assert typeds[1].errors == (
        "The name is missing.",
        "“nobody” isn’t a valid email address. Write it as maya@example.com.",
    )
    assert "formula" in typeds[2].errors[0]
    assert typeds[3].errors[0].startswith("A user name has")
    assert typeds[3].errors[1] == "“tomorrow” isn’t a date. Write it as 2026-11-30."
    assert str(typeds[4].until) == "2030-11-30"
    assert typeds[4].errors == ("The row has 5 cells, and the first line has 4 column names.",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"\n\n \n", "column names", id="blank lines"),
        pytest.param(b"Name,E-mail\n", "no people below", id="only columns"),
        pytest.param(b"Bo,bo@example.com\n", "have the column names", id="no columns"),
        pytest.param(b"Name,E-mail,Name\nBo,b@example.com,B\n", "twice", id="a column twice"),
        pytest.param(b"PK\x03\x04 a workbook", "workbook", id="workbook"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x81\x8d", "read this file", id="picture"),
        pytest.param(b"Name,E-mail\nB\x00o,bo@example.com\n", "read this file", id="NUL"),
        pytest.param(b'Name,E-mail\n"Bo,bo@example.com\n', "quotation", id="open quotation mark"),
        pytest.param(b"Name,E-mail\n" + b"x" * 200_000 + b",b@example.com\n", "too long", id="huge cell"),
        pytest.param(b"x" * (MAX_BYTES + 1), "larger than 4 MB", id="too large"),
        pytest.param(b"\xff\xfeN\x00a", "column names|read this file", id="cut off UTF-16"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(SheetError, match=why):
        read_sheet(data)


def test_ten_thousand_people_are_read_and_one_more_is_too_many() -> None:
    rows = [(f"Person {at}", f"p{at}@example.com") for at in range(MAX_ROWS)]
    assert len(read_sheet(written(rows).encode())) == MAX_ROWS
    with pytest.raises(SheetError, match="Split it"):
        read_sheet(written([*rows, ("One more", "more@example.com")]).encode())


LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
NAMES = st.lists(LETTERS, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=60)
@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whatever_a_spreadsheet_writes_comes_back_as_it_was(
    names: list[str], separator: str, encoding: str, ends: str
) -> None:
    rows = [(name, f"p{at}@example.com") for at, name in enumerate(names)]
    typeds = read_sheet(written(rows, separator=separator, ends=ends).encode(encoding))
    assert [(typed.name, typed.email) for typed in typeds] == rows


@settings(max_examples=100)
@given(data=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: f"Name,E-mail\n{text}".encode()))
def test_no_bytes_at_all_are_more_than_refused(data: bytes) -> None:
    try:
        typeds = read_sheet(data)
    except SheetError:
        return
    assert all(typed.name.isprintable() and len(typed.name) <= 128 for typed in typeds)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Maya Okafor\tmaya@example.com", [("Maya Okafor", "maya@example.com", "", "")]),
        ("Name\tEmail\r\nMaya Okafor\tmaya@example.com\r\n", [("Maya Okafor", "maya@example.com", "", "")]),
        (
            "Seán\tO'Brien\tso@example.com\tsobrien\t2030-11-30",
            [("Seán O'Brien", "so@example.com", "sobrien", "2030-11-30")],
        ),
        (
            "Łukasz Żak <lz@example.com>\nSuharto, su@example.com",
            [("Łukasz Żak", "lz@example.com", "", ""), ("Suharto", "su@example.com", "", "")],
        ),
        (
            "Anna van der Berg\tanna@example.com\t\t30.11.2030\n\n",
            [("Anna van der Berg", "anna@example.com", "", "2030-11-30")],
        ),
        ("only a name", [("only a name", "", "", "")]),
    ],
)
def test_a_table_is_read_as_it_was_pasted_with_or_without_column_names(
    text: str, rows: list[tuple[str, str, str, str]]
) -> None:
    typeds = read_pasted(text)
    assert [(typed.name, typed.email, typed.user_name, str(typed.until or "")) for typed in typeds] == rows


@pytest.mark.parametrize(
    ("text", "row", "fields"),
    [
        ("Bo\tnowhere", ("Bo", "nowhere", "", ""), ["email"]),
        ("Bo\tNowhere\tbo.ek\t2030-11-30", ("Bo", "Nowhere", "bo.ek", "2030-11-30"), ["email"]),
        ("Bo\t\tbo.ek", ("Bo", "", "bo.ek", ""), ["email"]),
        ("Bo", ("Bo", "", "", ""), ["email"]),
        ("Lind, Tomas", ("Lind, Tomas", "", "", ""), ["email"]),
        ("Ek, Bo\n\nvan der Berg-Ruiz,  Ana M.\n", ("van der Berg-Ruiz, Ana M.", "", "", ""), ["email"]),
        ("Ada Ek, ada@example.com\r\nO’Neill, Siún", ("O’Neill, Siún", "", "", ""), ["email"]),
        ("李, 明", ("李, 明", "", "", ""), ["email"]),
        ("Lind, tomas", ("Lind", "tomas", "", ""), ["email"]),
        ("Lind, Tomas.example.com", ("Lind", "Tomas.example.com", "", ""), ["email"]),
        ("Lind, Tomas4", ("Lind", "Tomas4", "", ""), ["email"]),
        ("Lind,", ("Lind", "", "", ""), ["email"]),
        ("Lind, Tomas, tomas@example.com", ("Lind Tomas", "tomas@example.com", "", ""), []),
        ("Lind\tTomas", ("Lind", "Tomas", "", ""), ["email"]),
        ("\tnowhere", ("", "nowhere", "", ""), ["name", "email"]),
        ("Ada\tEk\tada@example.com\nBo\tEk\tnowhere", ("Bo Ek", "nowhere", "", ""), ["email"]),
        ("Ada\tEk\tada@example.com\nBo\tEk", ("Bo Ek", "", "", ""), ["email"]),
        ("bo@example.com\tBo Ek", ("Bo Ek", "bo@example.com", "", ""), []),
        ("Bo\tbo@example.com\tbo.ek\ttomorrow", ("Bo", "bo@example.com", "bo.ek", "tomorrow"), ["until"]),
        ("Bo\tbo@example.com\t\ttomorrow", ("Bo", "bo@example.com", "", "tomorrow"), ["until"]),
        ("Bo\tbo@example.com\t4711\t2030-11-30", ("Bo", "bo@example.com", "4711", "2030-11-30"), []),
        ("Bo\tbo@example.com\t2030-11-30\tbo.ek", ("Bo", "bo@example.com", "bo.ek", "2030-11-30"), []),
        ("Bo\tbo@example.com\t31/12/30", ("Bo", "bo@example.com", "", "31/12/30"), ["until"]),
        (
            "Bo\tbo@example.com\tbo.ek\t2030-11-30\tx",
            ("Bo", "bo@example.com", "bo.ek", "2030-11-30 x"),
            ["until"],
        ),
    ],
)
def test_what_is_wrong_in_a_cell_stays_in_its_column_and_nothing_is_lost(
    text: str, row: tuple[str, str, str, str], fields: list[str]
) -> None:
    read = read_pasted(text)[-1]
    assert (read.name, read.email, read.user_name, read.until_text) == row
    assert [getattr(error, "field", "") for error in read.errors] == fields


def test_three_hundred_pasted_rows_are_read_and_nothing_is_cut() -> None:
    text = "\n".join(f"Person {at}\tp{at}@example.com" for at in range(300))
    assert [typed.line for typed in read_pasted(text)] == list(range(1, 301))
    with pytest.raises(SheetError, match="more than 10,000 rows"):
        read_pasted("\n".join(f"P {at}\tp{at}@example.com" for at in range(MAX_ROWS + 1)))


def test_each_mistake_is_at_its_field() -> None:
    row = typed(1, {"name": "=x", "email": "nobody", "user_name": "mía", "until": "31/12/26"})
    assert [getattr(error, "field", "") for error in row.errors] == ["name", "email", "user_name", "until"]
    assert row.until_text == "31/12/26"


SAME = ("Ada Lovelace", "ada@example.com", "ada.l", "2026-11-30")
PEOPLE = [SAME, ("Bo, the second", "bo@example.com", "bo", "2026-11-30")]


@pytest.mark.parametrize("has_columns", [True, False])
@pytest.mark.parametrize("first", [",", ";", "\t"])
@pytest.mark.parametrize("second", [",", ";", "\t"])
@pytest.mark.parametrize("third", [",", ";", "\t"])
def test_each_line_is_read_by_its_own_separator(
    has_columns: bool, first: str, second: str, third: str
) -> None:
    made = io.StringIO()
    head = [("Name", "Email", "User name", "Last day")] if has_columns else [SAME]
    for row, separator in zip([*head, *PEOPLE], (first, second, third), strict=True):
        csv.writer(made, delimiter=separator, lineterminator="\n").writerow(row)
    typeds = read_pasted(made.getvalue())
    rows = [(typed.name, typed.email, typed.user_name, str(typed.until)) for typed in typeds]
    assert rows == (PEOPLE if has_columns else [SAME, *PEOPLE])
    assert not any(typed.errors for typed in typeds)


@pytest.mark.parametrize(
    ("line", "name", "email"),
    [
        ("Lovelace, Ada\tada@example.com", "Lovelace, Ada", "ada@example.com"),
        ("Lovelace, Ada;ada@example.com;ada", "Lovelace, Ada", "ada@example.com"),
        ("Ada Lovelace <ada@example.com>", "Ada Lovelace", "ada@example.com"),
        ("Ada Lovelace\t", "Ada Lovelace", ""),
    ],
)
@pytest.mark.parametrize("before", ["Bo Ek,bo@example.com", "Bo Ek;bo@example.com", "Bo Ek\tbo@example.com"])
def test_a_comma_in_a_name_is_no_separator_where_another_one_is(
    before: str, line: str, name: str, email: str
) -> None:
    _, typed = read_pasted(f"{before}\n{line}")
    assert (typed.name, typed.email, typed.line) == (name, email, 2)


@pytest.mark.parametrize("before", ["", "Name,Email,User name\n", "Bo Ek;bo@example.com\n"])
def test_a_line_that_cannot_be_taken_apart_says_so_and_the_others_are_read(before: str) -> None:
    typeds = read_pasted(f"{before}Ada Lovelace\tada@example.com,ada\nBea Holm,bea@example.com,bea\n")
    wrong, right = typeds[-2:]
    assert MIXED in wrong.errors
    assert (right.name, right.email, right.user_name, right.errors) == (
        "Bea Holm",
        "bea@example.com",
        "bea",
        (),
    )
