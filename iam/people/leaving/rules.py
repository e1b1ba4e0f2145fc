"""Who may have somebody leave, and what has to be said aloud before: that it is oneself, or the last one who administers Gatehouse."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from iam.directory.models import Person, Role, RoleAssignment
from iam.directory.rules import EVERYWHERE
from iam.guard import Right, Viewer
from iam.people.leaving.models import Leaver, Run
from iam.people.leaving.who import Somebody


def warnings_for(people: Iterable[Somebody], *, viewer: Viewer) -> list[str]:
    """What whoever asks has to confirm: sentences, none for most."""
    found = []
    ids = {one.person_id: one.name for one in people if one.person_id is not None}
    if viewer.person_id in ids or any(
        {user.arn for user in one.users} & viewer.scope.user_arns for one in people
    ):
        found.append("You are about to end your own access, in all of these accounts.")
    administrators = _administrators()
    if administrators and administrators <= ids.keys():
        names = ", ".join(sorted(name for pk, name in ids.items() if pk in administrators))
        found.append(
            f"{names} administers Gatehouse, and nobody else does: afterwards nobody can appoint anybody. Appoint another administrator first."
        )
    return found


def _administrators() -> set[UUID]:
    rows = RoleAssignment.objects.filter(
        role=Role.ADMINISTRATOR, account_id=EVERYWHERE, person__is_active=True
    )
    return set(rows.values_list("person_id", flat=True))


def may_begin(viewer: Viewer) -> bool:
    """Whether they ask for changes at all."""
    return viewer.may(Right.REQUEST_CHANGE)


def may_act(viewer: Viewer, leaver: Leaver) -> bool:
    """Who may restore, delete and try again: who could ask for it in all of the accounts, and a lead of the team whose they were."""
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
    """Whether it is the viewer who leaves, or left."""
    arns = set(leaver.seats.values_list("user_arn", flat=True))
    return leaver.person_id == viewer.person_id or bool(arns & viewer.scope.user_arns)


def asker_of(run: Run) -> Person | None:
    """Who asked, as the directory knows them today."""
    return Person.objects.filter(pk=run.requested_by).first()
