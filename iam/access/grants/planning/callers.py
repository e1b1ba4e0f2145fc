"""What users and roles of other accounts need of their own account to assume a role that trusts them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html: across accounts both sides must allow it.
"""

from __future__ import annotations

from collections.abc import Sequence

from iam.access.grants.documents import name_for, timed
from iam.access.grants.models import Sort
from iam.access.grants.planning.room import rooms
from iam.access.grants.planning.site import Site
from iam.access.grants.plans import Permission, Step
from iam.access.grants.trusting import may_assume
from iam.changes.errors import RefusedError
from iam.changes.operations import PutInlinePolicy
from iam.changes.services.planning import check_account
from iam.mirror.models import Account, Entity
from iam.policy.lint import MANAGED


def calling_steps(site: Site, arns: Sequence[str], *, role_arn: str) -> tuple[list[Step], list[str]]:
    """The steps in accounts that Gatehouse changes and the viewer asks in, a branch for each; and the ARNs of those elsewhere.

    Raises RefusedError for somebody who is gone, or has no room.
    """
    steps: list[Step] = []
    absent: list[str] = []
    for branch, arn in enumerate(arns, start=1):
        account = _home(site, arn)
        if account is None:
            absent.append(arn)
        else:
            steps.append(_step(site, account, arn, role_arn=role_arn, branch=branch))
    return steps, absent


def _home(site: Site, arn: str) -> Account | None:
    number = arn.split(":")[4]
    account = Account.objects.filter(account_id=number, removed_at__isnull=True).first()
    if account is None or not site.viewer.asks.sees_account(number):
        return None
    try:
        check_account(account)
    except RefusedError:
        return None
    return account


def _step(site: Site, account: Account, arn: str, *, role_arn: str, branch: int) -> Step:
    holder = Entity.objects.filter(account=account, arn=arn, gone_at__isnull=True).first()
    if holder is None:
        raise RefusedError(f"{arn} is not there any more, as of the last reading.")
    text = may_assume([role_arn])
    text = timed(text, end=site.end) if site.end else text
    room = rooms(account, [holder])[holder.pk]
    if not room.for_inline(MANAGED.size(text)):
        raise RefusedError(
            f"The inline policies of {holder.name} have no room for the right to assume the role."
        )
    name = name_for(f"assume {site.account.name}", mark=f"{site.mark}-{site.number}")
    return Step(
        PutInlinePolicy.of(holder, name=name, text=text),
        (Permission(holder.arn, Sort.INLINE, name),),
        branch,
    )
