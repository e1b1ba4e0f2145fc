"""Which people, roles and teams a viewer sees on the pages of operators: those that concern the accounts in
which they may see operators.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.directory.models import Appointment, Identity, Person, Role, RoleAssignment, Team, TeamRule
from iam.directory.rules import EVERYWHERE
from iam.guard import Right, Viewer
from iam.search_words import matches


def accounts_of(viewer: Viewer) -> frozenset[str] | None:
    """The accounts in which the viewer sees operators; None: all of them."""
    account_ids = {account_id for right, account_id in viewer.grants if right is Right.SEE_OPERATORS}
    return None if EVERYWHERE in account_ids else frozenset(account_ids)


def manages_everyone(viewer: Viewer) -> bool:
    """True for administrators of all accounts, who alone add, invite, sign out and deactivate people."""
    return viewer.may(Right.MANAGE_OPERATORS, account_id=EVERYWHERE)


def visible_assignments(viewer: Viewer) -> QuerySet[RoleAssignment]:
    """Roles in these accounts or in all accounts, and of team leads those whose teams can have people in
    these accounts.
    """
    accounts = accounts_of(viewer)
    if accounts is None:
        return RoleAssignment.objects.all()
    of_all = Q(account_id=EVERYWHERE) & (Q(team__isnull=True) | Q(team__in=_teams(accounts).values("pk")))
    return RoleAssignment.objects.filter(of_all | Q(account_id__in=accounts))


def visible_appointments(viewer: Viewer) -> QuerySet[Appointment]:
    """Roles in these accounts or in all accounts that wait for a second person, or did."""
    accounts = accounts_of(viewer)
    if accounts is None:
        return Appointment.objects.all()
    return Appointment.objects.filter(account_id__in=[EVERYWHERE, *accounts])


def visible_people(viewer: Viewer) -> QuerySet[Person]:
    """Oneself, who has a role or an IAM user in these accounts, and who sees or decides in all accounts.
    Being a member of Gatehouse is a role without an account, and concerns the accounts of the member's IAM
    users.
    """
    accounts = accounts_of(viewer)
    if accounts is None:
        return Person.objects.all()
    in_accounts = Q(pk__in=[])
    for account_id in sorted(accounts):
        in_accounts |= Q(user_arn__contains=f"::{account_id}:user/")
    users = Identity.objects.filter(in_accounts, person=OuterRef("pk"))
    roles = visible_assignments(viewer).exclude(role=Role.MEMBER, account_id=EVERYWHERE)
    appointments = visible_appointments(viewer).filter(person=OuterRef("pk"))
    concerned = Exists(roles.filter(person=OuterRef("pk"))) | Exists(users) | Exists(appointments)
    return Person.objects.filter(concerned | Q(pk=viewer.person_id))


def people_listed(viewer: Viewer, *, text: str = "") -> QuerySet[Person]:
    """The people of the list, by a part of the name or of the address. An administrator of some accounts
    finds others by their whole address, to give them a role there.
    """
    people = visible_people(viewer)
    if not text:
        return people
    named = people.filter(matches(text, "name", "email"))
    if accounts_of(viewer) is None or not viewer.may(Right.MANAGE_OPERATORS):
        return named
    return Person.objects.filter(Q(pk__in=named.values("pk")) | Q(email__iexact=text))


def visible_teams(viewer: Viewer) -> QuerySet[Team]:
    """Teams that can have people in these accounts, by a rule, and those that somebody leads there; a new
    team has neither.
    """
    accounts = accounts_of(viewer)
    if accounts is None:
        return Team.objects.all()
    new = Team.objects.filter(rules__isnull=True).values("pk") if viewer.may(Right.MANAGE_OPERATORS) else []
    return Team.objects.filter(Q(pk__in=_teams(accounts).values("pk")) | Q(pk__in=new))


def _teams(accounts: frozenset[str]) -> QuerySet[Team, Any]:
    rules = TeamRule.objects.filter(team=OuterRef("pk"), account_id__in=[EVERYWHERE, *accounts])
    leads = RoleAssignment.objects.filter(team=OuterRef("pk"), account_id__in=accounts)
    return Team.objects.filter(Exists(rules) | Exists(leads))
