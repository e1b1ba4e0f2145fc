"""What the pages about operators show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Count, Q, QuerySet

from console.operators.factors import FACTORS
from console.operators.models import Operator, OperatorSession
from iam.directory.models import Person, RoleAssignment, Team

PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the list."""

    person: Person
    operator: Operator | None
    roles: list[RoleAssignment]
    has_factor: bool
    last_login: datetime | None

    @property
    def is_invited(self) -> bool:
        """Whether they have been asked in, and have not come yet."""
        return bool(self.operator and not self.last_login and not self.operator.has_usable_password())

    @property
    def state(self) -> str:
        """As the list says it."""
        if not self.person.is_active:
            return "Deactivated"
        if self.is_invited:
            return "Invited"
        return "Active" if self.operator else "No sign-in"


def people_page(*, q: str = "", role: str = "", state: str = "", after: str = "") -> tuple[list[Row], str]:
    """Up to 50 people by name, and where the next page begins ('' at the end). Four queries, whatever their number."""
    people = Person.objects.select_related("operator").prefetch_related("assignments__team")
    if q:
        people = people.filter(Q(name__icontains=q) | Q(email__icontains=q))
    if role:
        people = people.filter(assignments__role=role).distinct()
    if state in {"active", "inactive"}:
        people = people.filter(is_active=state == "active")
    name, _, number = after.rpartition("~")
    if name and _is_uuid(number):
        people = people.filter(Q(name__gt=name) | Q(name=name, id__gt=number))
    found = list(people.order_by("name", "id")[: PAGE + 1])
    rows = _rows(found[:PAGE])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return rows, f"{last.name}~{last.id}" if last else ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _rows(people: list[Person]) -> list[Row]:
    operators = {person.id: getattr(person, "operator", None) for person in people}
    ids = [operator.pk for operator in operators.values() if operator]
    guarded = set(
        Authenticator.objects.filter(user_id__in=ids, type__in=FACTORS).values_list("user_id", flat=True)
    )
    rows = []
    for person in people:
        operator = operators[person.id]
        rows.append(
            Row(
                person=person,
                operator=operator,
                roles=sorted(person.assignments.all(), key=lambda a: (a.role, a.account_id)),
                has_factor=bool(operator and operator.pk in guarded),
                last_login=operator.last_login if operator else None,
            )
        )
    return rows


def factors_of(operator: Operator) -> list[Authenticator]:
    """Second factors, apart from recovery codes."""
    return list(Authenticator.objects.filter(user=operator, type__in=FACTORS).order_by("created_at"))


def sessions_of(operator: Operator) -> list[OperatorSession]:
    """Where the operator is signed in, the newest activity first."""
    lasting = OperatorSession.objects.filter(operator=operator, expire_date__gt=datetime.now(tz=UTC))
    return list(lasting.order_by("-seen_at"))


def signed_in_counts() -> tuple[int, int]:
    """How many sessions last, and of how many people."""
    lasting = OperatorSession.objects.filter(operator__isnull=False, expire_date__gt=datetime.now(tz=UTC))
    counted = lasting.aggregate(sessions=Count("pk"), people=Count("operator", distinct=True))
    return counted["sessions"], counted["people"]


def teams() -> QuerySet[Team]:
    """All teams with the number of their rules and leads."""
    return Team.objects.annotate(
        rule_count=Count("rules", distinct=True), lead_count=Count("assignments", distinct=True)
    ).order_by("name")
