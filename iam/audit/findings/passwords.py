"""The base of rules about unused console passwords."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from iam.audit.findings.credential_fixes import delete_password
from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.rule import NotRead, RuleProblem
from iam.audit.findings.user_keys import remove_password
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS


class UnusedPasswordRule(CredentialRule):
    """A console password was not used for `days`; with `most`, not for longer than that."""

    days: ClassVar[int]
    most: ClassVar[int] = 0
    risk = "No one notices when someone else signs in with a password that its owner doesn’t use."
    remedy = "Remove the console password. It can be set again when it is needed."
    fix_request = FixRequest("Remove password", delete_password, is_plain=True)
    sections = (USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        since = unused_since(user, credential)
        if credential.has_password is None:
            yield NotRead(user)
        elif since is not None and is_unused(user, credential, now, days=self.days, most=self.most):
            used_at = credential.password_used_at
            evidence = {
                "last_used": used_at.isoformat() if used_at else None,
                "days": (now - since).days,
            }
            yield RuleProblem(user, evidence, fix=remove_password(user))


def unused_since(user: EntityFact, credential: CredentialFact) -> datetime | None:
    """Since when a console password is unused: the last sign-in, else when the password was set or the user
    created.
    """
    if not credential.has_password:
        return None
    return credential.password_used_at or credential.password_changed_at or user.created_at


def is_unused(
    user: EntityFact, credential: CredentialFact, now: datetime, *, days: int, most: int = 0
) -> bool:
    """True if it was not used for `days`; with `most`, not for longer than that."""
    since = unused_since(user, credential)
    if since is None or since >= now - timedelta(days=days):
        return False
    return not most or since >= now - timedelta(days=most)
