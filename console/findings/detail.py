"""The page of a finding: risk, evidence, affected principals, fix, history, and acceptance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from console.findings.history import lines_of, short_name
from console.findings.presenters import evidence_of, fix_links, record_url, row_of, sees_whole
from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.audit_decisions import decision_in, say_decided
from console.web.form_fields import errors_by_field
from console.web.kept_text import keep_text
from console.web.moments import read_day_end, to_local
from console.web.render import render_page
from console.web.text import reads_as_stored
from iam.audit.approval_requests.requests import RequestState
from iam.audit.findings import acceptance
from iam.audit.findings.acceptance import AcceptanceError
from iam.audit.findings.affected import OTHER_THINGS, is_principal
from iam.audit.findings.approval_kind import ACCEPTANCE_REQUEST
from iam.audit.findings.models import AuditFinding, FindingAcceptance, FindingStatus
from iam.audit.findings.outdated_findings import behind_accounts
from iam.audit.findings.owners import owner_names
from iam.audit.findings.queries import visible_findings
from iam.audit.findings.rules import all_rules
from iam.directory.approval_words import waits_for_approval
from iam.guard import Right
from iam.linking.known_owners import leavers_tagged
from iam.mirror.models import Kind
from iam.mirror.queries.entities import entities_by_arn

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
MAX_AFFECTED: Final = 50
SUGGESTED: Final = timedelta(days=30)
KINDS: Final = tuple(Kind)


@require(*SEES)
@require_safe
def finding_page(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the finding."""
    return _page(request, visible_finding(request, pk))


def visible_finding(request: ViewerRequest, pk: int) -> AuditFinding:
    """Return the finding. Raises Http404 if the viewer can’t see it."""
    require_present(request)
    rows = visible_findings(request.viewer).select_related("account", "entity")
    return found_or_404(rows.filter(pk=pk).first())


def _page(
    request: ViewerRequest, finding: AuditFinding, *, errors: dict[str, str] | None = None
) -> HttpResponse:
    viewer = request.viewer
    rule = all_rules().get(finding.kind)
    waiting = _waiting(finding)
    is_single = settings.SINGLE_OPERATOR
    may_request = acceptance.may_request(viewer, finding)
    may_decide = waiting is not None and acceptance.may_decide(viewer, waiting, is_single=is_single)
    refusal = ""
    if waiting is not None and may_decide:
        refusal = ACCEPTANCE_REQUEST.why_not_approve(waiting, viewer, is_single=is_single)
    now = to_local(datetime.now(tz=UTC))
    context: dict[str, Any] = {
        "row": row_of(finding, viewer, behind=behind_accounts()),
        "finding": finding,
        "remedy": rule.remedy if rule else finding.fix.get("words", ""),
        "no_request": rule.no_request if rule else "",
        "fixes": fix_links(finding, viewer),
        "evidence": evidence_of(finding, viewer),
        "owners": owner_names([finding]).get(finding.pk, []),
        "owners_left": leavers_tagged(finding.entity) if finding.entity else [],
        "subject_url": _entity_url(finding.entity) or record_url(finding, viewer),
        "waiting": waiting,
        "may_accept": may_request and waiting is None and finding.status == FindingStatus.OPEN,
        "may_end": may_request and finding.status == FindingStatus.ACCEPTED,
        "may_decide": may_decide,
        "refusal_to_approve": refusal,
        "is_own_request": waiting is not None and waiting.requested_by == viewer.person_id,
        "errors": errors or {},
        "values": {
            "until": request.POST.get("until") or f"{now + SUGGESTED:%Y-%m-%d}",
            "reason": request.POST.get("reason", ""),
        },
        "earliest": f"{now + timedelta(days=1):%Y-%m-%d}",
        "latest": f"{now + acceptance.LONGEST - timedelta(days=1):%Y-%m-%d}",
        "section": "findings",
        **_affected(request, finding),
    }
    status = 422 if errors else 200
    return render_page(request, "findings/finding.html", context, status=status)


