"""Pages of assertions: the list, and an assertion with the principals that break it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from console.access.circumstances import ANY
from console.findings.assertion_text import (
    allowed_words,
    differences,
    lines_of,
    scope_words,
    unmatched_words,
)
from console.findings.history import FindingHistoryLine
from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.address_choices import choice
from console.web.context import frame_of
from console.web.render import render_page
from iam.audit.assertions import proposals
from iam.audit.assertions.approval_kind import ASSERTION_REQUEST
from iam.audit.assertions.models import (
    AssertionAct,
    AssertionEventKind,
    AssertionProposal,
    AssertionResult,
    AssertionState,
    AssertionStatus,
    StandingAssertion,
)
from iam.audit.assertions.queries import (
    SHOWN,
    is_visible,
    results_of,
    visible_assertions,
    waiting_proposal,
)
from iam.audit.assertions.terms import AssertionTerms
from iam.audit.assertions.unmatched import unmatched
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Kind
from iam.mirror.queries.entities import entities_by_arn

TONES: Final = {AssertionState.HELD: "ok", AssertionState.BROKEN: "bad", AssertionState.UNKNOWN: "warn"}
EVENT_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    AssertionEventKind.REQUESTED: ("clock", ""),
    AssertionEventKind.APPROVED: ("shield-check", ""),
    AssertionEventKind.DECLINED: ("x", ""),
    AssertionEventKind.HELD: ("check", "ok"),
    AssertionEventKind.BROKEN: ("triangle-alert", "bad"),
    AssertionEventKind.UNKNOWN: ("circle-help", "warn"),
}
ACT_WORDS: Final[Mapping[str, str]] = {
    AssertionAct.CREATE: "to create it",
    AssertionAct.CHANGE: "to change it",
    AssertionAct.RETIRE: "to retire it",
}
PAGES: Final = {Kind.USER: "identities:person", Kind.ROLE: "identities:role"}
MAX_BREAKERS: Final = 200
UNASSUMED: Final = dict.fromkeys(("mfa", "region", "time", "owner"), ANY)
"""“Who can” then assumes nothing, as the check of an assertion."""


@dataclass(frozen=True, slots=True)
class AssertionRow:
    """A row of the list; `state` is "" if the assertion isn’t checked."""

    assertion: StandingAssertion
    allowed: str
    actions: str
    scope: str
    state: str
    tone: str
    breakers: int

    @property
    def breakers_words(self) -> str:
        """The number of principals that break it, in words."""
        if self.breakers == 1:
            return "1 IAM user or role breaks it"
        return f"{self.breakers:,} IAM users and roles break it"


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """A principal that breaks an assertion; `explain` links to “Who can”."""

    name: str
    arn: str
    url: str
    account: str
    action: str
    resource: str
    source: str
    is_sure: bool
    explain: str


ENDED_TAB: Final = "ended"
TABS: Final = (("", "Active"), (ENDED_TAB, "Retired and declined"))


@require(Right.SEE_ACCOUNT)
@require_safe
def assertions_page(request: ViewerRequest) -> HttpResponse:
    """List the assertions, broken ones first."""
    require_present(request)
    viewer, tab = request.viewer, choice(request, "tab", dict(TABS))
    names = account_names()
    assertions = visible_assertions(viewer, is_ended=tab == ENDED_TAB, account=frame_of(request).chosen)
    context: dict[str, Any] = {
        "rows": [_row(assertion, viewer, names) for assertion in assertions],
        "tab": tab,
        "tabs": TABS,
        "may_request": viewer.may(Right.REQUEST_CHANGE),
        "section": "findings",
    }
    return render_page(request, "findings/assertions.html", context)


def account_names() -> dict[str, str]:
    """Return the names of connected accounts by ID."""
    return dict(Account.objects.filter(removed_at__isnull=True).values_list("account_id", "name"))


def _row(assertion: StandingAssertion, viewer: Viewer, names: dict[str, str]) -> AssertionRow:
    terms = AssertionTerms.from_json(assertion.terms)
    state, tone = state_of(assertion)
    breakers = 0
    if state:
        breakers = sum(len(result.breaches) for result in results_of(viewer, assertion).results)
    return AssertionRow(
        assertion,
        allowed_words(terms),
        ", ".join(terms.actions),
        scope_words(terms, names),
        state or assertion.get_status_display(),
        tone,
        breakers,
    )


def state_of(assertion: StandingAssertion) -> tuple[str, str]:
    """Return (text, tone) of the last check of an active assertion; ("", "") for others."""
    if assertion.status != AssertionStatus.ACTIVE:
        return "", "info" if assertion.status == AssertionStatus.REQUESTED else ""
    state = AssertionState(assertion.state)
    return str(state.label), TONES[state]


def assertion_or_404(request: ViewerRequest, pk: UUID) -> StandingAssertion:
    """Return the assertion. Raises Http404 unless the viewer sees one of its accounts."""
    require_present(request)
    assertion = found_or_404(StandingAssertion.objects.filter(pk=pk).first())
    if not is_visible(request.viewer, assertion):
        raise Http404
    return assertion


@require(Right.SEE_ACCOUNT)
@require_safe
def assertion_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show an assertion."""
    return shown(request, assertion_or_404(request, pk))


