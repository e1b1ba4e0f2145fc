"""The second person that changes of deciding roles need: another administrator, or an approver if there is
none.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from iam.directory.models import Person, Role, RoleAssignment
from iam.directory.rules import APPROVERS_NEEDED, EVERYWHERE

SINGLE_OPERATOR = "single_operator"
FIRST_RUN = "first_run"


def seconds_for(*, but: Collection[UUID], account_id: str = EVERYWHERE) -> list[Person]:
    """Return who can approve, by name: the other administrators of the account or of all, or its approvers if
    there are none.
    """
    where = Q(assignments__account_id__in={EVERYWHERE, account_id})
    people = Person.objects.filter(is_active=True).exclude(pk__in=list(but)).order_by("name")
    for role in (Role.ADMINISTRATOR, Role.APPROVER):
        approvers = list(people.filter(where, assignments__role=role).distinct())
        if approvers:
            return approvers
    return []


def others_who_decide(*, but: Collection[UUID | None], accounts: Collection[str] = ()) -> list[Person]:
    """Return approvers and administrators of all these accounts (none: of everything), by name, who can be
    the second person of a decision about people. It is empty if someone must be appointed first.
    """
    people = Person.objects.filter(is_active=True).exclude(pk__in=[pk for pk in but if pk]).order_by("name")
    for number in accounts or (EVERYWHERE,):
        assignments = RoleAssignment.objects.filter(
            role__in=(Role.ADMINISTRATOR, Role.APPROVER), account_id__in={EVERYWHERE, number}
        )
        people = people.filter(pk__in=assignments.values("person"))
    return list(people)


def why_alone() -> str:
    """Return why one person is enough, as the journal writes it: single-operator mode or the first run, or an
    empty string if a second one is needed.
    """
    if settings.SINGLE_OPERATOR:
        return SINGLE_OPERATOR
    return FIRST_RUN if is_first_run() else ""


def is_first_run() -> bool:
    """Return True if there have never been two approvers. Removing the role from them doesn't restart the
    first run.
    """
    has_been = Q(was_approver=True) | Q(assignments__role=Role.APPROVER)
    return Person.objects.filter(has_been).distinct().count() < APPROVERS_NEEDED
