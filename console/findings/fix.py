"""Requests the prepared fix of a finding, with its receipt."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from django.urls import reverse

from console.changes.actions.form import ActionForm
from console.changes.request_draft import PageLink, RequestDraft, RequestFact, RequestFrame
from console.findings.detail import visible_finding
from console.findings.presenters import fix_request_of
from console.web.access import ViewerRequest
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.audit.findings.rules import all_rules
from iam.changes.operations import Operation
from iam.guard import Right


class FindingFixDraft(RequestDraft):
    """The request that a rule has prepared for its findings."""

    rights = (Right.REQUEST_CHANGE,)

    @classmethod
    def opened(cls, request: ViewerRequest, **named: str) -> FindingFixDraft:
        """Create the draft for a finding. Raises Http404 if it has no prepared fix or is fixed."""
        finding = visible_finding(request, int(named["pk"]))
        ready = fix_request_of(finding, request.viewer)
        may_request = request.viewer.may(Right.REQUEST_CHANGE, account_id=finding.account.account_id)
        if ready is None or finding.status == FindingStatus.FIXED or not may_request:
            raise Http404
        return cls(request, finding, ready)

    def __init__(self, request: ViewerRequest, finding: AuditFinding, fix: FixRequest) -> None:
        super().__init__(request, ActionForm((), finding.account, viewer=request.viewer, data=request.POST))
        self.finding = finding
        self.fix = fix

    @property
    def title(self) -> str:
        """The title of the request."""
        return f"{self.fix.label}: {self.finding.name}"

    def operations(self, key: str) -> list[Operation]:
        """Return the operations of the fix in the account's current state. Raises RefusedError."""
        return list(self.fix.build(self.finding))

    def frame(self, operations: Sequence[Operation]) -> RequestFrame:
        """Return the page frame with the finding."""
        finding = self.finding
        page = PageLink(finding.name, reverse("findings:finding", args=[finding.pk]))
        title = operations[0].title if len(operations) == 1 else self.title
        return RequestFrame(
            title=title,
            crumbs=[PageLink("Findings", reverse("findings:list")), page, PageLink(self.fix.label)],
            leads_to=[page],
            account=finding.account,
            facts=[RequestFact("Closes", all_rules()[finding.kind].title, page.url)],
            section="findings",
            effect_title="What it does",
            address=reverse("findings:fix", args=[finding.pk]),
            more={},
        )
