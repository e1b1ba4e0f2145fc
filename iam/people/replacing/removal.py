"""The removal of a lost device: who requests it, and whether that request could be made and approved."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final
from uuid import UUID

from iam.changes import services as changes
from iam.changes.approval.possible_approvers import NoApproverError, fix_by_administrators
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.mfa_device import DeactivateMfaDevice, DeleteMfaDevice
from iam.directory.models import Person
from iam.guard import Right, Viewer, viewer_for
from iam.guard.viewer import ANY_ACCOUNT, RIGHTS
from iam.mirror.models import Entity
from iam.mirror.refresh.credentials import is_virtual
from iam.people.enrolment.invitation import may_invite

REQUESTING: Final = tuple(role for role, rights in RIGHTS.items() if Right.REQUEST_CHANGE in rights)


def removal_of(device: Entity) -> Operation:
    """Return the operation that removes the device: a virtual one is deleted, another one deactivated."""
    if is_virtual(device.aws_id):
        return DeleteMfaDevice.of(device)
    return DeactivateMfaDevice.of(device)


def removal_requester(reporter: Viewer, *, user: Entity, checker: Viewer) -> Viewer:
    """Return in whose name the removal is requested: the reporter's, so that the checker can approve it, or
    the checker's if the reporter can't request it.
    """
    return reporter if may_invite(reporter, user=user) else checker


def check_removal(reporter: Viewer, *, device: Entity, user: Entity, person: Person) -> None:
    """Check that someone could confirm this loss and that the removal, which is requested then, could be
    approved. Writes nothing. Raises RefusedError with the message that the confirmation would show.
    """
    operation = removal_of(device)
    nobody_approves: NoApproverError | None = None
    for checker in _possible_checkers(user, but={reporter.person_id, person.pk}):
        requester = removal_requester(reporter, user=user, checker=checker)
        try:
            changes.check_request([operation], actor=requester)
        except NoApproverError as refused:
            nobody_approves = nobody_approves or refused
            if requester is reporter:
                break
        else:
            return
    if nobody_approves is not None:
        raise nobody_approves
    raise RefusedError(_why_nobody_confirms(reporter, user=user, person=person))


def _possible_checkers(user: Entity, *, but: Collection[UUID]) -> Iterator[Viewer]:
    """Yield, by name, everyone who can confirm the loss of a device of this user."""
    people = Person.objects.filter(
        is_active=True,
        assignments__role__in=REQUESTING,
        assignments__account_id__in=[ANY_ACCOUNT, user.account.account_id],
    )
    for person in people.exclude(pk__in=but).distinct().order_by("name"):
        viewer = viewer_for(person)
        if may_invite(viewer, user=user):
            yield viewer


def _why_nobody_confirms(reporter: Viewer, *, user: Entity, person: Person) -> str:
    names = list(dict.fromkeys([reporter.name, person.name]))
    fix = fix_by_administrators("give someone a role under Operators", accounts=[user.account.account_id])
    return (
        "No one can confirm who lost this device. It takes someone who can request changes to "
        f"{user.name}, other than {' and '.join(names)}. {fix}"
    )
