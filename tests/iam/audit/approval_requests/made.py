"""Requests of each kind about some accounts, and the service that decides about each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from iam.audit.assertions import proposals
from iam.audit.assertions.models import AssertionProposal, StandingAssertion
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.audit.findings import acceptance
from iam.audit.findings.models import AuditFinding, FindingAcceptance
from iam.audit.frameworks import decisions
from iam.audit.frameworks.models import ComplianceScope, RequirementDecision
from iam.audit.frameworks.terms import ScopeTerms
from iam.audit.reviews import rule_requests
from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import ReviewCampaign, SodRule
from iam.audit.reviews.sign_off import why_not_acknowledge
from iam.audit.reviews.terms import ReviewTerms
from iam.audit.source_requests import requests
from iam.audit.source_requests.models import SourceRequest
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.people.runs.models import RunState

NOW = datetime.now(tz=UTC)
UNTIL = NOW + timedelta(days=30)


def _asked(by: Viewer) -> dict[str, Any]:
    return {"requested_by": by.person_id, "requested_name": by.name, "requested_at": NOW}


def _requirement(numbers: Sequence[str], by: Viewer) -> RequirementDecision:
    scope = None
    if numbers:
        terms = ScopeTerms(accounts=tuple(numbers)).to_json()
        name = f"Scope {'-'.join(numbers)}"
        scope = ComplianceScope.objects.create(
            slug=name.lower().replace(" ", "-"), name=name, terms=terms, changed_by="x", changed_at=NOW
        )
    return RequirementDecision.objects.create(
        framework="pci-dss-4.0.1", requirement="8.2.2", scope=scope, kind="exception", state="requested",
        reason="Two people share it.", until=UNTIL, **_asked(by),
    )  # fmt: skip


def _acceptance(numbers: Sequence[str], by: Viewer) -> FindingAcceptance:
    account = Account.objects.get(account_id=numbers[0])
    finding = AuditFinding.objects.create(
        key=f"key-{numbers[0]}", kind="password-without-mfa", account=account,
        subject="arn", name="tomas", severity=1, certainty="confirmed", place="1",
        first_seen=NOW, last_seen=NOW, changed_at=NOW,
    )  # fmt: skip
    return FindingAcceptance.objects.create(finding=finding, until=UNTIL, reason="Test user", **_asked(by))


def _assertion(numbers: Sequence[str], by: Viewer) -> AssertionProposal:
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed, accounts=tuple(numbers)).to_json()
    name = f"Users {numbers}"
    assertion = StandingAssertion.objects.create(name=name, reason="x", terms=terms, created_at=NOW)
    return AssertionProposal.objects.create(
        assertion=assertion, act="create", name=name, terms=terms, reason="Only break-glass", **_asked(by)
    )


def _duties(numbers: Sequence[str], by: Viewer) -> SodRule:
    terms = SodTerms(("iam:CreateUser",), ("iam:AttachUserPolicy",), tuple(numbers)).to_json()
    return SodRule.objects.create(
        name=f"Rule {numbers}", reason="Four eyes", terms=terms, created_at=NOW, **_asked(by)
    )


def _sign_off(numbers: Sequence[str], by: Viewer) -> ReviewCampaign:
    return ReviewCampaign.objects.create(
        name=f"Review {numbers}", reason="7.2.4", terms=ReviewTerms(accounts=tuple(numbers)).to_json(),
        owner_id=by.person_id, reviewer_id=by.person_id, second_reviewer_id=by.person_id, due_at=UNTIL,
        state=RunState.WAITING, requested_by=by.person_id, requested_label=by.name,
        signed_by=by.person_id, signed_name=by.name, signed_at=NOW,
    )  # fmt: skip


def _trail_source(_numbers: Sequence[str], by: Viewer) -> SourceRequest:
    return SourceRequest.objects.create(act="add", name="s3://trails/", reason="New trail", **_asked(by))


MAKERS = {
    "requirement": _requirement,
    "acceptance": _acceptance,
    "assertion": _assertion,
    "duties": _duties,
    "sign-off": _sign_off,
    "trail-source": _trail_source,
}
SERVICES = {
    "requirement": lambda row, viewer, single: decisions.may_approve(viewer, row, is_single=single),
    "acceptance": lambda row, viewer, single: acceptance.may_decide(viewer, row, is_single=single),
    "assertion": lambda row, viewer, single: proposals.may_decide(viewer, row, is_single=single),
    "duties": lambda row, viewer, single: rule_requests.may_decide(viewer, row, is_single=single),
    "sign-off": lambda row, viewer, single: not why_not_acknowledge(row, viewer),
    "trail-source": lambda row, viewer, single: requests.may_decide(viewer, row, is_single=single),
}


def decide(row: Any, viewer: Viewer, *, is_approved: bool, at: datetime = NOW) -> None:
    """The row as it is after somebody has decided about it."""
    who = {"decided_by": viewer.person_id, "decided_name": viewer.name, "decided_at": at}
    state = "approved" if is_approved else "declined"
    if isinstance(row, ReviewCampaign):
        state = RunState.DONE if is_approved else RunState.RUNNING
        act = "acknowledged" if is_approved else "returned"
        who = {f"{act}_by": viewer.person_id, f"{act}_name": viewer.name, f"{act}_at": at}
    if isinstance(row, RequirementDecision) and is_approved:
        state = "in-force"
    if isinstance(row, SodRule):
        type(row).objects.filter(pk=row.pk).update(status="active" if is_approved else "declined", **who)
    else:
        type(row).objects.filter(pk=row.pk).update(state=state, **who)