def _affected(request: ViewerRequest, finding: AuditFinding) -> dict[str, Any]:
    """Return up to fifty affected principals, the groups and policies that give them the access, and the
    history.

    Names are included only for viewers of the whole account, with links to pages that the viewer can open.
    """
    viewer = request.viewer
    sees_names = sees_whole(finding, viewer)
    arns = finding.related if sees_names else []
    through: list[str] = []
    if finding.affected and finding.kind not in OTHER_THINGS:
        through = [arn for arn in arns if not is_principal(arn)]
        arns = [arn for arn in arns if is_principal(arn)]
    shown = arns[:MAX_AFFECTED]
    events = list(finding.events.order_by("-at", "-pk"))
    named = set(chain.from_iterable(event.names for event in events)) if sees_names else set()
    known = entities_by_arn(
        viewer, arns={*shown, *through[:MAX_AFFECTED], *named}, kinds=KINDS, account=finding.account
    )
    names = {arn: _related_row(arn, known.get(arn)) for arn in named}
    return {
        "related": [_related_row(arn, known.get(arn)) for arn in shown],
        "through": [_related_row(arn, known.get(arn)) for arn in through[:MAX_AFFECTED]],
        "more_related": len(arns) - len(shown),
        "history": lines_of(finding, events, sees_names=sees_names, rows=names),
    }


def _related_row(arn: str, entity: Any) -> dict[str, str]:
    return {"arn": arn, "name": short_name(arn), "url": _entity_url(entity)}


PAGES: Final = {
    Kind.USER: "identities:person",
    Kind.GROUP: "identities:group",
    Kind.ROLE: "identities:role",
    Kind.POLICY: "identities:policy",
    Kind.INSTANCE_PROFILE: "identities:instance-profile",
    Kind.SAML_PROVIDER: "identities:provider",
    Kind.OIDC_PROVIDER: "identities:provider",
}


def _entity_url(entity: Any) -> str:
    """Return the address of an entity's page; "" if it has none."""
    name = PAGES.get(entity.kind) if entity is not None else None
    return reverse(name, args=[entity.pk]) if name else ""


@require(Right.REQUEST_CHANGE)
@require_POST
def accept(request: ViewerRequest, pk: int) -> HttpResponse:
    """Request to accept the finding until the end of a day."""
    finding = visible_finding(request, pk)
    reason = request.POST.get("reason", "").strip()
    if finding.status != FindingStatus.OPEN or _waiting(finding) is not None:
        # Somebody else was faster, and the form is gone.
        keep_text(request, reason)
        return _page(request, finding, errors={"form": "This finding can’t be accepted any longer."})
    until = read_day_end(request.POST.get("until", ""))
    problems = acceptance.problems_of(until, reason, now=datetime.now(tz=UTC))
    try:
        reads_as_stored(reason)
    except ValidationError as error:
        problems["reason"] = " ".join(error.messages)
    if until is None or problems:
        return _page(request, finding, errors=problems)
    try:
        acceptance.request_acceptance(
            finding, until=until, reason=reason, actor=request.viewer, now=datetime.now(tz=UTC)
        )
    except AcceptanceError as error:
        return _page(request, finding, errors=errors_by_field(error))
    messages.success(request, waits_for_approval("Acceptance requested"))
    return redirect("findings:finding", pk)


def _waiting(finding: AuditFinding) -> FindingAcceptance | None:
    """Return the request to accept the finding that waits for a decision."""
    waiting = FindingAcceptance.objects.filter(finding=finding, state=RequestState.REQUESTED).first()
    if waiting is not None:
        waiting.finding = finding
    return waiting


@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@require_POST
def decide_page(request: ViewerRequest, pk: int) -> HttpResponse:
    """Approve or decline the waiting request to accept the finding."""
    finding = visible_finding(request, pk)
    waiting = _waiting(finding)
    if waiting is None:
        messages.error(request, "There is nothing to approve any longer.")
        return redirect("findings:finding", pk)
    try:
        acceptance.decide(waiting, **decision_in(request))
    except AcceptanceError as error:
        return _page(request, finding, errors={"form": error.message})
    say_decided(request, approved="Accepted.", declined="Declined. The finding stays open.")
    return redirect("findings:finding", pk)


@require(Right.REQUEST_CHANGE)
@require_POST
def end_page(request: ViewerRequest, pk: int) -> HttpResponse:
    """Reopen an accepted finding."""
    finding = visible_finding(request, pk)
    try:
        acceptance.end(finding, actor=request.viewer, now=datetime.now(tz=UTC))
    except AcceptanceError as error:
        return _page(request, finding, errors={"form": error.message})
    messages.success(request, "The finding is open again.")
    return redirect("findings:finding", pk)
