"""Health for machines: `/healthz` says that the process answers, `/readyz` whether it can serve people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from iam.journal import triggers
from iam.mirror.models import Section

logger = structlog.get_logger(__name__)
BROKER_SECONDS = 2


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"ok": True})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 until database, journal and broker answer. The age of the last pull is told, and decides nothing: a console that shows
    old data, plainly marked, is better than none."""
    checks = {"database": _database(), "broker": _broker()}
    checks["journal"] = _journal() if checks["database"] == "ok" else "unknown"
    ready = all(state == "ok" for state in checks.values())
    age = _pull_age() if checks["database"] == "ok" else None
    body = {"ready": ready, "checks": checks, "last_pull_seconds": age}
    return JsonResponse(body, status=200 if ready else 503)


class Health:
    """Answers both before hosts, TLS and sign-in are looked at: a probe comes by address, from inside, without a cookie."""

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


def _pull_age() -> int | None:
    """Seconds since the last complete reading of any section of any account."""
    try:
        latest = Section.objects.aggregate(latest=Max("observed_at"))["latest"]
    except (DatabaseError, InterfaceError):
        return None
    return int((datetime.now(tz=UTC) - latest).total_seconds()) if latest else None
