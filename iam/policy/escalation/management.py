"""Methods that reach every account of an organization from its management account: IAM Identity Center, the
root users of member accounts, and stack sets.
"""

from __future__ import annotations

from iam.policy.escalation.account_graph import ActingPrincipal, NeedSubject, StepOption
from iam.policy.escalation.choices import TargetChoices
from iam.policy.escalation.found_paths import FoundPaths
from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import of_sort
from iam.policy.index.shard import AccountShard


def account_subject(number: str, partition: str) -> NeedSubject:
    """Return an account as a subject for the steps of paths."""
    return NeedSubject("account", f"arn:{partition}:iam::{number}:root", number, -int(number))


def find_management(
    reachable: FoundPaths, act: ActingPrincipal, *, choices: TargetChoices, shard: AccountShard
) -> None:
    """Add who can use these methods, unless the account is known not to be the management account."""
    standing = shard.standing
    if standing.is_known and not (standing.is_management and standing.organization_id):
        return
    subject = account_subject(shard.number, shard.partition)
    for sort, ways in ((EdgeVerb.SIGN_ON, reachable.everything), (EdgeVerb.RECOVER, reachable.elsewhere)):
        for method in of_sort(sort):
            bits = act.of(choices.bits(method, act.everybody).as_unsure)
            if bits.any:
                ways.append(StepOption(method, subject, bits))
