"""Limits the people, roles and teams on pages of operators to those that concern the viewer's accounts."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.directory.models import Appointment, Identity, Person, Role, RoleAssignment, Team, TeamRule
from iam.directory.rules import EVERYWHERE
from iam.guard import Right, Viewer
from iam.search_words import matches


def accounts_of(viewer: Viewer) -> frozenset[str] | None:
    """Return the accounts in which the viewer sees operators; None means all."""
    account_ids = {account_id for right, account_id in viewer.grants if right is Right.SEE_OPERATORS}
    return None if EVERYWHERE in account_ids else frozenset(account_ids)


def manages_everyone(viewer: Viewer) -> bool:
    """Return whether the viewer administers all accounts, which is needed to add, invite, sign out and
    deactivate people.
    """
    return viewer.may(Right.MANAGE_OPERATORS, account_id=EVERYWHERE)


def visible_assignments(viewer: Viewer) -> QuerySet[RoleAssignment]:
    """Return roles in these accounts or in all accounts; those of team leads only if their teams can have
    people in these accounts.
    """
    accounts = accounts_of(viewer)
    if accounts is None:
        return RoleAssignment.objects.all()
    of_all = Q(account_id=EVERYWHERE) & (Q(team__isnull=True) | Q(team__in=_teams(accounts).values("pk")))
    return RoleAssignment.objects.filter(of_all | Q(account_id__in=accounts))


def visible_appointments(viewer: Viewer) -> QuerySet[Appointment]:
    """Return appointments for these accounts or for all accounts that wait for a second person, or did."""
    accounts = accounts_of(viewer)
    if accounts is None:
        return Appointment.objects.all()
    return Appointment.objects.filter(account_id__in=[EVERYWHERE, *accounts])


def visible_people(viewer: Viewer) -> QuerySet[Person]:
    """Return the viewer, people with a role or an IAM user in these accounts, and people who see or decide in
    all accounts.

    Membership in Gatehouse is a role without an account, and concerns the accounts of the member's IAM users.
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
    """Return people of the list by a part of the name or address.

    Administrators of some accounts find other people by their complete address, to give them a role there.
    """
    people = visible_people(viewer)
    if not text:
        return people
    named = people.filter(matches(text, "name", "email"))
    if accounts_of(viewer) is None or not viewer.may(Right.MANAGE_OPERATORS):
        return named
    return Person.objects.filter(Q(pk__in=named.values("pk")) | Q(email__iexact=text))


def visible_teams(viewer: Viewer) -> QuerySet[Team]:
    """Return teams that can have people in these accounts by a rule, and those with a lead there; a new team
    has neither.
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
