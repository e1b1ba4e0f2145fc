"""Streams a list as a file: CSV for spreadsheets, JSON for programs; all filtered rows in the list's order.

If an account was not completely synced by the moment of the file, the file says so, as the page does: in its
name, in the JSON object, and in the last row of the CSV, where it doesn't shift the columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse

from console.identities.lists.list_address import ListAddress
from console.identities.lists.spec import FileColumn, ListPage
from console.web.files import csv_lines, download, json_lines, json_value
from iam.mirror.pull.sections import LABELS
from iam.mirror.queries.lists.core import all_rows
from iam.mirror.queries.lists.freshness import unsynced_accounts

Missing = list[tuple[str, str]]
"""(account ID, section) that was not synced by the moment of the file."""


def response(page: ListPage, asked: ListAddress, form: str) -> StreamingHttpResponse:
    """Return the file as a streamed download."""
    missing = unsynced_accounts(page.listing.sections, asked.list_context)
    parts = {"csv": _csv, "json": _json}[form](page, asked, missing)
    return download(parts, form=form, name=_file_name(page, asked, missing))


def _file_name(page: ListPage, asked: ListAddress, missing: Missing) -> str:
    account = asked.list_context.account.account_id if asked.list_context.account else "all-accounts"
    shown = asked.list_context.at or asked.list_context.now
    name = f"gatehouse-{page.listing.name}-{account}-{shown:%Y-%m-%dT%H%M%SZ}"
    return f"{name}-incomplete" if missing else name


def _csv(page: ListPage, asked: ListAddress, missing: Missing) -> Iterator[str]:
    columns = page.file_columns(asked.list_context)
    names = [name for name, _ in columns]
    last = [{names[0]: incomplete_words(missing)}] if missing else []
    return csv_lines(names, chain(_rows(page, asked, columns), last))


def _json(page: ListPage, asked: ListAddress, missing: Missing) -> Iterator[str]:
    context = asked.list_context
    about = {
        "list": page.listing.name,
        "account": context.account.account_id if context.account else None,
        "as_of": json_value(context.at),
        "exported_at": json_value(context.now),
        "view": asked.wanted.tab,
        "text": asked.wanted.text,
        "filters": {name: list(values) for name, values in asked.wanted.filters},
        "is_complete": not missing,
        "not_synced": [
            {"account": number, "section": LABELS.get(section, section)} for number, section in missing
        ],
    }
    return json_lines(about, _rows(page, asked, page.file_columns(context)))


def incomplete_words(missing: Missing) -> str:
    """Return 'At least these. Not synced by then: Roles, Groups (111111111111)'."""
    by_account = defaultdict(list)
    for number, section in missing:
        by_account[number].append(LABELS.get(section, section))
    accounts = [f"{', '.join(labels)} ({number})" for number, labels in by_account.items()]
    return f"At least these. Not synced by then: {'; '.join(accounts)}"


def _rows(page: ListPage, asked: ListAddress, columns: list[FileColumn]) -> Iterator[dict[str, Any]]:
    for row in all_rows(page.listing, asked.list_context, asked.wanted):
        yield {name: value(row, asked.list_context) for name, value in columns}
