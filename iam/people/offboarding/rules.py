"""Who can offboard people, and what the requester must confirm first: that it is their own access, or that of
the last administrator of Gatehouse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from iam.changes.approval.models import BreakGlass, ReviewVerdict
from iam.directory.models import Person, Role, RoleAssignment
from iam.directory.rules import EVERYWHERE
from iam.guard import Right, Viewer
from iam.people.offboarding.leaver_lookup import LeaverUsers
from iam.people.offboarding.models import OF_SUSPENSION, Leaver, OffboardingRun

OWN_ACCESS: Final = "You are about to remove your own access in all of these accounts."
OWN_ACCESS_OF: Final = "{name} requests the removal of their own access in all of these accounts."
LAST_ADMINISTRATOR: Final = (
    "{names} is the only administrator of Gatehouse. Afterwards no one can appoint people. Appoint another "
    "administrator first."
)


def warnings_for(people: Iterable[LeaverUsers], *, viewer: Viewer) -> list[str]:
    """Return the warnings that the requester has to confirm, usually none."""
    ids: dict[UUID, str] = {}
    arns: set[str] = set()
    for person in people:
        arns |= {user.arn for user in person.users}
        if person.person_id is not None:
            ids[person.person_id] = person.name
    return _warnings(ids, arns, viewer=viewer, own=OWN_ACCESS)


def accepted_warnings(people: Iterable[Leaver], *, actor: Viewer) -> list[str]:
    """Return the same warnings for the approver, from the people of a request (loaded with their seats)."""
    ids: dict[UUID, str] = {}
    arns: set[str] = set()
    for leaver in people:
        arns |= {seat.user_arn for seat in leaver.seats.all()}
        if leaver.person_id is not None:
            ids[leaver.person_id] = leaver.name
    return _warnings(ids, arns, viewer=actor, own=OWN_ACCESS_OF.format(name=actor.name))


def _warnings(ids: dict[UUID, str], arns: set[str], *, viewer: Viewer, own: str) -> list[str]:
    warnings = []
    if viewer.person_id in ids or arns & viewer.scope.user_arns:
        warnings.append(own)
    active = administrators()
    if active and active <= ids.keys():
        names = ", ".join(sorted(name for pk, name in ids.items() if pk in active))
        warnings.append(LAST_ADMINISTRATOR.format(names=names))
    return warnings


def administrators() -> set[UUID]:
    """Return the active administrators of all of Gatehouse."""
    rows = RoleAssignment.objects.filter(
        role=Role.ADMINISTRATOR, account_id=EVERYWHERE, person__is_active=True
    )
    return set(rows.values_list("person_id", flat=True))


def may_begin(viewer: Viewer) -> bool:
    """Return True if the viewer can request changes."""
    return viewer.may(Right.REQUEST_CHANGE)


def may_act(viewer: Viewer, leaver: Leaver) -> bool:
    """Return True if the viewer can restore, delete and retry: they can request changes in all of the
    accounts, or lead a former team of the person.
    """
    numbers = [seat.account.account_id for seat in leaver.seats.select_related("account")]
    if not viewer.may(Right.REQUEST_CHANGE):
        return False
    if set(leaver.teams) & viewer.leads:
        return True
    return bool(numbers) and all(
        viewer.may(Right.REQUEST_CHANGE, account_id=number) and viewer.asks.sees_account(number)
        for number in numbers
    )


def is_about_oneself(viewer: Viewer, leaver: Leaver) -> bool:
    """Return True if the leaver is the viewer."""
    arns = set(leaver.seats.values_list("user_arn", flat=True))
    return leaver.person_id == viewer.person_id or bool(arns & viewer.scope.user_arns)


def asker_of(run: OffboardingRun) -> Person | None:
    """Return the requester as the directory knows them today, or None."""
    return Person.objects.filter(pk=run.requested_by).first()


def review_of(leaver: Leaver) -> BreakGlass | None:
    """Return the review that a suspension needs, whether or not it was done."""
    return BreakGlass.objects.filter(
        change_set__cause_kind=OF_SUSPENSION, change_set__cause_id=leaver.run_id
    ).first()


def is_confirmed(leaver: Leaver) -> bool:
    """Return True if another person has confirmed the suspension."""
    review = review_of(leaver)
    return review is not None and review.verdict == ReviewVerdict.ACCEPT
