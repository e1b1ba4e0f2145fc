"""Console password unused for 90 days."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.credential_fixes import delete_password
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.passwords import is_unused, unused_since
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import remove_password
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS


class PasswordUnused90Days(FindingRule):
    """A password that was never used counts from when it was set."""

    kind = "password-unused-90-days"
    severity = FindingSeverity.MEDIUM
    title = "Console password unused for 90 days"
    sentence = "An IAM user has a console password that was not used for more than 90 days."
    risk = "No one notices when someone else signs in with a password that its owner doesn’t use."
    remedy = "Remove the console password. It can be set again when it is needed."
    fix_request = FixRequest("Remove password", delete_password, is_plain=True)
    sections = (USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            since = unused_since(user, credential)
            if credential.has_password is None:
                yield NotRead(user)
            elif since is not None and is_unused(user, credential, facts, days=90):
                used_at = credential.password_used_at
                evidence = {
                    "last_used": used_at.isoformat() if used_at else None,
                    "days": (facts.now - since).days,
                }
                yield RuleProblem(user, evidence, fix=remove_password(user))
