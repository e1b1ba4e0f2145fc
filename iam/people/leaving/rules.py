"""Who may offboard people, and what has to be confirmed first: that it is oneself, or the last administrator of Gatehouse."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from iam.changes.acts.fields import FieldError
from iam.changes.approval.models import BreakGlass, Verdict
from iam.changes.errors import RefusedError
from iam.directory.models import Person, Role, RoleAssignment
from iam.directory.rules import EVERYWHERE
from iam.guard import Right, Viewer
from iam.people.leaving.models import OF_SUSPENSION, Leaver, Run
from iam.people.leaving.who import Somebody


def field_errors(error: RefusedError | None) -> dict[str, str]:
    """The message by its field; empty for an error of the whole form."""
    return {error.field: error.message} if isinstance(error, FieldError) else {}


def warnings_for(people: Iterable[Somebody], *, viewer: Viewer) -> list[str]:
    """What whoever asks has to confirm: sentences, none for most."""
    found = []
    ids = {one.person_id: one.name for one in people if one.person_id is not None}
    if viewer.person_id in ids or any(
        {user.arn for user in one.users} & viewer.scope.user_arns for one in people
    ):
        found.append("You are about to remove your own access in all of these accounts.")
    active = administrators()
    if active and active <= ids.keys():
        names = ", ".join(sorted(name for pk, name in ids.items() if pk in active))
        found.append(
            f"{names} is the only administrator of Gatehouse. Afterwards no one can appoint people. Appoint another administrator first."
        )
    return found


def administrators() -> set[UUID]:
    """Everybody active who administers all of Gatehouse."""
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


def review_of(leaver: Leaver) -> BreakGlass | None:
    """The review that a suspension needs, whether or not it was done."""
    return BreakGlass.objects.filter(
        change_set__cause_kind=OF_SUSPENSION, change_set__cause_id=leaver.run_id
    ).first()


def is_confirmed(leaver: Leaver) -> bool:
    """Whether somebody else has agreed to the suspension."""
    review = review_of(leaver)
    return review is not None and review.verdict == Verdict.ACCEPT
