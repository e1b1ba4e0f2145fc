"""A role that is used, or a machine user with access keys, has no known owner."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import CREDENTIAL_REPORT, ROLES, USERS


class OwnerMissing(FindingRule):
    """Owners come from `iam.linking.known_owners` and have no history. Unused roles have a finding of their
    own.
    """

    kind = "owner-missing"
    severity = FindingSeverity.LOW
    title = "No owner known"
    sentence = "A role was used in the last 90 days, or a machine user has access keys, and no one owns it."
    risk = "No one can say what it is for, reviews it, or answers when it is misused."
    remedy = "Set an owner in Gatehouse, set an owning team, or tag it with Owner or Team in AWS."
    no_request = (
        "An owner is set in Gatehouse, on the page of the user or role, or beside the access key. Nothing "
        "changes in AWS."
    )
    sections = (ROLES, USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for entity in facts.needing_owner:
            if entity.id in facts.owned:
                continue
            credential = facts.credentials.get(entity.id)
            if credential is None:
                used_at = (facts.usage or {})[entity.id]
                yield RuleProblem(entity, {"last_used": used_at.isoformat()})
                continue
            with_owner = [key for key in credential.keys if key.entity in facts.owned]
            without_owner = credential.active_keys - len(with_owner)
            if without_owner > 0 and credential.has_password is None:
                yield NotRead(entity)
            elif without_owner > 0:
                yield RuleProblem(entity, {"active_keys": without_owner})
