"""Who can link users to people. A link gives the person rights over the user, so only those who already have
such rights can create it.

An administrator of the account can link every user there. A team lead can link users of their teams, but only
to people without a role over others: those they already reach through a linked user, and those whom the
matching rules name and who have no user yet. People can't link users to themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.db.models import QuerySet

from iam.directory.models import Identity, Person, Role, RoleAssignment
from iam.directory.rules import DirectoryRuleError
from iam.directory.second_approvers import why_alone
from iam.guard import Right, Viewer
from iam.linking.models import UserMatch
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities

OWNER_RIGHTS: Final = (Right.MANAGE_OPERATORS, Right.SEE_TEAM)
"""One of these rights is needed to set the owner of a user, role or grant."""
STRANGER = (
    "You can link IAM users of your teams to people of your teams. Ask an administrator to link other people."
)
ONESELF = "You can’t link an IAM user to yourself. Ask another administrator."
NOT_YOURS = "You can link IAM users only where you administer the account or lead the team."


def may_link(viewer: Viewer, user: Entity) -> bool:
    """Return True if the viewer can link this user to someone."""
    number = user.account.account_id
    if viewer.may(Right.MANAGE_OPERATORS, account_id=number):
        return True
    return bool(viewer.leads) and linkable(viewer).filter(pk=user.pk).exists()


def linkable(viewer: Viewer) -> QuerySet[Entity]:
    """Return the living users that the viewer can link: those of accounts that they administer and of teams
    that they lead.
    """
    account_ids = viewer.accounts_by_role.get(Role.ADMINISTRATOR, set())
    administered = None if "" in account_ids else frozenset(account_ids)
    scope = replace(viewer.scope, accounts=administered, user_arns=frozenset())
    seen = visible_entities(replace(viewer, scope=scope))
    return seen.filter(kind=Kind.USER, gone_at__isnull=True)


def may_link_any(viewer: Viewer) -> bool:
    """Return True if there can be users that the viewer can link."""
    return viewer.may(Right.MANAGE_OPERATORS) or bool(viewer.leads)


def may_rule(viewer: Viewer) -> bool:
    """Return True if the viewer can change the matching rules: administrators of all accounts."""
    return viewer.may(Right.MANAGE_OPERATORS, account_id="")


def check(viewer: Viewer, *, user: Entity, person: Person) -> None:
    """Raise DirectoryRuleError if the viewer can't link this user to this person or exclude the match."""
    administers = viewer.may(Right.MANAGE_OPERATORS, account_id=user.account.account_id)
    if not administers and not may_link(viewer, user):
        raise DirectoryRuleError(NOT_YOURS)
    if person.pk == viewer.person_id and not (administers and why_alone()):
        raise DirectoryRuleError(ONESELF)
    if not administers and not _reaches(viewer, user, person):
        raise DirectoryRuleError(STRANGER)


def may_say(viewer: Viewer, *, user: Entity, person: Person) -> bool:
    """Return True if `check` passes."""
    try:
        check(viewer, user=user, person=person)
    except DirectoryRuleError:
        return False
    return True


def people_to_choose(viewer: Viewer) -> QuerySet[Person]:
    """Return the people that the viewer can link a user to by name: all for administrators, otherwise the
    people of their teams.
    """
    people = Person.objects.exclude(pk=viewer.person_id)
    if viewer.may(Right.MANAGE_OPERATORS):
        return people
    people = people.exclude(assignments__role__in=[role for role in Role if role != Role.MEMBER])
    return people.filter(identities__user_arn__in=linkable(viewer).values("arn")).distinct()


def _reaches(viewer: Viewer, user: Entity, person: Person) -> bool:
    if rules(person):
        return False
    arns = Identity.objects.filter(person=person).values("user_arn")
    if linkable(viewer).filter(arn__in=arns).exists():
        return True
    return not arns.exists() and UserMatch.objects.filter(user=user, person=person).exists()


def rules(person: Person) -> bool:
    """Return True if the person has a role in Gatehouse with access to others."""
    return RoleAssignment.objects.filter(person=person).exclude(role=Role.MEMBER).exists()
