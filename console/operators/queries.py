"""Queries of the pages about operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from allauth.mfa.models import Authenticator
from django.db.models import Count, Q, QuerySet

from console.operators.factors import FACTORS
from console.operators.models import Operator, OperatorSession
from console.operators.visibility import (
    accounts_of,
    people_listed,
    visible_assignments,
    visible_people,
    visible_teams,
)
from iam.directory.models import Person, RoleAssignment, Team
from iam.guard import Viewer
from iam.keyset import KeysetOrder, KeysetPlace, page

PAGE = 50
BY_NAME = KeysetOrder("name", "id")


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """A person in the list."""

    person: Person
    operator: Operator | None
    roles: list[RoleAssignment]
    has_factor: bool
    last_login: datetime | None
    roles_elsewhere: int = 0
    hides_sign_in: bool = False

    @property
    def is_invited(self) -> bool:
        """Whether they were invited but haven’t signed in yet."""
        return bool(self.operator and not self.last_login and not self.operator.has_usable_password())

    @property
    def state(self) -> str:
        """The status in the list."""
        if self.hides_sign_in:
            return ""
        if not self.person.is_active:
            return "Deactivated"
        if self.is_invited:
            return "Invited"
        return "Active" if self.operator else "No sign-in"


def people_page(
    viewer: Viewer, *, q: str = "", role: str = "", state: str = "", after: KeysetPlace | None = None
) -> tuple[list[OperatorRow], KeysetPlace | None]:
    """Return up to 50 people by name, and the position of the next page or None. Takes at most six
    queries.
    """
    people = people_listed(viewer, text=q).select_related("operator").prefetch_related("assignments__team")
    if role:
        people = people.filter(pk__in=visible_assignments(viewer).filter(role=role).values("person"))
    if state in {"active", "inactive"}:
        people = people.filter(is_active=state == "active")
    people_part = page(people, order=BY_NAME, size=PAGE, after=after)
    return _rows(viewer, people_part.rows), people_part.after


def _rows(viewer: Viewer, people: list[Person]) -> list[OperatorRow]:
    operators = {person.id: getattr(person, "operator", None) for person in people}
    ids = [operator.pk for operator in operators.values() if operator]
    guarded = set(
        Authenticator.objects.filter(user_id__in=ids, type__in=FACTORS).values_list("user_id", flat=True)
    )
    assignments = list(chain.from_iterable(person.assignments.all() for person in people))
    seen = {assignment.pk for assignment in assignments}
    concerned = set(operators)
    if accounts_of(viewer) is not None:
        concerned = set(visible_people(viewer).filter(pk__in=operators).values_list("pk", flat=True))
        seen = set(visible_assignments(viewer).filter(pk__in=seen).values_list("pk", flat=True))
    rows = []
    for person in people:
        operator = operators[person.id]
        roles = [assignment for assignment in person.assignments.all() if assignment.pk in seen]
        last_login = operator.last_login if operator else None
        rows.append(
            OperatorRow(
                person=person,
                operator=operator,
                roles=sorted(roles, key=lambda a: (a.role, a.account_id)),
                hides_sign_in=person.id not in concerned,
                roles_elsewhere=len(person.assignments.all()) - len(roles),
                has_factor=bool(operator and operator.pk in guarded),
                last_login=last_login,
            )
        )
    return rows


def factors_of(operator: Operator) -> list[Authenticator]:
    """Return the second factors without recovery codes."""
    return list(Authenticator.objects.filter(user=operator, type__in=FACTORS).order_by("created_at"))


def sessions_of(operator: Operator) -> list[OperatorSession]:
    """Return the operator's sessions, the most recently active first."""
    lasting = OperatorSession.objects.filter(operator=operator, expire_date__gt=datetime.now(tz=UTC))
    return list(lasting.order_by("-seen_at"))


def signed_in_counts() -> tuple[int, int]:
    """Return the number of current sessions, and of signed-in people."""
    lasting = OperatorSession.objects.filter(operator__isnull=False, expire_date__gt=datetime.now(tz=UTC))
    counted = lasting.aggregate(sessions=Count("pk"), people=Count("operator", distinct=True))
    return counted["sessions"], counted["people"]


def teams(viewer: Viewer) -> QuerySet[Team]:
    """Return the teams that the viewer sees, with their counts of visible rules and leads."""
    accounts = accounts_of(viewer)
    seen = Q() if accounts is None else Q(rules__account_id__in=["", *accounts])
    leads = Q() if accounts is None else Q(assignments__account_id__in=["", *accounts])
    return (
        visible_teams(viewer)
        .annotate(
            rule_count=Count("rules", filter=seen, distinct=True),
            lead_count=Count("assignments", filter=leads, distinct=True),
        )
        .order_by("name")
    )
