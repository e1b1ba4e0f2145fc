"""The root user has a virtual MFA device."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import ROOT_IS_NOT_CHANGED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import MFA_DEVICES
from iam.people.fleet.roots import RootStanding


class RootMfaNotHardware(FindingRule):
    """AWS lists virtual devices with their users. A root user with MFA but without a virtual device has
    hardware MFA.
    """

    kind = "root-mfa-not-hardware"
    severity = FindingSeverity.MEDIUM
    title = "Root user with a virtual MFA device"
    sentence = "The root user has MFA, but by a virtual device instead of hardware or a security key."
    risk = "The seed of a virtual device can be copied, and its codes can be phished."
    remedy = "Sign in as the root user, add a security key or a hardware device, then remove the virtual one."
    no_request = ROOT_IS_NOT_CHANGED
    sections = (MFA_DEVICES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        root = facts.root
        if root is None or root.standing is RootStanding.UNREAD:
            yield NotRead(None)
        elif root.standing is RootStanding.ON and facts.is_root_mfa_virtual:
            yield RuleProblem(facts.root_user, {"device": "virtual"}, fix=FindingFix(page="roots"))
