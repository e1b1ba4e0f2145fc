"""Nothing that a user can do was done in 90 days."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.credential_fixes import end_sign_in
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import key_evidence
from iam.mirror.pull.sections import AUTHORIZATION

DAYS = 90


class ServicesUnused90Days(FindingRule):
    """By the successful calls that CloudTrail recorded: unknown where no trail covers the time. Only users
    who can sign in and hold something; a user younger than that had no time.
    """

    kind = "services-unused-90-days"
    severity = FindingSeverity.LOW
    title = "Access not used in 90 days"
    sentence = "An IAM user who can sign in has called no AWS service in 90 days, by CloudTrail."
    risk = "Access that no one uses still serves anyone who gets hold of its password or key."
    remedy = "Remove the password, deactivate the keys, and remove the permissions."
    fix_request = FixRequest("End sign-in", end_sign_in, is_plain=True)
    sections = AUTHORIZATION
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if facts.last_calls is None:
            yield NotRead(None)
            return
        for user, credential in facts.users:
            is_young = user.created_at is None or user.created_at > facts.days_ago(DAYS)
            if is_young or user.aws_id in facts.last_calls or not _holds_something(user.id, facts):
                continue
            if credential.has_password is None and not credential.keys:
                yield NotRead(user)
            elif credential.has_password or credential.keys:
                evidence = {
                    "days": DAYS,
                    "password": bool(credential.has_password),
                    "keys": [key_evidence(key) for key in credential.keys],
                }
                yield RuleProblem(user, evidence)


def _holds_something(number: int, facts: AccountFacts) -> bool:
    """Whether any policy gives the user anything, of its own or by a group."""
    holders = [number, *facts.groups_of.get(number, ())]
    return any(facts.attached.get(holder) or facts.inline.get(holder) for holder in holders)
