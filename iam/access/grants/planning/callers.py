"""Plans the sts:AssumeRole permissions that callers in other accounts need in their own account.

One permission covers the roles of all accounts of a grant. Across accounts, both sides must allow the call:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final

from iam.access.grants.documents import name_for, timed
from iam.access.grants.models import PermissionSort
from iam.access.grants.phrases import listed
from iam.access.grants.planning.account_context import DESCRIPTION, PATH
from iam.access.grants.planning.quota import free_slots
from iam.access.grants.plans import PartPlan, PlannedPermission, PlannedStep
from iam.access.grants.trust_statement import may_assume
from iam.changes.errors import RefusedError
from iam.changes.operations import ATTACH_POLICY, Attachment, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy
from iam.changes.services.plans import check_account
from iam.guard import Viewer
from iam.mirror.models import Account, Entity
from iam.phrases import counted
from iam.policy.lint import MANAGED

MAX_NAMED_ROLES: Final = 3
"""With up to this many roles, the policy's name lists the accounts; with more, their number."""
BRANCHES: Final = 1000
"""The first branch number of callers, above those of recipients."""


@dataclass(frozen=True, slots=True)
class CallerRights:
    """The context in which permissions of callers are planned: see GrantSite."""

    viewer: Viewer
    mark: str
    end: datetime | None


def with_callers(parts: Sequence[PartPlan], rights: CallerRights) -> tuple[PartPlan, ...]:
    """Add the permissions that callers need in their own accounts to the first part that they use.

    They run independently of the roles. If Gatehouse can't change a caller's account, the parts get a note.
    If a caller has no quota left, the part is refused.
    """
    planned = list(parts)
    roles = {place: _role_of(part) for place, part in enumerate(planned) if part.callers and not part.refusal}
    arns = sorted(set(chain.from_iterable(planned[place].callers for place in roles)))
    for number, arn in enumerate(arns, start=1):
        places = [place for place in roles if arn in planned[place].callers]
        first, home = places[0], _home(arn, rights.viewer)
        if home is None:
            for place in places:
                planned[place] = _with_absent(planned[place], arn, role_arn=roles[place])
            continue
        if planned[first].refusal:
            continue
        try:
            steps = _steps(home, arn, [roles[place] for place in places], rights, number)
        except RefusedError as refused:
            planned[first] = replace(planned[first], refusal=refused.message, steps=())
        else:
            planned[first] = replace(planned[first], steps=(*steps, *planned[first].steps))
    return tuple(planned)


def _role_of(part: PartPlan) -> str:
    permissions = chain.from_iterable(step.permissions for step in part.steps)
    return next(
        permission.holder_arn
        for permission in permissions
        if permission.sort in (PermissionSort.ROLE, PermissionSort.TRUST)
    )


def _with_absent(part: PartPlan, arn: str, *, role_arn: str) -> PartPlan:
    name = arn.rpartition("/")[2]
    sentence = (
        f"Their own account has to allow {name} the action sts:AssumeRole on {role_arn}. Gatehouse can’t "
        "change that account."
    )
    return replace(part, notes=(*part.notes, sentence))


def _home(arn: str, viewer: Viewer) -> Account | None:
    number = arn.split(":")[4]
    account = Account.objects.filter(account_id=number, removed_at__isnull=True).first()
    if account is None or not viewer.asks.sees_account(number):
        return None
    try:
        check_account(account)
    except RefusedError:
        return None
    return account


def _steps(home: Account, arn: str, roles: list[str], rights: CallerRights, number: int) -> list[PlannedStep]:
    """The steps for one caller, in a branch of their own: an inline policy if all roles fit into one, else
    managed policies.
    """
    holder = (
        Entity.objects.filter(account=home, arn=arn, gone_at__isnull=True).select_related("account").first()
    )
    if holder is None:
        raise RefusedError(f"{arn} no longer exists, as of the last sync.")
    room, branch = free_slots(home, [holder])[holder.pk], BRANCHES + number
    accounts = [role.split(":")[4] for role in roles]
    what = f"assume {listed(accounts) if len(roles) <= MAX_NAMED_ROLES else counted(len(roles), 'role')}"
    text = _until(may_assume(roles), rights.end)
    if room.for_inline(MANAGED.size(text)):
        name = name_for(what, mark=f"{rights.mark}-{number}")
        put = PutInlinePolicy.of(holder, name=name, text=text)
        return [PlannedStep(put, (PlannedPermission(holder.arn, PermissionSort.INLINE, name),), branch)]
    texts = _chunked(roles, rights.end)
    if not room.for_policies(len(texts)):
        raise RefusedError(
            f"{holder.name} can’t hold the right to assume {counted(len(roles), 'role')}: "
            f"{room.attached} of {room.most_attached} managed policies are used, and this needs {len(texts)}."
        )
    steps: list[PlannedStep] = []
    for place, policy_text in enumerate(texts, start=1):
        name = name_for(what, mark=f"{rights.mark}-{number}-{place}")
        made = CreatePolicy.of(home, name=name, text=policy_text, path=PATH, description=DESCRIPTION)
        policy = made.inputs.subject_arn
        steps.append(PlannedStep(made, (PlannedPermission(policy, PermissionSort.POLICY, name),), branch))
        attach = Attachment.by_arn(ATTACH_POLICY, holder, arn=policy)
        steps.append(
            PlannedStep(attach, (PlannedPermission(holder.arn, PermissionSort.ATTACHED, policy),), branch)
        )
    return steps


def _chunked(roles: Sequence[str], end: datetime | None) -> list[str]:
    """Policy documents that each allow as many roles as fit."""
    texts: list[str] = []
    left = list(roles)
    while left:
        number = len(left)
        while MANAGED.size(text := _until(may_assume(left[:number]), end)) > MANAGED.limit:
            number -= 1
        texts.append(text)
        left = left[number:]
    return texts


def _until(text: str, end: datetime | None) -> str:
    return timed(text, end=end) if end else text
