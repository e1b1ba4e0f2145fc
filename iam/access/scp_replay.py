"""Computes which recorded calls of an account a service control policy would deny if it were attached."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

from iam.activity.models import TrailCaller
from iam.changes.receipt_replay import KINDS, SidesAfter, replayed_calls
from iam.mirror.models import Account
from iam.mirror.snapshot import snapshot
from iam.policy.document import read
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.sides import PrincipalSide, side_of
from iam.policy.unknown_actions import without_unknown_actions


class ScpError(ValueError):
    """Raised if the policy can't be replayed; the message gives the reason in one sentence.

    `field` is account or document.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def replay_scp(account: Account, text: str) -> dict[str, Any]:
    """Replay the calls of the last 90 days with the SCP attached to the account. Raises ScpError.

    Returns the form of `receipt_replay`, for all users and roles of the account that made calls, plus the
    actions in the policy that AWS does not list.
    """
    _check(text)
    made_calls = TrailCaller.objects.filter(account_id=account.account_id, kind__in=KINDS.values())
    known = set(made_calls.values_list("unique_id", "arn"))
    ids, arns = {unique_id for unique_id, _ in known if unique_id}, {arn for _, arn in known if arn}
    with snapshot(accounts={account.account_id}) as index:
        shard = index.accounts.get(account.account_id)
        if shard is None:
            raise ScpError(f"{account.name} hasn’t been synced yet.", field="account")
        if not shard.levels.scps:
            raise ScpError(
                f"SCPs don’t apply to {account.name}: it is the management account, or its organization’s "
                "policies aren’t synced.",
                field="account",
            )
        added = SharedDocuments().add("scp", text)

        def with_scp(member: IndexedPrincipal) -> PrincipalSide:
            side = side_of(member, shard)
            if not side.scps:
                return side
            return replace(side, scps=(*side.scps[:-1], (*side.scps[-1], added)))

        members = [m for m in shard.members.values() if m.unique_id in ids or m.arn in arns]
        members.sort(key=lambda member: member.arn)
        _, unknown = without_unknown_actions(text, space=index.documents.space.actions)
        replayed = replayed_calls(members, SidesAfter(index, with_scp))
        return replayed | {"unknown_actions": list(unknown)}


def _check(text: str) -> None:
    document = read(text)
    problems = [*document.problems, *chain.from_iterable(each.problems for each in document.statements)]
    if problems:
        raise ScpError(f"This isn’t a valid policy: {str(problems[0]).removesuffix('.')}.", field="document")
    if not document.statements:
        raise ScpError("This policy has no statement.", field="document")
