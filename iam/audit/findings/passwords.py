"""What rules about unused console passwords share."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.facts import AccountFacts, CredentialFact, EntityFact


def unused_since(user: EntityFact, credential: CredentialFact) -> datetime | None:
    """Since when a console password was not used: the last sign-in, or where there was none, when the
    password was set or the user created.
    """
    if not credential.has_password:
        return None
    return credential.password_used_at or credential.password_changed_at or user.created_at


def is_unused(
    user: EntityFact, credential: CredentialFact, facts: AccountFacts, *, days: int, most: int = 0
) -> bool:
    """Whether it was not used for so many days; with `most` not for longer than that."""
    since = unused_since(user, credential)
    if since is None or since >= facts.days_ago(days):
        return False
    return not most or since >= facts.days_ago(most)
