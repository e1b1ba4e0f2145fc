"""Files of rows, streamed: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.urls import reverse

from console.web.query import QueryPairs
from iam.audit.print.spreadsheet import harmless
from iam.mirror.models import NEVER

FORMS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
LINES: Final = "application/x-ndjson"
UNFIT: Final = re.compile(r"[^\w+=,.@-]", re.ASCII)
"""What IAM takes in no name, but a file that somebody uploaded may have."""
Values = Mapping[str, Any]


def download(parts: Iterator[str], *, form: str, name: str) -> StreamingHttpResponse:
    """A file, of one of FORMS or of JSON lines, that is sent while it is being read. In `name`, signs that
    IAM takes in no name become hyphens.
    """
    sent = StreamingHttpResponse(parts, content_type=FORMS.get(form, LINES))
    sent["Content-Disposition"] = f'attachment; filename="{UNFIT.sub("-", name)}.{form}"'
    sent["Cache-Control"] = "no-store"
    return sent


def file_links(name: str, query: QueryPairs) -> list[tuple[str, str]]:
    """(label, address) of the file of a list in each form, filtered as the list is."""
    return [(f"Export {form.upper()}", f"{reverse(name, args=[form])}{query}".rstrip("?")) for form in FORMS]


class _Line:
    """A file object that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(columns: Sequence[str], rows: Iterable[Values]) -> Iterator[str]:
    """The head, then a line a row; the values of a row are in the order of the columns."""
    writer = csv.writer(_Line())
    yield writer.writerow(columns)
    for values in rows:
        yield writer.writerow([_cell(value) for value in values.values()])


def objects_lines(rows: Iterable[Values]) -> Iterator[str]:
    """The first value of each row, on a line of its own."""
    for values in rows:
        yield json.dumps(next(iter(values.values())), ensure_ascii=False) + "\n"


def json_lines(about: Values, rows: Iterable[Values]) -> Iterator[str]:
    """One object: what the file is about, and `rows`, each on a line of its own."""
    yield json.dumps(about, ensure_ascii=False)[:-1] + ', "rows": ['
    between = "\n"
    for values in rows:
        yield between + json.dumps({n: json_value(v) for n, v in values.items()}, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def json_value(value: Any) -> Any:
    """As JSON has it: moments as ISO 8601 in UTC, what never happened as null."""
    if isinstance(value, datetime):
        return None if value == NEVER else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _cell(value: Any) -> str | int:
    """As a spreadsheet may open it."""
    value = json_value(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return harmless(text)
