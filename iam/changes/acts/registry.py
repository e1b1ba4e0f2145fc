"""The registry of all acts, by slug."""

from __future__ import annotations

from typing import Final

from iam.changes.acts.base import Act, Subject
from iam.changes.acts.certificates import CERTIFICATE_ACTS
from iam.changes.acts.creation import MAKING
from iam.changes.acts.on_policies import POLICY_ACTS
from iam.changes.acts.on_principals import PRINCIPAL_ACTS

ACTS: Final[dict[str, Act]] = {
    act.slug: act for act in (*PRINCIPAL_ACTS, *POLICY_ACTS, *MAKING, *CERTIFICATE_ACTS)
}


def acts_on(subject: Subject) -> list[Act]:
    """The acts that are possible for a subject now."""
    return [act for act in ACTS.values() if act.is_about(subject) and act.is_open(subject)]
