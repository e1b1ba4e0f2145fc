"""Tags that an attacker sets to meet a condition, on the target or on the principal itself.

A statement that allows an action on resources with a tag, or to principals with a tag, is as wide as the
permission to set tags. The required value isn't compared, so such a step is conditional. Source: "IAM
tutorial: Define permissions to access AWS resources based on tags"; `aws:ResourceTag` and `aws:PrincipalTag`
in "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from iam.policy.escalation.account_graph import ActingPrincipal, StepOption
from iam.policy.escalation.condition_facts import keys_of
from iam.policy.escalation.edits import PolicyEdits
from iam.policy.escalation.method_types import EdgeVerb, EscalationMethod, MethodNeed
from iam.policy.escalation.methods import TAGS, of_sort
from iam.policy.escalation.permission_checks import CheckTarget, PermissionAsker
from iam.policy.escalation.removed_denies import MethodPrincipals
from iam.policy.escalation.targets import EscalationTargets, TargetSubject
from iam.policy.index.documents import IndexedDocument

TAG_ACTIONS: Final = frozenset(TAGS.values())
OF_PRINCIPAL: Final = "aws:principaltag/"


def can_matter(asker: PermissionAsker, method: EscalationMethod) -> bool:
    """Return True if a statement about the method's actions reads tags of the target and a statement allows
    someone to set tags.
    """
    tag, *needs = method.target_needs
    if not any(clause.allows for clause in asker.clauses(tag.action)):
        return False
    return any(asker.reads_tags(need.action) for need in needs)


def targets_after(
    method: EscalationMethod, need: MethodNeed, targets: Sequence[CheckTarget]
) -> Sequence[CheckTarget]:
    """Return the targets as they are when the need is checked: with unknown tags after tags were set."""
    if not method.retags or need.action in TAG_ACTIONS:
        return targets
    return [replace(target, tags=None) for target in targets]


def is_retagged(method: EscalationMethod, action: str) -> bool:
    """Return True if an action of the method comes after tags were set."""
    return method.retags and action not in TAG_ACTIONS


class OwnTags:
    """Knows whose tags policies read: everyone's if the trust policy of a role does, or else those of
    principals with such a policy.
    """

    def __init__(self, targets: EscalationTargets) -> None:
        self._targets = targets
        self._known: dict[IndexedDocument, bool] = {}
        self._trusts = any(
            aim.target.trust is not None and self._reads(aim.target.trust) for aim in targets.roles
        )

    def add_to(self, edits: dict[int, PolicyEdits], act: ActingPrincipal, *, on: MethodPrincipals) -> None:
        """Add who can set which principal's tags, where policies read them."""
        for method in of_sort(EdgeVerb.TAG):
            candidates = self._targets.users if method.of == "user" else self._targets.editable_roles
            aims = [aim for aim in candidates if self._can_target_matter(aim)]
            for aim, bits in zip(aims, on(method, aims), strict=True):
                able = act.of(bits)
                if able.any:
                    alternative = StepOption(method, aim.subject, able)
                    edits[aim.subject.number].tagged.append(alternative)

    def _can_target_matter(self, aim: TargetSubject) -> bool:
        """Return True if the tags of a principal are read by one of its policies or by a trust policy."""
        member = aim.subject.member
        if member is None:
            return False
        return self._trusts or any(self._reads(doc) for doc in member.cls.profile.bundle.docs)

    def _reads(self, doc: IndexedDocument) -> bool:
        reads = self._known.get(doc)
        if reads is None:
            keys = chain.from_iterable(map(keys_of, doc.clauses))
            reads = self._known[doc] = any(key.startswith(OF_PRINCIPAL) for key in keys)
        return reads
