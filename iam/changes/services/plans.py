"""Plans a change: checks that this person can request it and that it makes sense, and computes its effect.
Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change
from iam.changes.operations import ADD_TO_GROUP, REMOVE_FROM_GROUP, Membership, Operation
from iam.changes.planning_cache import memoize, memoized_reads
from iam.changes.receipts import Receipt, receipt_of
from iam.changes.services.own_resources import is_own
from iam.changes.set_context import look_ahead, made_before, one_after_the_other, open_beside
from iam.guard import Right, Viewer, ViewerScope
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.models.accounts import AccountSource
from iam.mirror.queries.visibility import visible_entities

Do = Literal["add", "remove"]
MAX_CHANGES: Final = 500
"""The maximum number of changes in one set that is planned within a page request."""
MAX_BY_WORKER: Final = 2500
"""The maximum number of changes in one set that a worker plans."""


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """A change that can be requested: the operation, the state before, and the receipt."""

    operation: Operation
    before: dict[str, object]
    receipt: Receipt
    reverts: Change | None = None


def membership(user: Entity, *, group: Entity, do: Do) -> Operation:
    """The operation that adds the user to the group or removes them. Raises RefusedError if it is not
    possible.
    """
    if (user.kind, group.kind) != (Kind.USER, Kind.GROUP):
        raise RefusedError("A group membership is between an IAM user and an IAM group.")
    if user.account_id != group.account_id:
        raise RefusedError(
            f"{user.name} and {group.name} are in different accounts. A group can only have "
            "users of its own account."
        )
    spec = ADD_TO_GROUP if do == "add" else REMOVE_FROM_GROUP
    return Membership.of(spec, user, group=group)


def plan_membership(viewer: Viewer, *, user: Entity, group: Entity, do: Do) -> ChangePlan:
    """Plan to add the user to the group or remove them. Raises RefusedError."""
    return plan(membership(user, group=group, do=do), viewer=viewer)


def plan(
    operation: Operation,
    *,
    viewer: Viewer,
    reverts: Change | None = None,
    earlier: Sequence[Operation] = (),
    for_grant: bool = False,
) -> ChangePlan:
    """Check every rule for an operation and compute its receipt. Raises RefusedError.

    `earlier` are the operations before it in its set. For a grant (`for_grant`), the result may already exist
    or be requested by another grant: it then gets one more reason.
    """
    check_account(operation.account)
    check_right(operation, viewer=viewer, earlier=earlier, for_grant=for_grant)
    current = examine(operation, earlier=earlier, for_grant=for_grant)
    if not for_grant:
        _check_not_asked_yet(operation)
    return replace(current, reverts=reverts)


def plan_set(
    operations: Sequence[Operation],
    *,
    viewer: Viewer,
    reverts: Sequence[Change | None] = (),
    for_grant: bool = False,
    most: int = MAX_CHANGES,
) -> list[ChangePlan]:
    """Plan operations that are approved together and applied in this order. Raises RefusedError for the first
    impossible one.
    """
    if len(operations) > most:
        raise RefusedError(
            f"This needs {len(operations):,} changes at once. The limit is {most:,}. Split it "
            "into several requests."
        )
    reverted = [*reverts, *([None] * (len(operations) - len(reverts)))]
    with memoized_reads():
        look_ahead(operations)
        open_beside(operations)
        return [
            plan(operation, viewer=viewer, reverts=reverts_to, earlier=earlier, for_grant=for_grant)
            for reverts_to, (operation, earlier) in zip(
                reverted, one_after_the_other(operations), strict=True
            )
        ]


def examine(
    operation: Operation, *, earlier: Sequence[Operation] = (), for_grant: bool = False
) -> ChangePlan:
    """Check that the operation makes sense in the current mirror for any requester, and compute its
    receipt. Raises RefusedError.
    """
    _check_own(operation)
    operation.with_preceding(earlier)
    before = operation.state_in_mirror()
    stands = before is not None and operation.satisfied(before)
    if not (stands and for_grant) and (problem := operation.problem()):
        raise RefusedError(f"AWS would refuse this call: {problem}")
    if before is None and is_made(operation, earlier):
        before = operation.initial_state()
    if before is None:
        raise RefusedError(operation.missing_message)
    stands = operation.satisfied(before)
    if stands and not for_grant:
        raise RefusedError(operation.noop_message)
    quota = None if stands else operation.quota()
    if quota and quota.after > quota.limit:
        raise RefusedError(quota.refusal)
    return ChangePlan(operation=operation, before=dict(before), receipt=receipt_of(operation, quota=quota))


def check_account(account: Account) -> None:
    """Check that changes can be applied in the account at all. Raises RefusedError."""
    if account.removed_at is not None:
        raise RefusedError(f"{account.name} is no longer connected to Gatehouse.")
    if account.source == AccountSource.EXPORT:
        raise RefusedError(
            f"{account.name} was uploaded as a file. To change anything, connect it with a role."
        )
    if not account.is_writable:
        raise RefusedError(
            f"{account.name} is read-only because no write role is connected. An administrator "
            "can add one under Accounts."
        )


def is_made(operation: Operation, earlier: Sequence[Operation]) -> bool:
    """True if an earlier operation of the set creates something that this one modifies or refers to."""
    return bool(
        made_before(operation, (*operation.modified_arns(), *operation.referenced_arns()), earlier=earlier)
    )


def check_right(
    operation: Operation, *, viewer: Viewer, earlier: Sequence[Operation] = (), for_grant: bool = False
) -> None:
    """Check that the viewer can request this for these people and groups. Raises RefusedError, which reveals
    nothing about them.

    Creating entities requires the whole account or, for users, a path of the viewer's teams. A grant can be
    requested by its recipient.
    """
    number = operation.account.account_id
    if for_grant and _is_for(operation, viewer):
        return
    if not viewer.may(Right.REQUEST_CHANGE, account_id=number):
        raise RefusedError(f"You can view {operation.account.name}, but you can’t request changes in it.")
    reach = replace(viewer, scope=viewer.asks)
    if reach.scope.sees_account(number):
        _check_there(operation, earlier=earlier)
        return
    touched = operation.modified_arns()
    made = {*operation.created_arns(), *made_before(operation, touched, earlier=earlier)}
    if not all(_lies_within(arn, reach.scope, number) for arn in made):
        raise RefusedError("You can create users only under the paths of your own teams.")
    if not touched and not operation.created_arns():
        raise RefusedError(
            "This is about the whole account, so only someone who can see all of it can request it."
        )
    arns = [arn for arn in touched if arn not in made]
    reached = visible_entities(reach).filter(account=operation.account, arn__in=arns, gone_at__isnull=True)
    if reached.values("arn").distinct().count() < len(set(arns)):
        raise RefusedError("You can request changes only to the people and groups of your own teams.")


def _is_for(operation: Operation, viewer: Viewer) -> bool:
    """True if the operation gives something to the viewer's own user."""
    subject = operation.subject()
    return subject is not None and subject.kind == Kind.USER and subject.arn in viewer.scope.user_arns


