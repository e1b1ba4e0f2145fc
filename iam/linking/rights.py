"""Who may say whose a user is. Being somebody's gives that person rights over the user, so only those say it
who rule over it already.

An administrator of the account says it of every user there. A team lead says it of the users of their teams,
and only of people without a role over others: those whom they reach already, by a user that was linked
before, and those whom the ways of the organization name and who have no user yet. Nobody says it of
themselves.
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
"""One of them is needed to say whose a user, role or grant is."""
STRANGER = (
    "You can link IAM users of your teams to people of your teams. Ask an administrator to link other people."
)
ONESELF = "You can’t link an IAM user to yourself. Ask another administrator."
NOT_YOURS = "You can link IAM users only where you administer the account or lead the team."


def may_link(viewer: Viewer, user: Entity) -> bool:
    """Whether they may say anything of this user, to whomever it belongs."""
    number = user.account.account_id
    if viewer.may(Right.MANAGE_OPERATORS, account_id=number):
        return True
    return bool(viewer.leads) and linkable(viewer).filter(pk=user.pk).exists()


def linkable(viewer: Viewer) -> QuerySet[Entity]:
    """The living users of whom they may say whose they are: of accounts that they administer, and of teams
    that they lead.
    """
    account_ids = viewer.accounts_by_role.get(Role.ADMINISTRATOR, set())
    administered = None if "" in account_ids else frozenset(account_ids)
    scope = replace(viewer.scope, accounts=administered, user_arns=frozenset())
    seen = visible_entities(replace(viewer, scope=scope))
    return seen.filter(kind=Kind.USER, gone_at__isnull=True)


def may_link_any(viewer: Viewer) -> bool:
    """Whether there are users of whom they may say it."""
    return viewer.may(Right.MANAGE_OPERATORS) or bool(viewer.leads)


def may_rule(viewer: Viewer) -> bool:
    """Whether they choose the ways of the organization: administrators of all accounts."""
    return viewer.may(Right.MANAGE_OPERATORS, account_id="")


def check(viewer: Viewer, *, user: Entity, person: Person) -> None:
    """Raises DirectoryRuleError for anyone who may not say that this user is, or is not, this person's."""
    administers = viewer.may(Right.MANAGE_OPERATORS, account_id=user.account.account_id)
    if not administers and not may_link(viewer, user):
        raise DirectoryRuleError(NOT_YOURS)
    if person.pk == viewer.person_id and not (administers and why_alone()):
        raise DirectoryRuleError(ONESELF)
    if not administers and not _reaches(viewer, user, person):
        raise DirectoryRuleError(STRANGER)


def may_say(viewer: Viewer, *, user: Entity, person: Person) -> bool:
    """Whether `check` lets it pass."""
    try:
        check(viewer, user=user, person=person)
    except DirectoryRuleError:
        return False
    return True


def people_to_choose(viewer: Viewer) -> QuerySet[Person]:
    """The people to whom they may link a user by name: all for administrators, else the people of their
    teams.
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
    """Whether the person holds a role in Gatehouse by which they see or decide about others."""
    return RoleAssignment.objects.filter(person=person).exclude(role=Role.MEMBER).exists()
