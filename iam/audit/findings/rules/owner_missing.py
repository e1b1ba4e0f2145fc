"""No owner is known of a role that is used, or of a machine user with access keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import CREDENTIAL_REPORT, ROLES, USERS

DAYS: Final = 90
RESERVED: Final = "/aws-reserved/"
"""The path of roles that IAM Identity Center makes."""


class OwnerMissing(FindingRule):
    """Owners are those of `iam.linking.known_owners`, which have no history. A role that nobody uses has its
    own finding.
    """

    kind = "owner-missing"
    severity = FindingSeverity.LOW
    title = "No owner known"
    sentence = "A role was used in the last 90 days, or a machine user has access keys, and no one owns it."
    risk = "No one can say what it is for, reviews it, or answers when it is misused."
    remedy = "Set an owner in Gatehouse, set an owning team, or tag it with Owner or Team in AWS."
    no_request = "An owner is set in Gatehouse, on the page of the user or role. Nothing changes in AWS."
    sections = (ROLES, USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        since = facts.days_ago(DAYS)
        for role in facts.roles:
            used_at = (facts.usage or {}).get(role.id)
            is_used = used_at is not None and used_at >= since
            if is_used and RESERVED not in role.arn and not _has_owner(facts, role):
                yield RuleProblem(role, {"last_used": used_at.isoformat() if used_at else None})
        for user, credential in facts.users:
            if not credential.active_keys or _has_owner(facts, user):
                continue
            if credential.has_password is None:
                yield NotRead(user)
            elif not credential.has_password:
                yield RuleProblem(user, {"active_keys": credential.active_keys})


def _has_owner(facts: AccountFacts, entity: EntityFact) -> bool:
    return entity.id in facts.owned
