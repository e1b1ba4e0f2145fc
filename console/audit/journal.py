"""The journal page: who did what, whether the chain is intact, and exports of the filtered entries."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

import structlog
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from console.audit.entry_lines import lines_of
from console.audit.entry_sentences import words_of
from console.audit.requests import references_of
from console.audit.sentences import GROUPS
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice, day_start, leave_out, order_problem, problems_of
from console.web.context import read_any_account
from console.web.files import EchoFile
from console.web.heartbeat import SILENT_SECONDS, beat_age
from console.web.moments import read_day
from console.web.render import is_fragment, render_page
from console.web.text import uuid_in
from iam.audit.anchors.services import newest_writes
from iam.audit.print.spreadsheet import harmless
from iam.audit.retention.queries import retention_state
from iam.audit.siem.services import receiver_states
from iam.guard import Right, Viewer
from iam.journal.chain import canonical
from iam.journal.models import Entry, JournalVerification
from iam.journal.queries import EntryFilter, chain_state, entries_page, every_entry
from iam.journal.services import record
from iam.journal.tasks import verify_journal
from iam.journal.verify import ask_for_verification, withdraw_verification
from iam.mirror.queries.accounts import visible_accounts

logger = structlog.get_logger(__name__)
EXPORT_ROWS = 100_000
FORMS: Final = ("csv", "json")
ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
LOOKED_UP = 500
"""Number of exported entries whose requests are loaded at once."""
STOP_POLLING = 286


@require(Right.SEE_JOURNAL)
@require_safe
def journal(request: ViewerRequest) -> HttpResponseBase:
    """Show the filtered entries, newest first; `?format=csv` or `json` downloads them.

    If a filter means nothing, the page says so, and there is no file.
    """
    wanted = _filter(request)
    form = choice(request, "format", FORMS)
    may_export = request.viewer.may(Right.EXPORT) or request.viewer.may(Right.SEE_EVIDENCE)
    chosen = {name: request.GET.get(name, "") for name in ("q", "kind", "who", "from", "to")}
    date_problem = order_problem(read_day(chosen["from"]), read_day(chosen["to"]))
    if form and may_export and not (problems_of(request) or date_problem):
        return _export(request, wanted, form)
    rows, before = entries_page(wanted)
    references = references_of(rows, request.viewer)
    context = {
        "lines": lines_of(rows, references),
        "count": len(rows),
        "before": before,
        "first_page": wanted.before is None,
        "filtered": any(request.GET.get(name) for name in ("q", "kind", "account", "who", "from", "to")),
        "kinds": GROUPS,
        "chosen": chosen,
        "date_problem": date_problem,
        "fragment": is_fragment(request),
        "chosen_account": wanted.account_id,
        "who": next((entry.actor_label for entry in rows if wanted.actor_id), ""),
        "accounts": visible_accounts(request.viewer).order_by("name"),
        "may_export": may_export,
        "section": "journal",
    }
    if not is_fragment(request):
        context |= _chain(request.viewer)
    return render_page(request, "audit/journal.html", context, partial="entries")


@require(Right.SEE_JOURNAL)
@require_safe
def state(request: ViewerRequest) -> HttpResponse:
    """Render only the state of the chain, while a verification runs."""
    context = _chain(request.viewer)
    status = 200 if context["chain"].verifying else STOP_POLLING
    return render_page(request, "audit/journal.html", context, partial="chain", status=status)


@require(Right.SEE_JOURNAL)
@require_POST
def check(request: ViewerRequest) -> HttpResponse:
    """Start a worker's verification of the whole chain."""
    asked = ask_for_verification()
    record(kind="journal.verify", actor=request.viewer)
    try:
        verify_journal.delay(asked.pk)
    except (OperationalError, OSError) as error:
        logger.error("journal.check", error=type(error).__name__)
        withdraw_verification(asked)
        messages.error(
            request, "The task queue doesn’t answer, so no worker can check the journal. Try again later."
        )
    return redirect("audit:journal")


def _chain(viewer: Viewer) -> dict[str, Any]:
    """Return the state of the chain, its anchors, receivers and retention."""
    age = beat_age()
    beat: dict[str, Any] = {"age": age, "is_silent": age is not None and age > SILENT_SECONDS}
    if age is not None:
        beat["at"] = datetime.now(tz=UTC) - timedelta(seconds=age)
    chain = chain_state()
    return {
        "chain": chain,
        "tone": _tone(chain.verified),
        "anchors": newest_writes(),
        "receivers": receiver_states(),
        "beat": beat,
        "retention": retention_state(now=datetime.now(tz=UTC)),
        "sees_all": viewer.may(Right.SEE_JOURNAL, account_id=""),
    }


def _tone(verified: JournalVerification | None) -> str:
    if verified is None:
        return "info"
    if not verified.holds or verified.record_problem:
        return "bad"
    return "warn" if verified.warnings or verified.anchor_problem else "ok"


