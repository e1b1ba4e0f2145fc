"""The posture score over time, and the score with its findings at a past moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.findings.posture import points_words
from console.findings.presenters import STATUS_TONES, TONES
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.moments import day_text
from console.web.query import QueryPairs
from console.web.render import render_live, render_page
from iam.audit.findings.models import FindingCertainty, FindingSeverity, FindingStatus
from iam.audit.findings.rules import title_of
from iam.audit.posture.days import posture_days, seen_accounts
from iam.audit.posture.past import MAX_ACCOUNTS, PastFinding, PastView, past_view
from iam.guard import Right

DAYS_SHOWN: Final = 90
SHOWN: Final = 50
LINES_SHOWN: Final = 8
PACE: Final = "2s"
END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


@require(Right.SEE_ACCOUNT)
@require_safe
def posture_page(request: ViewerRequest) -> HttpResponse:
    """Show the score of each day, or a single moment."""
    if not request.viewer.sees_accounts:
        raise Http404
    account = frame_of(request).chosen
    accounts = list(seen_accounts(request.viewer, account).order_by("name", "pk"))
    context: dict[str, Any] = {"section": "findings", "account": account, **asof_context(request)}
    if request.at is None:
        days = posture_days(accounts, most=DAYS_SHOWN)
        context["days"] = [
            (day_text(day), score, number, _day_url(day, request)) for day, score, number in days
        ]
        context["accounts"] = len(accounts)
        return render_page(request, "findings/posture_days.html", context)
    if len(accounts) > MAX_ACCOUNTS:
        context["max_accounts"] = MAX_ACCOUNTS
        return render_page(request, "findings/posture_choose.html", context)
    view = past_view(accounts, request.at)
    if view is None:
        return render_live(request, "findings/posture_waits.html", context, pace=PACE)
    if "Gatehouse-Poll" in request.headers:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context |= _shown(view, len(accounts))
    return render_page(request, "findings/posture_past.html", context)


def _day_url(day: date, request: ViewerRequest) -> str:
    """Return the address for the end of a day; for today, the current score."""
    end = min(datetime.combine(day, END_OF_DAY), datetime.now(tz=UTC).replace(microsecond=0))
    pairs = [("account", request.GET.get("account", "")), ("as-of", f"{end:%Y-%m-%dT%H:%M:%S}")]
    return f"{reverse('findings:posture')}{QueryPairs.from_pairs(pairs)}"


def _shown(view: PastView, accounts: int) -> dict[str, Any]:
    lines = []
    for line in view.posture.lines:
        severity = FindingSeverity(line.severity)
        lines.append((points_words(line.points), title_of(line.kind), line.count, TONES[severity]))
    shown = view.findings[:SHOWN]
    return {
        "score": view.posture.score,
        "lines": lines[:LINES_SHOWN],
        "more_lines": lines[LINES_SHOWN:],
        "unread": len(view.posture.unread),
        "unscored": accounts - view.scored,
        "accounts": accounts,
        "rows": [_row(finding) for finding in shown],
        "count": view.count,
        "more": view.count - len(shown),
    }


def _row(finding: PastFinding) -> dict[str, Any]:
    severity = FindingSeverity(finding.severity)
    return {
        "title": title_of(finding.kind),
        "severity": severity.label,
        "tone": TONES[severity],
        "is_conditional": finding.certainty == FindingCertainty.CONDITIONAL,
        "status": FindingStatus(finding.status).label,
        "status_tone": STATUS_TONES[finding.status],
        "subject": finding.subject,
        "account": finding.account,
    }
