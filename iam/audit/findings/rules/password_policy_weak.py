"""The password policy has weak requirements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iam.audit.findings.account_fixes import strong_passwords
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import ACCOUNT

NAME: Final = "password_policy"
LENGTH: Final = 12
REUSE: Final = 4
MAX_DAYS: Final = 365
"""With MFA, passwords need not expire after 90 days, but passwords that never expire are reported."""


class PasswordPolicyWeak(FindingRule):
    """PCI DSS v4.0.1 requires 12 characters, letters and digits, and forbids the last four passwords. Low if
    only the expiry is missing.
    """

    kind = "password-policy-weak"
    severity = FindingSeverity.MEDIUM
    title = "Weak password policy"
    sentence = "The password policy allows short or simple passwords, their reuse, or no expiry."
    risk = "Short and simple passwords are guessed, and old ones are used again."
    remedy = "Set 14 characters, letters and digits, and no reuse of the last 24."
    fix_request = FixRequest("Set password policy", strong_passwords)
    sections = (ACCOUNT,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        policy = facts.values.get(NAME)
        if policy is None:
            return
        weak = list(_weaknesses(policy))
        is_expiring = bool(policy.get("expires")) and (policy.get("maximum_age") or 0) <= MAX_DAYS
        expiry = [] if is_expiring else ["no expiry"]
        if weak or expiry:
            evidence = {"weak": [*weak, *expiry], "password_policy": policy}
            severity = None if weak else FindingSeverity.LOW
            yield RuleProblem(None, evidence, severity=severity, fix=FindingFix("password-rules"))


def _weaknesses(policy: Mapping[str, Any]) -> Iterator[str]:
    length = policy.get("minimum_length") or 0
    if length < LENGTH:
        yield f"{length} characters"
    if not policy.get("requires_numbers"):
        yield "no digits needed"
    if not (policy.get("requires_lowercase") or policy.get("requires_uppercase")):
        yield "no letters needed"
    reuse = policy.get("reuse_prevention") or 0
    if reuse < REUSE:
        yield f"the last {reuse} passwords can’t be reused" if reuse else "passwords can be reused"
