"""The list of findings, the worst first, with filters, pages and exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.findings.history import happened_words
from console.findings.posture import posture_context
from console.findings.presenters import PLAIN, row_of, sees_whole
from console.web.access import ViewerRequest, require, require_present
from console.web.address_choices import choice, day_start
from console.web.context import frame_of
from console.web.files import file_links
from console.web.filter_selects import filter_selects
from console.web.known_facts import PartialCount
from console.web.list_export import export_list, pages_of
from console.web.page_cursors import place_in, word_of
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from iam.audit.findings.changes_since import event_counts, events_since, last_visit, note_visit
from iam.audit.findings.models import (
    AuditFinding,
    FindingCertainty,
    FindingEvent,
    FindingEventKind,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.ocsf import ocsf_of
from iam.audit.findings.outdated_findings import behind_accounts
from iam.audit.findings.owners import owners_of
from iam.audit.findings.queries import (
    WORST_FIRST,
    FindingFilter,
    are_all_judged,
    finding_counts,
    findings,
    teams_of_owners,
)
from iam.audit.findings.rules import all_rules
from iam.audit.findings.values import values_of
from iam.directory.models import Team
from iam.guard import Right, Viewer
from iam.keyset import KeysetPlace, RowPage, page

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE_SIZE: Final = 50
MAX_HAPPENED: Final = 3
"""The maximum number of events in a row of what changed."""
EXPORT_PAGE: Final = 500
NEW_DAYS: Final = 7
VISIT_SECONDS: Final = 60
"""Page views within this time count as one visit."""
TABS: Final = (
    ("", "Open"),
    ("new", "New in 7 days"),
    ("changed", "Changed"),
    ("requested", "Acceptance requested"),
    ("accepted", "Accepted"),
    ("fixed", "Fixed"),
)
STATUSES: Final = {
    "": (FindingStatus.OPEN.value,),
    "new": (FindingStatus.OPEN.value,),
    "changed": (),
    "requested": (FindingStatus.OPEN.value,),
    "accepted": (FindingStatus.ACCEPTED.value,),
    "fixed": (FindingStatus.FIXED.value,),
}
NOTHING: Final = {
    "": "No open findings.",
    "new": "No findings were opened in the last 7 days.",
    "changed": "Nothing happened to findings since then.",
    "requested": "No one has requested to accept a finding.",
    "accepted": "No accepted findings.",
    "fixed": "No fixed findings.",
}
NONE_MATCHES: Final = "No findings match these filters."
NONE_KNOWN: Final = "No finding is known."
NONE_KNOWN_MATCHES: Final = "No finding that matches these filters is known."
NOT_ALL_JUDGED: Final = "Not everything was synced and judged yet."
HAPPENED: Final = {
    FindingEventKind.OPENED.value: "new",
    FindingEventKind.REOPENED.value: "opened again",
    FindingEventKind.FIXED.value: "fixed",
    FindingEventKind.ACCEPTED.value: "accepted",
    FindingEventKind.ENDED.value: "no longer accepted",
    FindingEventKind.SEVERITY.value: "changed severity",
    FindingEventKind.CERTAINTY.value: "changed certainty",
    FindingEventKind.AFFECTS.value: "with more affected",
    FindingEventKind.UNAFFECTED.value: "with fewer affected",
}
OCSF: Final = "ocsf.jsonl"
"""The export format for a SIEM."""
NESTED: Final = ("related", "evidence", "fix")
COLUMNS: Final = (
    "kind",
    "severity",
    "certainty",
    "status",
    "account",
    "subject",
    "related",
    "evidence",
    "first_seen",
    "last_seen",
    "fix",
    "owner",
    "accepted_until",
)


UNSHOWN: Final = ("related", "evidence", "reasons", "search", "stamp")
"""Columns that the list doesn’t load, because some hold a thousand ARNs."""


@require(*SEES)
@require_safe
def findings_page(request: ViewerRequest) -> HttpResponse:
    """List the findings that match the filters, the worst first."""
    require_present(request)
    if cache.add(f"findings-visit:{request.viewer.person_id}", True, VISIT_SECONDS):
        note_visit(request.viewer, now=datetime.now(tz=UTC))
    get, viewer, wanted = request.GET, request.viewer, wanted_in(request)
    rows = page(
        findings(viewer, wanted).defer(*UNSHOWN).prefetch_related("account"),
        order=WORST_FIRST,
        size=PAGE_SIZE,
        after=place_in(request, "after"),
    )
    names = owners_of(rows.rows)
    account = frame_of(request).chosen
    behind = behind_accounts()
    happened: dict[int, tuple[str, ...]] = {}
    if _tab(request) == "changed" and wanted.changed_since is not None:
        happened = _happened(rows.rows, viewer, wanted.changed_since)
    shown = []
    for row in rows.rows:
        words, events = names.get(row.pk, ""), happened.get(row.pk, ())
        shown.append(row_of(row, viewer, owner=words, behind=behind, happened=events))
    posture = {} if is_fragment(request) else posture_context(viewer, account)
    if posture:
        is_whole = not posture["posture"]["unread"] and not posture["posture"]["unscored"]
    else:
        # Fragments don't show counts, so they aren't calculated with the rows.
        is_whole = (is_fragment(request) and bool(shown)) or are_all_judged(viewer, account)
    is_filtered = bool(wanted.text or any(get.get(name) for name in FILTERS))
    context: dict[str, Any] = {
        "rows": shown,
        "following": word_of(rows.after) or None,
        "is_first": "after" not in get,
        "tab": _tab(request),
        "tabs": TABS,
        "nothing": nothing_words(_tab(request), is_whole=is_whole, is_filtered=is_filtered),
        "is_whole": is_whole,
        "q": wanted.text,
        "owner": wanted.owner,
        "since": get.get("since", ""),
        "choices": _choices(request),
        "is_filtered": is_filtered,
        "files": _files(viewer, request) if rows.rows else [],
        "sees_accounts": viewer.sees_accounts,
        "section": "findings",
    }
    if context["tab"] == "changed" and wanted.changed_since is not None:
        context |= _what_changed(request, wanted.changed_since)
    if not is_fragment(request):
        context |= posture
        counts = finding_counts(viewer, account=account)
        context |= {
            "severities_open": counts.severities,
            "statuses": counts.statuses,
            "open": counts.statuses[FindingStatus.OPEN],
            "is_unknown": not counts.statuses[FindingStatus.OPEN] and not is_whole,
            "open_count": PartialCount(counts.statuses[FindingStatus.OPEN], is_whole=is_whole),
            "bar": _bar(counts.severities, is_whole=is_whole),
        }
    return render_page(request, "findings/list.html", context, partial="table")


def nothing_words(tab: str, *, is_whole: bool, is_filtered: bool = False) -> str:
    """Return the text of an empty list; it says that no finding is open only if everything could be
    judged.
    """
    if is_whole or tab not in ("", "new"):
        return NONE_MATCHES if is_filtered else NOTHING[tab]
    return f"{NONE_KNOWN_MATCHES if is_filtered else NONE_KNOWN} {NOT_ALL_JUDGED}"


FILTERS: Final = ("severity", "kind", "certainty", "team", "owner", "since")


def _choices(request: ViewerRequest) -> list[dict[str, Any]]:
    """Return the selects of the filter; kinds are in the order of their titles."""
    kinds = [(rule.kind, rule.title) for rule in all_rules().values()]
    kinds.sort(key=lambda choice: choice[1].casefold())
    options: dict[str, tuple[str, str, Sequence[tuple[str, Any]]]] = {
        "severity": (
            "Severity",
            "Every severity",
            [(severity.name.lower(), severity.label) for severity in FindingSeverity],
        ),
        "kind": ("Kind", "Every kind", kinds),
        "certainty": ("Certainty", "Any certainty", FindingCertainty.choices),
    }
    teams = [(team.slug, team.name) for team in teams_of_owners(request.viewer)]
    if teams:
        options["team"] = ("Team", "Any team", teams)
    return filter_selects(request, options)


def _bar(severities: Any, *, is_whole: bool) -> dict[str, Any]:
    """Return the numbers and the bar's shares in percent; "at least" if not everything could be judged."""
    total = sum(severities.values()) or 1
    bad = severities[FindingSeverity.CRITICAL] + severities[FindingSeverity.HIGH]
    medium = severities[FindingSeverity.MEDIUM]
    low = severities[FindingSeverity.LOW]
    shares = [round(100 * number / total, 1) for number in (bad, medium, low)]
    numbers = {"bad": bad, "medium": medium, "low": low}
    shown = {name: PartialCount(number, is_whole=is_whole) for name, number in numbers.items()}
    return {**shown, "shares": shares}