def _filter(request: ViewerRequest) -> EntryFilter:
    """Return the filter in the address; the page says which values mean nothing. Entries that the viewer
    can’t see are excluded.
    """
    get = request.GET.get
    before = get("before", "")
    before_number = int(before) if before.isdecimal() and len(before) < 19 else None
    since, until = _period(request)
    return EntryFilter(
        accounts=_accounts(request.viewer),
        text=get("q", "").strip()[:200],
        kind=_kind(request),
        account_id=_account(request),
        actor_id=_actor(request),
        since=since,
        until=until,
        before=before_number,
    )


def _kind(request: ViewerRequest) -> str:
    """Return a group of the select, or any other kind of entries."""
    kind = request.GET.get("kind", "")
    if kind and not kind.replace("_", "").replace(".", "").isalnum():
        leave_out(request, "kind")
        return ""
    return kind


def _account(request: ViewerRequest) -> str:
    """Return the account ID; entries of a disconnected account can be listed too."""
    read_any_account(request)
    number = request.GET.get("account", "")
    if number and not ACCOUNT_ID.fullmatch(number):
        leave_out(request, "account")
        return ""
    return number


def _actor(request: ViewerRequest) -> UUID | None:
    actor_id = uuid_in(request.GET.get("who", ""))
    if actor_id is None and request.GET.get("who"):
        leave_out(request, "who")
    return actor_id


def _period(request: ViewerRequest) -> tuple[datetime | None, datetime | None]:
    """Return the period in the address, cut to the limits of an auditor."""
    since, until = (
        day_start(request, "from"),
        day_start(request, "to", later=1),
    )
    limits = request.viewer.limits
    if limits is not None:
        begins = [moment for moment in (since, limits.since) if moment]
        ends = [moment for moment in (until, limits.until) if moment]
        since, until = max(begins, default=None), min(ends, default=None)
    return since, until


def _accounts(viewer: Viewer) -> frozenset[str] | None:
    """Return the accounts whose entries the viewer sees; None means all entries, including those without an
    account.
    """
    accounts = {account for right, account in viewer.grants if right is Right.SEE_JOURNAL}
    return None if "" in accounts else frozenset(accounts)


def _export(request: ViewerRequest, wanted: EntryFilter, form: str) -> StreamingHttpResponse:
    rows = every_entry(wanted, limit=EXPORT_ROWS)
    record(
        kind="journal.export",
        actor=request.viewer,
        data={"format": form, "filter": request.GET.urlencode()},
    )
    entries_with_text = _entries_with_sentences(rows, request.viewer)
    lines = _csv(entries_with_text) if form == "csv" else _json(entries_with_text)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    response = StreamingHttpResponse(lines, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="journal-{datetime.now(tz=UTC):%Y-%m-%d}.{form}"'
    response["Cache-Control"] = "no-store"
    return response


COLUMNS = (
    "entry",
    "time",
    "kind",
    "what",
    "by",
    "email",
    "account",
    "subject",
    "request",
    "address",
    "hash",
    "data",
)


def _entries_with_sentences(rows: Iterator[Entry], viewer: Viewer) -> Iterator[tuple[Entry, str]]:
    """Yield each entry with its sentence; requests are loaded in batches."""
    while batch := list(islice(rows, LOOKED_UP)):
        references = references_of(batch, viewer)
        for entry in batch:
            yield entry, words_of(entry, references.get(entry.id))


def _csv(rows: Iterator[tuple[Entry, str]]) -> Iterator[str]:
    writer = csv.writer(EchoFile())
    yield writer.writerow(COLUMNS)
    for entry, words in rows:
        cells = (
            entry.id,
            entry.at.astimezone(UTC).isoformat(),
            entry.kind,
            words,
            entry.actor_label,
            entry.actor_email,
            entry.account_id,
            entry.subject,
            entry.request_id,
            entry.ip,
            _hash(entry),
            entry.data_json,
        )
        texts = []
        for cell in cells:
            text = "" if cell is None else harmless(str(cell))
            texts.append(text)
        yield writer.writerow(texts)


def _json(rows: Iterator[tuple[Entry, str]]) -> Iterator[str]:
    """Yield a JSON array; `canonical` is the exact text that `hash` covers, and `block` its place in the
    chain.
    """
    yield "["
    separator = "\n"
    for entry, words in rows:
        link = getattr(entry, "link", None)
        yield separator + json.dumps(
            {
                "entry": entry.id,
                "time": entry.at.astimezone(UTC).isoformat(),
                "kind": entry.kind,
                "what": words,
                "by": entry.actor_label,
                "subject": entry.subject,
                "account": entry.account_id,
                "data": entry.data,
                "canonical": canonical(entry),
                "hash": _hash(entry),
                "block": link.block_id if link else None,
                "position": link.position if link else None,
            }
        )
        separator = ",\n"
    yield "\n]\n"


def _hash(entry: Entry) -> str:
    """Return the hash in the chain; "" while the entry waits for its block."""
    link = getattr(entry, "link", None)
    return link.hash if link else ""
