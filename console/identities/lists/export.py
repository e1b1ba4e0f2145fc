"""A list as a file, streamed: CSV for spreadsheets, JSON for programs; every row that is filtered, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from console.identities.lists.asked import Asked
from console.identities.lists.spec import Column, Page
from console.web.files import csv_lines, download, json_lines, json_value
from iam.mirror.queries.lists.core import all_rows


def response(page: Page, asked: Asked, form: str) -> StreamingHttpResponse:
    """The file as a download that is sent while it is being read."""
    parts = {"csv": _csv, "json": _json}[form](page, asked)
    return download(parts, form=form, name=_file_name(page, asked))


def _file_name(page: Page, asked: Asked) -> str:
    account = asked.lens.account.account_id if asked.lens.account else "all-accounts"
    shown = asked.lens.at or asked.lens.now
    return f"gatehouse-{page.listing.name}-{account}-{shown:%Y-%m-%dT%H%M%SZ}"


def _csv(page: Page, asked: Asked) -> Iterator[str]:
    columns = page.export(asked.lens)
    return csv_lines([name for name, _ in columns], _rows(page, asked, columns))


def _json(page: Page, asked: Asked) -> Iterator[str]:
    lens = asked.lens
    about = {
        "list": page.listing.name,
        "account": lens.account.account_id if lens.account else None,
        "as_of": json_value(lens.at),
        "exported_at": json_value(lens.now),
        "view": asked.wanted.tab,
        "text": asked.wanted.text,
        "filters": {name: list(values) for name, values in asked.wanted.filters},
    }
    return json_lines(about, _rows(page, asked, page.export(lens)))


def _rows(page: Page, asked: Asked, columns: tuple[Column, ...]) -> Iterator[dict[str, Any]]:
    for row in all_rows(page.listing, asked.lens, asked.wanted):
        yield {name: value(row, asked.lens) for name, value in columns}
