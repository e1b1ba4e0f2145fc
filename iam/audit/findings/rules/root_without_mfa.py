"""The root user has no MFA."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import ROOT_IS_NOT_CHANGED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.people.fleet.roots import RootStanding


class RootWithoutMfa(FindingRule):
    """Accounts without root credentials are left out."""

    kind = "root-without-mfa"
    severity = FindingSeverity.CRITICAL
    title = "Root user without MFA"
    sentence = "The root user of the account has no MFA device."
    risk = "Anyone who learns the root password can do everything in the account, and no policy stops them."
    remedy = "Sign in as the root user and add a hardware MFA device or a security key."
    no_request = ROOT_IS_NOT_CHANGED
    sections = ()

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        root = facts.root
        if root is None or root.standing is RootStanding.UNREAD:
            yield NotRead(None)
        elif root.standing is RootStanding.NONE:
            yield RuleProblem(facts.root_user, {"mfa": False}, fix=FindingFix(page="roots"))
