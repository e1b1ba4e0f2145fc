"""Creates the assertions of the sample organization: requested by one person, approved by another."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.samples import viewer_of
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.proposals import AssertionDraft, decide, request_creation
from iam.audit.assertions.queries import waiting_proposal
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms

REQUESTER: Final = "ines.duarte"
APPROVER: Final = "hana.sato"
GUARDED: Final = tuple(ACCOUNT_IDS[name] for name in ("management", "production", "data", "staging"))


def _role(name: str) -> AllowedPrincipal:
    return AllowedPrincipal(AllowedKind.ROLE, name)


def _user(name: str) -> AllowedPrincipal:
    return AllowedPrincipal(AllowedKind.USER, name)


DRAFTS: Final = (
    AssertionDraft(
        "No one stops CloudTrail outside the sandbox",
        "The trail is the evidence of every audit.",
        AssertionTerms(("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"), ("*",), (), GUARDED),
        owner="Security",
    ),
    AssertionDraft(
        "Only terraform-org closes accounts or leaves the organization",
        "Accounts are made and closed by the pipeline of the platform team.",
        AssertionTerms(
            ("organizations:LeaveOrganization", "account:CloseAccount"), ("*",), (_user("terraform-org"),)
        ),
        owner="Platform",
    ),
    AssertionDraft(
        "Only the platform team creates IAM users in production",
        "Onboarding creates everyone else. The roles are for emergencies and for Gatehouse itself.",
        AssertionTerms(
            ("iam:CreateUser", "iam:CreateLoginProfile"),
            ("*",),
            (
                _role("OrganizationAccountAccessRole"),
                _role("break-glass"),
                _role("gatehouse-writer"),
                _role("sso-administrator"),
                _user("greta.sundberg"),
                _user("ines.duarte"),
                _user("maya.okafor"),
                _user("thabo.mokoena"),
            ),
            (ACCOUNT_IDS["production"],),
        ),
        owner="Platform",
    ),
)


def write_assertions() -> None:
    """Create the assertions that don’t exist yet."""
    requester, approver = viewer_of(REQUESTER), viewer_of(APPROVER)
    if requester is None or approver is None or StandingAssertion.objects.exists():
        return
    now = timezone.now()
    for draft in DRAFTS:
        assertion = request_creation(draft, actor=requester, now=now)
        proposal = waiting_proposal(assertion)
        if proposal is not None:
            decide(proposal, is_approved=True, actor=approver, now=now)
