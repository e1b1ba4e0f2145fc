"""Streams rows as files: CSV for spreadsheets, JSON for programs."""

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
"""Characters that IAM doesn’t allow in names, but that an uploaded file may contain."""
Values = Mapping[str, Any]


def download(parts: Iterator[str], *, form: str, name: str) -> StreamingHttpResponse:
    """Return a streamed file in one of FORMS, or as JSON lines.

    Characters of `name` that IAM doesn’t allow in names become hyphens.
    """
    sent = StreamingHttpResponse(parts, content_type=FORMS.get(form, LINES))
    sent["Content-Disposition"] = f'attachment; filename="{UNFIT.sub("-", name)}.{form}"'
    sent["Cache-Control"] = "no-store"
    return sent


def file_links(name: str, query: QueryPairs) -> list[tuple[str, str]]:
    """Return (label, address) of a list's export in each format, with the same filters as the list."""
    return [(f"Export {form.upper()}", f"{reverse(name, args=[form])}{query}".rstrip("?")) for form in FORMS]


class EchoFile:
    """File-like object for csv.writer that returns each written line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(columns: Sequence[str], rows: Iterable[Values]) -> Iterator[str]:
    """Yield the header, then one line per row; each row's values must be in the order of the columns."""
    writer = csv.writer(EchoFile())
    yield writer.writerow(columns)
    for values in rows:
        yield writer.writerow([_cell(value) for value in values.values()])


def objects_lines(rows: Iterable[Values]) -> Iterator[str]:
    """Yield the first value of each row as one JSON line."""
    for values in rows:
        yield json.dumps(next(iter(values.values())), ensure_ascii=False) + "\n"


def json_lines(about: Values, rows: Iterable[Values]) -> Iterator[str]:
    """Yield one JSON object: the items of `about`, then `rows` with one row per line."""
    yield json.dumps(about, ensure_ascii=False)[:-1] + ', "rows": ['
    between = "\n"
    for values in rows:
        yield between + json.dumps({n: json_value(v) for n, v in values.items()}, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def json_value(value: Any) -> Any:
    """Convert a value for JSON: datetimes become ISO 8601 in UTC, and NEVER becomes null."""
    if isinstance(value, datetime):
        return None if value == NEVER else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def last_use(value: datetime | None) -> datetime | str | None:
    """Return a last use for a file: "never" if there was none, and None if it is unknown."""
    return "never" if value == NEVER else value


def _cell(value: Any) -> str | int:
    """Convert a value for a spreadsheet, so that no text runs as a formula."""
    value = json_value(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return harmless(text)
