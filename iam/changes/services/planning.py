"""Plan a change: may this person ask for it, does it make sense, and what would it do. Writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

from django.db.models import Q

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change
from iam.changes.operations import AddToGroup, Operation, RemoveFromGroup
from iam.changes.operations.group_membership import Membership
from iam.changes.receipts import Receipt, receipt_of
from iam.guard import Right, Viewer
from iam.mirror.models import (
    Account,
    AccountFact,
    ConnectionDraft,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    Kind,
    SetupJob,
    valid_at,
)
from iam.mirror.models.accounts import Source
from iam.mirror.models.setup import SetupKind
from iam.mirror.queries.visibility import visible_entities

Do = Literal["add", "remove"]
GROUPS_PER_USER = 10
"""AWS's own figure, where the account summary has not been read; https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that may be asked for: the operation, how things are before, and the receipt."""

    operation: Operation
    before: dict[str, object]
    receipt: Receipt
    reverts: Change | None = None


def membership(user: Entity, *, group: Entity, do: Do) -> Operation:
    """The operation that adds the user to the group or takes them out. Raises RefusedError when there is none such."""
    if (user.kind, group.kind) != (Kind.USER, Kind.GROUP):
        raise RefusedError("A membership is between an IAM user and an IAM group.")
    if user.account_id != group.account_id:
        raise RefusedError(
            f"{user.name} and {group.name} are in different accounts; a group only holds users of its own."
        )
    return (AddToGroup if do == "add" else RemoveFromGroup).of(user, group=group)


def plan_membership(viewer: Viewer, *, user: Entity, group: Entity, do: Do) -> Plan:
    """Plan to add the user to the group or to take them out. Raises RefusedError with the reason in words."""
    return plan(membership(user, group=group, do=do), viewer=viewer)


def plan(operation: Operation, *, viewer: Viewer, reverts: Change | None = None) -> Plan:
    """Check every rule for an operation and compute its receipt. Raises RefusedError."""
    check_account(operation.account)
    check_right(operation, viewer=viewer)
    current = examine(operation)
    _check_not_asked_yet(operation)
    return replace(current, reverts=reverts)


def examine(operation: Operation) -> Plan:
    """Whether the operation makes sense as the mirror stands, whoever asks, and its receipt. Raises RefusedError."""
    _check_own(operation)
    if problems := operation.problems():
        raise RefusedError(f"AWS would not take this call: {problems[0]}")
    before = operation.mirrored()
    if before is None:
        raise RefusedError("AWS has no such user or group any more, as of the last reading.")
    if operation.satisfied(before):
        raise RefusedError(_already(operation))
    quota = _quota(operation)
    if quota and quota["after"] > quota["limit"]:
        raise RefusedError(
            f"{_names(operation)[0]} is in {quota['used']} groups, and AWS allows {quota['limit']} a user."
            " Take them out of one first."
        )
    return Plan(operation=operation, before=dict(before), receipt=receipt_of(operation, quota=quota))


def check_account(account: Account) -> None:
    """Whether changes can be carried out in the account at all. Raises RefusedError."""
    if account.removed_at is not None:
        raise RefusedError(f"{account.name} is no longer connected to Gatehouse.")
    if account.source == Source.EXPORT:
        raise RefusedError(
            f"{account.name} is known from an uploaded file only. Connect it with a role to change anything."
        )
    if not account.is_writable:
        raise RefusedError(
            f"{account.name} is read only: no write role is connected. An administrator can add one under Accounts."
        )


def check_right(operation: Operation, *, viewer: Viewer) -> None:
    """Whether the viewer may ask for this, of these people and groups. Raises RefusedError, which tells nothing about them."""
    number = operation.account.account_id
    if not viewer.may(Right.REQUEST_CHANGE, account_id=number):
        raise RefusedError(f"You may look at {operation.account.name}, and not ask for changes in it.")
    arns = operation.touched()
    reach = replace(viewer, scope=viewer.asks)
    reached = visible_entities(reach).filter(account=operation.account, arn__in=arns, gone_at__isnull=True)
    if reached.values("arn").distinct().count() < len(arns):
        raise RefusedError("You can ask for changes to the people and groups of your own teams only.")


def is_own(operation: Operation) -> bool:
    """Whether it would alter what Gatehouse works by, in whichever account: a role of an account, or whom these roles trust."""
    arns = operation.touched()
    if Account.objects.filter(Q(role_arn__in=arns) | Q(write_role_arn__in=arns)).exists():
        return True
    if ConnectionDraft.objects.filter(hub_arn__in=arns).exists():
        return True
    identities = SetupJob.objects.filter(kind=SetupKind.IDENTITY, result__principal__in=arns)
    return identities.exists() or _is_trusted_by_own(arns)


def _is_trusted_by_own(arns: tuple[str, ...]) -> bool:
    """Whether the trust policy of one of Gatehouse's roles names one of these principals."""
    roles = Account.objects.exclude(role_arn="").values("role_arn")
    writers = Account.objects.exclude(write_role_arn="").values("write_role_arn")
    own = Entity.objects.filter(Q(arn__in=roles) | Q(arn__in=writers), kind=Kind.ROLE, gone_at__isnull=True)
    named = Q()
    for arn in arns:
        named |= Q(document__text__contains=json.dumps(arn))
    trusts = EntityState.objects.filter(valid_at(None), kind=Kind.ROLE, entity__in=own.values("pk"))
    return trusts.filter(named).exists()


def _check_own(operation: Operation) -> None:
    if is_own(operation):
        raise RefusedError("Gatehouse itself works by this. It is changed in AWS, by its owner.")


def _check_not_asked_yet(operation: Operation) -> None:
    standing = Change.objects.filter(
        account=operation.account, operation=operation.slug, subject_id=operation.subject_id, state__in=OPEN
    )
    twin = next((change for change in standing if change.params == operation.params), None)
    if twin is not None:
        raise RefusedError(
            f"{twin.reference} already asks for this: {twin.get_state_display().lower()}.", change=twin
        )


def _names(operation: Operation) -> tuple[str, str]:
    given = operation.params
    return str(given.get("user_name", "")), str(given.get("group_name", ""))


def _already(operation: Operation) -> str:
    user, group = _names(operation)
    if isinstance(operation, AddToGroup):
        return f"{user} is already in {group}."
    return f"{user} is not in {group}."


def _quota(operation: Operation) -> dict[str, int] | None:
    """Groups of the user: now, afterwards, and what AWS allows."""
    user = operation.subject()
    if not isinstance(operation, Membership) or user is None:
        return None
    used = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user).count()
    summary = AccountFact.objects.filter(valid_at(None), account=operation.account, name="summary").first()
    limit = summary.value.get("GroupsPerUserQuota") if summary and isinstance(summary.value, dict) else None
    after = used + (1 if operation.member_after else -1)
    # Leaving is always allowed, also for a user who is over a quota that was lowered.
    return {
        "used": used,
        "after": after,
        "limit": max(int(limit or GROUPS_PER_USER), 0 if operation.member_after else after),
    }
