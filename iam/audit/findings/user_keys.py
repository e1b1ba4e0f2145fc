"""The base of rules about access keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from iam.audit.findings.credential_fixes import deactivate_keys
from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact, KeyFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.rule import FindingFix, NotRead, RuleProblem
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS


class UnusedKeyRule(CredentialRule):
    """Active keys were not used for `days`; with `most`, not for longer than that."""

    days: ClassVar[int]
    most: ClassVar[int] = 0
    risk = "A key that no one needs any more still works for anyone who finds it."
    remedy = "Deactivate the key, and delete it when nothing has failed for some days."
    fix_request = FixRequest("Deactivate keys", deactivate_keys, is_plain=True)
    sections = (USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        if keys_are_unread(credential):
            yield NotRead(user)
        elif keys := unused_keys(credential, now, days=self.days, most=self.most):
            evidence = {"keys": [key_evidence(key) for key in keys]}
            yield RuleProblem(user, evidence, fix=deactivate(user, keys))


def keys_are_unread(credential: CredentialFact) -> bool:
    """True if a user's keys are unknown: neither a credential report nor the keys themselves are synced."""
    return credential.has_password is None and not credential.keys and not credential.active_keys


def key_evidence(key: KeyFact) -> dict[str, Any]:
    """A key in the form for evidence."""
    return {
        "key": key.label,
        "created": key.created_at.isoformat() if key.created_at else None,
        "last_used": key.used_at.isoformat() if key.used_at else None,
    }


def unused_keys(credential: CredentialFact, now: datetime, *, days: int, most: int = 0) -> list[KeyFact]:
    """Active keys that were used before but not for `days`; with `most`, not for longer than that."""
    since, before = now - timedelta(days=days), now - timedelta(days=most)
    return [
        key
        for key in credential.keys
        if key.used_at is not None and key.used_at < since and (not most or key.used_at >= before)
    ]


def deactivate(user: EntityFact, keys: Sequence[KeyFact] = ()) -> FindingFix:
    """The fix that deactivates the key.

    For several keys, or one with an unknown id, it opens the user's credentials.
    """
    if len(keys) == 1 and keys[0].entity:
        return FindingFix("access_key.deactivate", keys[0].entity)
    return FindingFix(page="credentials", on=user.id)


def remove_password(user: EntityFact) -> FindingFix:
    """The fix that removes the console password."""
    return FindingFix("login_profile.delete", user.id)


def rotate(user: EntityFact) -> FindingFix:
    """The fix that rotates the user's key."""
    return FindingFix(page="rotation", on=user.id)
