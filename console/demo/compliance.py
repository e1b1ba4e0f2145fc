"""Creates sample decisions about requirements: a scope, attestations, an exception, a compensating control,
and waiting requests.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.samples import viewer_of
from iam.audit.frameworks.decisions import DecisionDraft, DecisionRefusedError, answer, decide
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.judgement import NEEDS_APPROVAL, DecisionKind
from iam.audit.frameworks.models import ComplianceScope, FrameworkAssessment, RequirementDecision
from iam.audit.frameworks.scopes import save_scope
from iam.audit.frameworks.terms import ScopeTerms
from iam.guard import Viewer
from iam.mirror.queries.accounts import connected_accounts

PCI: Final = "pci-dss-4.0.1"
CARDS: Final = ScopeTerms(
    accounts=(ACCOUNT_IDS["production"],),
    tags=(("Team", "payments"), ("Team", "platform")),
    paths=("/workloads/", "/pods/"),
    resources=("arn:aws:s3:::lake-clean", "arn:aws:s3:::lake-raw"),
)
REQUESTER: Final = "ines.duarte"
APPROVER: Final = "hana.sato"
MET, NOT_MET, EXCEPTION = DecisionKind.MET, DecisionKind.NOT_MET, DecisionKind.EXCEPTION
DECISIONS: Final = (
    ("8.2.8", MET, 150, "Laptops lock after 10 minutes by the device policy; checked on 20 devices.", True),
    ("8.3.2", MET, 300, "AWS’s attestation of compliance of this year, read on AWS Artifact.", True),
    ("8.3.4", MET, 150, "The identity provider locks an account for 30 minutes after 6 attempts.", True),
    ("10.5.1", MET, 150, "The log archive keeps 400 days; opened a log file of January.", True),
    ("10.2.1.3", NOT_MET, 60, "Data events of the trail’s bucket are off until ticket SEC-311.", True),
    ("8.2.2", EXCEPTION, 45, "The shared user of the warehouse terminals, until January.", True),
    ("8.5.1", EXCEPTION, 30, "The MFA campaign of December attaches the policy to everyone.", False),
    ("8.6.3", DecisionKind.COMPENSATING, 90, "Old keys work from one network only, and are watched.", True),
)
"""(requirement, type, validity in days, reason, whether it was approved)."""


def write_decisions() -> int:
    """Create the sample decisions once every account is judged, if there are none. Returns their number."""
    if not settings.EMBEDDED or ComplianceScope.objects.exists() or RequirementDecision.objects.exists():
        return 0
    framework = all_frameworks().get(PCI)
    requester, approver = viewer_of(REQUESTER), viewer_of(APPROVER)
    if framework is None or requester is None or approver is None:
        return 0
    judged = FrameworkAssessment.objects.filter(
        framework=PCI, scope=None, account__isnull=False, moment=None
    ).count()
    if judged < len(connected_accounts()) or not judged:
        return 0
    now = timezone.now()
    # All or none: a decision of somebody else ends these attempts, and a worker can be stopped between two.
    with transaction.atomic():
        save_scope(None, name="Cardholder data environment", terms=CARDS, actor=requester, now=now)
        return sum(_decide(row, requester, approver) for row in DECISIONS)


def _decide(row: tuple[str, DecisionKind, int, str, bool], requester: Viewer, approver: Viewer) -> bool:
    number, kind, days, reason, is_approved = row
    framework = all_frameworks()[PCI]
    requirement = framework.requirement(number)
    now = timezone.now()
    draft = DecisionDraft(kind, reason, now + timedelta(days=days))
    if requirement is None:
        return False
    try:
        decision = decide(framework, requirement, None, draft, actor=requester, now=now)
        if kind in NEEDS_APPROVAL and is_approved:
            answer(decision, framework, is_approved=True, actor=approver, now=now)
    except DecisionRefusedError:
        # A requirement that passes meanwhile needs no exception.
        return False
    return True
