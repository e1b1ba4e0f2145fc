"""The page of a framework: its requirements in groups, in a scope, now or at a past moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.compliance.presenters import (
    RequirementRow,
    framework_in,
    results_in,
    row_of,
    scope_in,
    state_word,
    to_end_of_audit,
)
from console.web.access import ViewerRequest, require_evidence
from console.web.address_choices import choice, day_start
from console.web.asof import asof_context
from console.web.query import QueryPairs
from console.web.render import render_live, render_page
from iam.audit.evidence.packs import may_request
from iam.audit.frameworks.decisions import may_decide_in
from iam.audit.frameworks.definitions import ControlFramework
from iam.audit.frameworks.models import ComplianceScope
from iam.audit.frameworks.queries import (
    ShownResults,
    last_mark,
    states_before,
    visible_scopes,
    waiting_decisions,
)
from iam.audit.frameworks.terms import STATE_LABELS, RequirementState
from iam.guard import Right
from iam.search_words import folded, words_of

CHANGED: Final = "changed"
WAITING: Final = "waiting"
TABS: Final = (
    ("", "All"),
    *((state_word(state), label) for state, label in STATE_LABELS.items()),
    (WAITING, "Waiting for approval"),
    (CHANGED, "Changed"),
)
FORMS: Final = (("csv", "Export CSV"), ("json", "Export JSON"), ("pdf", "Export PDF"))
PACE: Final = "2s"


@require_evidence
@require_safe
def framework_page(request: ViewerRequest, name: str) -> HttpResponse:
    """Show a framework."""
    way = to_end_of_audit(request)
    if way is not None:
        return way
    framework, scope = framework_in(request, name), scope_in(request)
    shown = results_in(request, framework, scope)
    tab = choice(request, "tab", dict(TABS))
    context: dict[str, Any] = {
        "framework": framework,
        "scope": scope,
        "scopes": [(each.slug, each.name) for each in visible_scopes(request.viewer)],
        "shown": shown,
        "counts": {state.name.lower(): shown.counts[state.value] for state in RequirementState},
        "bar": _shares(shown),
        "tabs": TABS,
        "tab": tab,
        "q": request.GET.get("q", "").strip()[:200],
        "since": request.GET.get("since", ""),
        "mark": last_mark(framework, scope),
        "may_mark": request.at is None and may_decide_in(request.viewer, scope),
        "section": "compliance",
        **asof_context(request),
    }
    if shown.results is not None and "Gatehouse-Poll" in request.headers:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if shown.results is None:
        return render_live(request, "compliance/framework_waits.html", context, pace=PACE)
    rows = rows_in(request, framework, scope, shown)
    context |= {
        "groups": _grouped(framework, rows),
        "number": len(rows),
        "files": _files(request, framework),
        "pack_url": _pack_url(request, framework),
    }
    return render_page(request, "compliance/framework.html", context, partial="table")


def _pack_url(request: ViewerRequest, framework: ControlFramework) -> str:
    """Return the address of the form for a pack about it, now or at the end of an audit."""
    is_shown = request.at is None or request.viewer.limits is not None
    if not is_shown or not may_request(request.viewer):
        return ""
    return f"{reverse('evidence:new')}?about=framework:{framework.name}"


def rows_in(
    request: ViewerRequest,
    framework: ControlFramework,
    scope: ComplianceScope | None,
    shown: ShownResults,
) -> list[RequirementRow]:
    """Return the requirements that match the filters in the address."""
    tab, words = choice(request, "tab", dict(TABS)), words_of(request.GET.get("q", ""))
    before = _before(request, framework, scope, tab)
    waiting = waiting_decisions(framework, scope) if request.at is None else set()
    rows = []
    for requirement in framework.requirements:
        result = (shown.results or {}).get(requirement.number)
        if result is None:
            continue
        row = row_of(
            framework,
            requirement,
            scope,
            result,
            is_waiting=requirement.number in waiting,
            before=before.get(requirement.number),
            at=request.at,
        )
        text = folded(f"{requirement.number} {requirement.title} {requirement.text} {row.reason}")
        if _fits(row, tab) and all(word in text for word in words):
            rows.append(row)
    return rows


def _fits(row: RequirementRow, tab: str) -> bool:
    if tab == CHANGED:
        return bool(row.before)
    if tab == WAITING:
        return row.is_waiting
    states = {state_word(state): state for state in STATE_LABELS}
    return tab not in states or row.state == states[tab]


def _before(
    request: ViewerRequest, framework: ControlFramework, scope: ComplianceScope | None, tab: str
) -> Mapping[str, str]:
    """Return the former states since a day, if one is requested.

    The tab alone means since the last assessment or, without one, since the beginning.
    """
    since = day_start(request, "since")
    if request.at is not None or (since is None and tab != CHANGED):
        return {}
    if since is None:
        mark = last_mark(framework, scope)
        since = mark.at if mark else datetime.min.replace(tzinfo=UTC)
    return states_before(framework, scope, since=since)


def _grouped(
    framework: ControlFramework, rows: list[RequirementRow]
) -> list[tuple[str, str, list[RequirementRow]]]:
    groups = []
    for number, title in framework.groups:
        own = [row for row in rows if row.requirement.group == number]
        if own:
            groups.append((number, title, own))
    return groups


def _shares(shown: ShownResults) -> list[float]:
    """Return the shares of the bar in percent: failed, needs a person, passed."""
    counts = shown.counts
    total = sum(counts.values()) or 1
    states = (RequirementState.FAILED, RequirementState.PERSON, RequirementState.PASSED)
    return [round(100 * counts[state] / total, 1) for state in states]


def _files(request: ViewerRequest, framework: ControlFramework) -> list[tuple[str, str]]:
    if not request.viewer.may(Right.EXPORT):
        return []
    names = ("scope", "tab", "q", "since", "as-of")
    query = QueryPairs.from_pairs([(name, request.GET.get(name, "")) for name in names])
    files = []
    for form, label in FORMS:
        address = reverse("compliance:export", args=[framework.name, form])
        files.append((label, f"{address}{query}".rstrip("?")))
    return files
