"""Requests about requirements (exception, compensating control, not applicable) as a kind of audit
request.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from iam.audit.approval_requests.kinds import RequestKind, in_own_interest, waiting_rows, within_terms
from iam.audit.findings.models import AuditFinding
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.judgement import DECISION_LABELS
from iam.audit.frameworks.models import DecisionState, RequirementDecision
from iam.mirror.models import Entity
from iam.notify.pages import MessagePage, path_of

MAX_COVERED: Final = 900


def _accounts(decision: RequirementDecision) -> Collection[str]:
    return decision.scope.terms["accounts"] if decision.scope else ()


def _title(decision: RequirementDecision) -> str:
    framework = all_frameworks().get(decision.framework)
    standard = framework.title if framework else decision.framework
    words = f"{DECISION_LABELS[decision.kind]}: {standard} {decision.requirement}"
    return f"{words}, {decision.scope.name}" if decision.scope else words


def _path(decision: RequirementDecision) -> str:
    path = path_of(MessagePage.REQUIREMENT, decision.framework, decision.requirement)
    return f"{path}?scope={decision.scope.slug}" if decision.scope else path


def _outcome(decision: RequirementDecision) -> tuple[str, str]:
    return ("Declined", "bad") if decision.state == DecisionState.DECLINED else ("Approved", "ok")


def _own_interest(decision: RequirementDecision, own: Sequence[Entity]) -> str:
    """Return why the viewer can't approve: the exception covers their own user or role. "" if they can.

    `covers` has keys of findings, and ARNs after the name of a check.
    """
    covered = {key.partition(":")[2] for key in decision.covers}
    findings = AuditFinding.objects.filter(key__in=decision.covers[:MAX_COVERED])
    for subject, related in findings.values_list("subject", "related"):
        covered.update((subject, *related))
    for entity in own:
        if entity.arn in covered:
            return in_own_interest(entity, "the exception covers it")
    return ""


REQUIREMENT_REQUEST: Final[RequestKind[RequirementDecision]] = RequestKind(
    name="requirement",
    label="Compliance",
    waiting=waiting_rows(RequirementDecision, "scope"),
    within=within_terms(("scope", "scope__terms")),
    accounts_of=_accounts,
    title=_title,
    path=_path,
    decided=lambda: RequirementDecision.objects.filter(decided_at__isnull=False).select_related("scope"),
    outcome=_outcome,
    own_interest=_own_interest,
)