def _tab(request: ViewerRequest) -> str:
    return choice(request, "tab", STATUSES)


def wanted_in(request: ViewerRequest) -> FindingFilter:
    """Return the filters in the address, for the list and its export; the page says which mean nothing."""
    get, tab = request.GET, _tab(request)
    names = {severity.name.lower(): severity.value for severity in FindingSeverity}
    since = day_start(request, "since")
    if tab == "changed":
        since = since or _changed_since(request)
    opened_since = datetime.now(tz=UTC) - timedelta(days=NEW_DAYS) if tab == "new" else None
    severity = choice(request, "severity", names)
    severities = (names[severity],) if severity else ()
    return FindingFilter(
        account=frame_of(request).chosen,
        severities=severities,
        kind=choice(request, "kind", all_rules()),
        statuses=STATUSES[tab],
        certainty=choice(request, "certainty", FindingCertainty.values),
        changed_since=since,
        opened_since=opened_since,
        is_requested=tab == "requested",
        team=_team(request),
        owner=get.get("owner", "").strip()[:200],
        text=get.get("q", "").strip()[:200],
    )


def _team(request: ViewerRequest) -> Team | None:
    """Return the team whose users the findings are about; None for all."""
    if not request.GET.get("team"):
        return None
    teams = {team.slug: team for team in teams_of_owners(request.viewer)}
    return teams.get(choice(request, "team", teams))


