"""Plan a change: may this person ask for it, does it make sense, and what would it do. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change
from iam.changes.operations import AddToGroup, Operation, RemoveFromGroup
from iam.changes.receipts import Receipt, receipt_of
from iam.changes.services.own import is_own
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.models.accounts import Source
from iam.mirror.queries.visibility import visible_entities

Do = Literal["add", "remove"]


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
        raise RefusedError(operation.gone)
    if operation.satisfied(before):
        raise RefusedError(operation.already)
    quota = operation.quota()
    if quota and quota.after > quota.limit:
        raise RefusedError(quota.refusal)
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


def _check_own(operation: Operation) -> None:
    if is_own(operation):
        raise RefusedError("Gatehouse itself works by this. It is changed in AWS, by its owner.")


def _check_not_asked_yet(operation: Operation) -> None:
    standing = Change.objects.filter(
        account=operation.account, subject_id=operation.subject_id, state__in=OPEN
    )
    twin = next((c for c in standing if operation.excludes(c.operation, c.params)), None)
    if twin is None:
        return
    said = twin.get_state_display().lower()
    what = "asks for this" if twin.params == operation.params else "is about the same, and comes first"
    raise RefusedError(f"{twin.reference} already {what}: {said}.", change=twin)
