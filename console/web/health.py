"""Health checks for machines: `/healthz` (the process answers) and `/readyz` (it can serve people)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from console.web.heartbeat import beat_age
from iam.audit.siem.services import entries_behind
from iam.journal import triggers
from iam.journal.chain import unchained
from iam.journal.models import JournalBlock
from iam.mirror.models import Section

logger = structlog.get_logger(__name__)
BROKER_SECONDS = 2
BROKER_KEPT_SECONDS = 2.0
JOURNAL_SECONDS = 5.0
AGES_SECONDS = 5.0
NO_AGES: dict[str, int | None] = {
    "last_pull_seconds": None,
    "beat_seconds": None,
    "journal_waiting_seconds": None,
    "siem_behind_entries": None,
}
_answers: dict[str, tuple[float, Any]] = {}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 without checking anything else."""
    return JsonResponse({"ok": True})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if database, journal and broker work, else 503.

    The ages in the answer don’t affect the status: a console that shows old data, plainly marked, is better
    than none. Anyone can call this as often as they like, so one call costs one short query; everything else
    is cached for some seconds.
    """
    checks = {"database": _database(), "broker": _kept("broker", BROKER_KEPT_SECONDS, _broker)}
    checks["journal"] = (
        _kept("journal", JOURNAL_SECONDS, _journal) if checks["database"] == "ok" else "unknown"
    )
    ready = all(state == "ok" for state in checks.values())
    body: dict[str, Any] = {"ready": ready, "checks": checks}
    body |= _kept("ages", AGES_SECONDS, _ages) if checks["database"] == "ok" else NO_AGES
    status = 200 if ready else 503
    return JsonResponse(body, status=status)


class HealthMiddleware:
    """Answers both addresses before host, TLS and sign-in checks, because probes call by IP address without a
    cookie.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = {"/healthz": healthz, "/readyz": readyz}.get(request.path_info)
        if view is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        response = view(request)
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        logger.error("readyz.database", error=type(error).__name__)
        return "unreachable"
    return "ok"


def _journal() -> str:
    try:
        if not triggers.tables_exist(connection):
            return "not migrated"
        return "unprotected" if triggers.missing(connection) or triggers.foreign(connection) else "ok"
    except (DatabaseError, InterfaceError) as error:
        logger.error("readyz.journal", error=type(error).__name__)
        return "unreachable"


def _broker() -> str:
    if settings.BROKER_URL.startswith("filesystem"):
        return "ok" if (Path(settings.VAR) / "broker").is_dir() else "unreachable"
    from console.celery import app

    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except (OperationalError, OSError) as error:
        logger.error("readyz.broker", error=type(error).__name__)
        return "unreachable"
    return "ok"


def _kept(name: str, seconds: float, ask: Callable[[], Any]) -> Any:
    """Return this process's cached answer, calling `ask` again if it is older than `seconds`."""
    now = time.monotonic()
    asked_at, answer = _answers.get(name, (float("-inf"), None))
    if now - asked_at > seconds:
        answer = ask()
        _answers[name] = (now, answer)
    return answer


def forget() -> None:
    """Clear the cached answers, for tests."""
    _answers.clear()


def _ages() -> dict[str, int | None]:
    """Return the seconds since the last complete sync of any section, since the scheduler last ran, and since
    the oldest journal entry without a block was written; and the number of entries not yet sent to the SIEM.
    """
    try:
        latest = Section.objects.aggregate(latest=Max("observed_at"))["latest"]
        waiting = unchained(JournalBlock.objects.order_by("-sequence").first()).aggregate(since=Min("at"))[
            "since"
        ]
        return {
            "last_pull_seconds": _age(latest),
            "beat_seconds": beat_age(),
            "journal_waiting_seconds": _age(waiting) or 0,
            "siem_behind_entries": entries_behind(),
        }
    except (DatabaseError, InterfaceError):
        return NO_AGES


def _age(moment: datetime | None) -> int | None:
    return max(0, int((datetime.now(tz=UTC) - moment).total_seconds())) if moment else None