def _changed_since(request: ViewerRequest) -> datetime:
    """Return the last visit; for a first visit, some days ago."""
    return last_visit(request.viewer) or datetime.now(tz=UTC) - timedelta(days=NEW_DAYS)


def _what_changed(request: ViewerRequest, since: datetime) -> dict[str, Any]:
    """Return what changed since then, in words."""
    counts = event_counts(request.viewer, account=frame_of(request).chosen, since=since)
    parts = []
    for kind, words in HAPPENED.items():
        parts.append(f"{counts[kind]:,} {words}")
    is_visit = not request.GET.get("since") and last_visit(request.viewer) is not None
    return {"changed_since": since, "changed_words": ", ".join(parts), "is_since_visit": is_visit}


def _happened(rows: Sequence[AuditFinding], viewer: Viewer, since: datetime) -> dict[int, tuple[str, ...]]:
    """Return what happened to findings since then, in words, the latest first. One query."""
    by_finding: dict[int, list[FindingEvent]] = {}
    for event in events_since(rows, since):
        by_finding.setdefault(event.finding_id, []).append(event)
    happened = {}
    for row in rows:
        events = by_finding.get(row.pk, [])
        sees_names = sees_whole(row, viewer)
        words = [happened_words(row, event, sees_names=sees_names) for event in events[:MAX_HAPPENED]]
        if len(events) > MAX_HAPPENED:
            words.append(f"and {len(events) - MAX_HAPPENED} more")
        happened[row.pk] = tuple(words)
    return happened


def _files(viewer: Viewer, request: ViewerRequest) -> list[tuple[str, str]]:
    if not viewer.may(Right.EXPORT):
        return []
    names = ("tab", "q", "account", *FILTERS)
    query = QueryPairs.from_pairs([(name, request.GET.get(name, "")) for name in names])
    ocsf = f"{reverse('findings:export', args=[OCSF])}{query}".rstrip("?")
    return [*file_links("findings:export", query), ("Export OCSF", ocsf)]


@require(*SEES)
@require_safe
def findings_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export all findings that match the filters."""
    require_present(request)
    wanted, viewer = wanted_in(request), request.viewer
    rows = findings(viewer, wanted).select_related("account")
    page_after = partial(_export_page, rows)
    filters = {name: request.GET.get(name, "") for name in ("tab", "q", "account", *FILTERS)}
    columns = ("event",) if form == OCSF else COLUMNS
    return export_list(
        request,
        form,
        name="findings",
        columns=columns,
        filters=filters,
        page=reverse("findings:list"),
        rows=_export_rows(pages_of(page_after), viewer, form),
        others=(OCSF,),
    )


def _export_page(rows: Any, after: KeysetPlace | None) -> RowPage[AuditFinding]:
    return page(rows, order=WORST_FIRST, size=EXPORT_PAGE, after=after)


def _export_rows(
    pages: Iterator[Sequence[AuditFinding]], viewer: Viewer, form: str
) -> Iterator[Sequence[Any]]:
    """Yield the rows; in CSV, lists and facts are JSON text."""
    for rows in pages:
        owners = owners_of(rows)
        for finding in rows:
            yield _export_row(finding, owners.get(finding.pk, ""), viewer, form)


def _export_row(finding: AuditFinding, owner: str, viewer: Viewer, form: str) -> Sequence[Any]:
    values = values_of(finding)
    if not sees_whole(finding, viewer):
        evidence = {name: value for name, value in values["evidence"].items() if name in PLAIN}
        values |= {"evidence": evidence, "related": [], "fix": {"words": finding.fix.get("words", "")}}
    if form == OCSF:
        return [ocsf_of(finding, values, owner=owner)]
    if form == "csv":
        values |= {name: json.dumps(values[name], ensure_ascii=False) for name in NESTED}
    until = finding.accepted_until
    values |= {"owner": owner, "accepted_until": until.isoformat() if until else None}
    return [values[name] for name in COLUMNS]
