"""A user has not used any of their permissions for 90 days."""

from __future__ import annotations

from collections.abc import Iterator

from iam.activity.sources.covered_accounts import MAY_MISS
from iam.audit.findings.credential_fixes import end_sign_in
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import key_evidence
from iam.mirror.pull.sections import AUTHORIZATION

DAYS = 90


class ServicesUnused90Days(FindingRule):
    """Based on the successful calls that CloudTrail recorded or, if events of the period may be missing, on
    IAM's report of last accessed services. Conditional if there is no report either, but events reach from
    the beginning of the period to its end; unknown if they don't. Covers users who can sign in and have a
    policy; users created in the last 90 days are left out.
    """

    kind = "services-unused-90-days"
    severity = FindingSeverity.LOW
    title = "Access not used in 90 days"
    sentence = "An IAM user who can sign in has called no AWS service in 90 days, by CloudTrail or IAM."
    risk = "Access that no one uses still serves anyone who gets hold of its password or key."
    remedy = "Remove the password, deactivate the keys, and remove the permissions."
    fix_request = FixRequest("End sign-in", end_sign_in, is_plain=True)
    sections = AUTHORIZATION
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        young_since = facts.days_ago(DAYS)
        holders = facts.attached.keys() | facts.inline.keys()
        for user, credential in facts.users:
            is_young = user.created_at is None or user.created_at > young_since
            cannot_sign_in = credential.has_password is False and not credential.keys
            if is_young or cannot_sign_in or holders.isdisjoint([user.id, *facts.groups_of.get(user.id, ())]):
                continue
            is_used = _is_used(user, facts)
            if is_used:
                continue
            is_unread = credential.has_password is None and not credential.keys
            if is_used is None or is_unread:
                yield NotRead(user)
            elif credential.has_password or credential.keys:
                evidence = {
                    "days": DAYS,
                    "password": bool(credential.has_password),
                    "keys": [key_evidence(key) for key in credential.keys],
                    **_source(user, facts),
                }
                yield RuleProblem(user, evidence, reasons=_reasons(user, facts))


def _is_used(user: EntityFact, facts: AccountFacts) -> bool | None:
    """Return True if a user called AWS in the last 90 days; None if neither CloudTrail nor IAM knows."""
    calls = facts.last_calls
    if calls is not None and user.aws_id in calls.last_at:
        return True
    if user.id in facts.services:
        used_at = facts.services[user.id].used_at
        return used_at is not None and used_at > facts.days_ago(DAYS)
    return None if calls is None else False


def _source(user: EntityFact, facts: AccountFacts) -> dict[str, str]:
    """Return the source of the data, if it is not CloudTrail."""
    if user.id not in facts.services:
        return {}
    read_at = facts.services[user.id].read_at
    return {"source": "IAM’s report of when services were last used", "read": read_at.isoformat()}


def _reasons(user: EntityFact, facts: AccountFacts) -> tuple[str, ...]:
    """Return why the user may have called AWS without Gatehouse's knowledge."""
    is_certain = user.id in facts.services or facts.last_calls is None or facts.last_calls.is_complete
    return () if is_certain else (MAY_MISS,)