def shown(
    request: ViewerRequest,
    assertion: StandingAssertion,
    *,
    errors: dict[str, str] | None = None,
    reason: str = "",
) -> HttpResponse:
    """Render the page of an assertion."""
    viewer, names = request.viewer, account_names()
    terms = AssertionTerms.from_json(assertion.terms)
    visible = results_of(viewer, assertion)
    waiting = waiting_proposal(assertion)
    is_active = assertion.status == AssertionStatus.ACTIVE
    may_request = is_active and waiting is None and proposals.may_request(viewer, terms)
    is_single = settings.SINGLE_OPERATOR
    may_decide = waiting is not None and proposals.may_decide(viewer, waiting, is_single=is_single)
    refusal = ""
    if waiting is not None and may_decide:
        refusal = ASSERTION_REQUEST.why_not_approve(waiting, viewer, is_single=is_single)
    breakers = list(_breakers(request, assertion, visible.results)) if is_active else []
    state, tone = state_of(assertion)
    context: dict[str, Any] = {
        "assertion": assertion,
        "state": state,
        "tone": tone,
        "lines": lines_of(terms, names),
        "unmatched": _unmatched(viewer, terms) if assertion.status in SHOWN else [],
        "breakers": breakers[:MAX_BREAKERS],
        "more_breakers": max(0, len(breakers) - MAX_BREAKERS),
        "unread": _unread(visible.results),
        "hidden": visible.hidden,
        "is_broken_elsewhere": visible.is_broken_elsewhere,
        "missing": [number for number in terms.accounts if number not in names],
        "history": _history(assertion),
        "waiting": waiting,
        "waiting_words": ACT_WORDS[waiting.act] if waiting else "",
        "waiting_lines": _waiting_lines(waiting, terms, names) if waiting else [],
        "waiting_unmatched": _unmatched_in_change(viewer, waiting, terms) if waiting else [],
        "may_request": may_request,
        "may_decide": may_decide,
        "refusal_to_approve": refusal,
        "is_own_request": waiting is not None and waiting.requested_by == viewer.person_id,
        "errors": errors or {},
        "reason": reason,
        "section": "findings",
    }
    status = 422 if errors else 200
    return render_page(request, "findings/assertion.html", context, status=status)


def _unmatched(viewer: Viewer, terms: AssertionTerms) -> list[str]:
    """Return warnings about allowed entries that match no one."""
    return list(unmatched_words(unmatched(viewer, terms), terms, viewer).values())


def _unmatched_in_change(viewer: Viewer, waiting: AssertionProposal, terms: AssertionTerms) -> list[str]:
    """Return the warnings about the terms that a change requests, unless they stay the same."""
    new = AssertionTerms.from_json(waiting.terms)
    return _unmatched(viewer, new) if waiting.act == AssertionAct.CHANGE and new != terms else []


def _history(assertion: StandingAssertion) -> list[FindingHistoryLine]:
    events = assertion.events.order_by("-at", "-pk")
    return [FindingHistoryLine(event, *EVENT_MARKS[event.kind]) for event in events]


def _waiting_lines(waiting: Any, terms: AssertionTerms, names: dict[str, str]) -> list[tuple[str, str, str]]:
    changes = list(differences(terms, AssertionTerms.from_json(waiting.terms), names))
    for label, old, new in (
        ("Name", waiting.assertion.name, waiting.name),
        ("Owner", waiting.assertion.owner, waiting.owner),
    ):
        if old != new:
            changes.append((label, old or "Not set", new or "Not set"))
    return changes


def _unread(results: list[AssertionResult]) -> list[tuple[str, str]]:
    """Return (account, text) of what was not synced."""
    clauses: list[tuple[str, str]] = []
    for result in results:
        clauses.extend((result.account.name, clause) for clause in result.unread)
    return clauses


def _breakers(
    request: ViewerRequest, assertion: StandingAssertion, results: list[AssertionResult]
) -> Iterator[BreakerRow]:
    breaches = chain.from_iterable(result.breaches for result in results)
    arns = {breach["arn"] for breach in breaches}
    known = entities_by_arn(request.viewer, arns=arns, kinds=tuple(PAGES))
    for result in results:
        for breach in result.breaches:
            entity = known.get(breach["arn"])
            asked = {"action": breach["action"], "resource": breach["resource"]}
            query = urlencode(asked | UNASSUMED | {"assertion": assertion.pk})
            place = f", {breach['statement']}" if breach["statement"] else ""
            source = f"{breach['policy']}{place}" if breach["policy"] else ""
            url = reverse(PAGES[Kind(entity.kind)], args=[entity.pk]) if entity else ""
            yield BreakerRow(
                name=breach["arn"].rpartition("/")[2],
                arn=breach["arn"],
                url=url,
                account=result.account.name,
                action=breach["action"],
                resource=breach["resource"],
                source=source,
                is_sure=breach["is_sure"],
                explain=f"{reverse('access:who-can')}?{query}",
            )
