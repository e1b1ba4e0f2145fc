"""A list as a file, streamed: CSV for spreadsheets, JSON for programs; every row that is filtered, in its order."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse

from console.identities.lists.asked import Asked
from console.identities.lists.spec import Column, Page
from iam.mirror.models import NEVER
from iam.mirror.queries.lists.core import all_rows

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def response(page: Page, asked: Asked, form: str) -> StreamingHttpResponse:
    """The file as a download that is sent while it is being read."""
    parts = {"csv": _csv, "json": _json}[form](page, asked)
    sent = StreamingHttpResponse(parts, content_type=FORMS[form])
    sent["Content-Disposition"] = f'attachment; filename="{_file_name(page, asked)}.{form}"'
    sent["Cache-Control"] = "no-store"
    return sent


def _file_name(page: Page, asked: Asked) -> str:
    account = asked.lens.account.account_id if asked.lens.account else "all-accounts"
    shown = asked.lens.at or asked.lens.now
    return f"gatehouse-{page.listing.name}-{account}-{shown:%Y-%m-%dT%H%M%SZ}"


class _Line:
    """A file object that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv(page: Page, asked: Asked) -> Iterator[str]:
    columns = page.export(asked.lens)
    writer = csv.writer(_Line())
    yield writer.writerow([name for name, _ in columns])
    for values in _rows(page, asked, columns):
        yield writer.writerow([_cell(value) for value in values.values()])


def _json(page: Page, asked: Asked) -> Iterator[str]:
    lens = asked.lens
    about = {
        "list": page.listing.name,
        "account": lens.account.account_id if lens.account else None,
        "as_of": _text(lens.at),
        "exported_at": _text(lens.now),
        "view": asked.wanted.tab,
        "text": asked.wanted.text,
        "filters": {name: list(values) for name, values in asked.wanted.filters},
    }
    yield json.dumps(about, ensure_ascii=False)[:-1] + ', "rows": ['
    between = "\n"
    for values in _rows(page, asked, page.export(lens)):
        yield between + json.dumps({n: _text(v) for n, v in values.items()}, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _rows(page: Page, asked: Asked, columns: tuple[Column, ...]) -> Iterator[dict[str, Any]]:
    for row in all_rows(page.listing, asked.lens, asked.wanted):
        yield {name: value(row, asked.lens) for name, value in columns}


def _text(value: Any) -> Any:
    """As JSON has it: moments as ISO 8601 in UTC, what never happened as null."""
    if isinstance(value, datetime):
        return None if value == NEVER else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _cell(value: Any) -> str | int:
    """As a spreadsheet may open it: a text that it would take for a formula begins with an apostrophe.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    value = _text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