def _check_there(operation: Operation, *, earlier: Sequence[Operation]) -> None:
    """Check that modified entities exist or are created by the set. Raises RefusedError with the same message
    as for hidden ones.
    """
    touched = operation.modified_arns()
    made = {*operation.created_arns(), *made_before(operation, touched, earlier=earlier)}
    arns = frozenset(touched) - made
    there = Entity.objects.filter(account=operation.account, arn__in=arns, gone_at__isnull=True)
    present = there.values("arn").distinct()
    if arns and memoize(("there", operation.account.pk, arns), present.count) < len(arns):
        raise RefusedError(operation.missing_message)


def _lies_within(arn: str, scope: ViewerScope, account_id: str) -> bool:
    """True if the ARN is a user that the scope names or a user under one of its paths."""
    if arn in scope.user_arns:
        return True
    _, _, rest = arn.partition(":user/")
    return bool(rest) and any(
        account in ("", account_id) and f"/{rest}".startswith(path) for account, path in scope.paths
    )


def _check_own(operation: Operation) -> None:
    if is_own(operation):
        raise RefusedError("Gatehouse itself needs this to work. Its owner can change it in AWS.")


def _check_not_asked_yet(operation: Operation) -> None:
    rows = Change.objects.filter(account=operation.account, subject_id=operation.subject_id, state__in=OPEN)
    standing: list[Change] = memoize(
        ("open", operation.account.pk, operation.subject_id), partial(list, rows)
    )
    twin = next((c for c in standing if operation.excludes(c.operation, c.params)), None)
    if twin is None:
        return
    state_name = twin.get_state_display().lower()
    what = (
        "already requests this"
        if twin.params == operation.params
        else "changes the same resource, and comes first"
    )
    raise RefusedError(f"{twin.reference} {what}: {state_name}.", change=twin)
