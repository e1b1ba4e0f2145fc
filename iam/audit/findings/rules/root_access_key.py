"""The root user has an access key."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import ROOT_IS_NOT_CHANGED, FindingFix, FindingRule, NotRead, RuleProblem


class RootAccessKey(FindingRule):
    """Counts active keys if the credential report was synced, otherwise the keys in the account summary."""

    kind = "root-access-key"
    severity = FindingSeverity.CRITICAL
    title = "Root user with an access key"
    sentence = "The root user of the account has an access key."
    risk = "Anyone who has this key can do everything in the account, and no policy stops them."
    remedy = "Move what uses the key to a role, then sign in as the root user and delete the key."
    no_request = ROOT_IS_NOT_CHANGED
    sections = ()

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        root = facts.root
        if root is None or root.keys is None:
            yield NotRead(None)
        elif root.keys:
            yield RuleProblem(facts.root_user, {"keys": root.keys}, fix=FindingFix(page="root-keys"))
