"""Defines a kind of audit request: its rows, who decides on them, and how they are displayed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db.models import Case, F, Model, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, Replace

from iam.access.own_principals import own_principals
from iam.audit.approval_requests.requests import DECIDES, RequestState
from iam.directory.models import Person, Role, RoleAssignment
from iam.guard import Viewer
from iam.mirror.models import Entity
from iam.notify.events import NotifyEvent
from iam.notify.services import notify

M = TypeVar("M", bound=Model)
ROLES: Final = (Role.APPROVER, Role.ADMINISTRATOR)
"""People with one of these rights can decide."""
EVERY_ACCOUNT: Final = ""


def outcome_of(row: Any) -> tuple[str, str]:
    """Return the outcome of an approved or declined row in words, with its tone."""
    return row.get_state_display(), "ok" if row.state == "approved" else "bad"


def waiting_rows(model: type[M], *related: str) -> Callable[[], QuerySet[M]]:
    """The undecided rows of a model, oldest first, with related rows loaded."""
    return lambda: _rows(model, related, state=RequestState.REQUESTED).order_by("requested_at", "pk")


def decided_rows(model: type[M], *related: str) -> Callable[[], QuerySet[M]]:
    """The approved or declined rows of a model."""
    states = (RequestState.APPROVED, RequestState.DECLINED)
    return lambda: _rows(model, related, state__in=states)


def _rows(model: type[M], related: Sequence[str], **states: Any) -> QuerySet[M]:
    rows = model._default_manager.filter(**states)
    return rows.select_related(*related) if related else rows


@dataclass(frozen=True, slots=True)
class RequestKind(Generic[M]):
    """A kind of audit request.

    `waiting` are undecided rows with everything that the other functions read. `within` filters rows that
    concern only certain accounts; `accounts_of` returns the account IDs of a row (empty: all).

    `own` are the rows that a person can't decide on, `barred` the people who can't decide on a row.
    `asked_by` is the column of the requester; `asked` returns their name and the time. With `alone`, a single
    operator decides on their own requests.

    `decided` are decided rows, `decided_columns` the columns of decider and time for each decision of a row,
    `outcome` the decision in words with its tone, and `decided_title` the title after the decision.

    `own_interest` returns why a person can't approve a row that concerns their own users and roles, otherwise
    "".
    """

    name: str
    label: str
    waiting: Callable[[], QuerySet[M]]
    within: Callable[[QuerySet[M], Collection[str]], QuerySet[M]]
    accounts_of: Callable[[M], Collection[str]]
    title: Callable[[M], str]
    path: Callable[[M], str]
    decided: Callable[[], QuerySet[M]]
    outcome: Callable[[M], tuple[str, str]] = outcome_of
    reason: Callable[[M], str] = lambda row: row.reason  # type: ignore[attr-defined]
    asked: Callable[[M], tuple[str, datetime]] = lambda row: (row.requested_name, row.requested_at)  # type: ignore[attr-defined]
    decided_columns: Sequence[tuple[str, str]] = (("decided_by", "decided_at"),)
    decided_title: Callable[[M], str] | None = None
    asked_by: str = "requested_by"
    own: Callable[[UUID], Q] = lambda person: Q(requested_by=person)
    barred: Callable[[M], Collection[UUID | None]] = lambda row: [row.requested_by]  # type: ignore[attr-defined]
    own_interest: Callable[[M, Sequence[Entity]], str] = lambda row, own: ""
    alone: bool = True

    def decidable(self, viewer: Viewer, *, is_single: bool) -> QuerySet[M]:
        """The rows that a viewer can decide on."""
        rows = self.waiting()
        numbers = accounts_decided(viewer)
        if numbers is not None:
            rows = self.within(rows, numbers) if numbers else rows.none()
        if is_single and self.alone:
            return rows
        return rows.exclude(self.own(viewer.person_id))

    def requested_by(self, viewer: Viewer) -> QuerySet[M]:
        """The rows that the viewer requested."""
        return self.waiting().filter(**{self.asked_by: viewer.person_id})

    def why_not_approve(self, row: M, viewer: Viewer, *, is_single: bool) -> str:
        """Return why someone who can decide on a row can't approve it because it concerns their own access;
        "" if they can approve it.

        They can still decline it. A single operator can do both.
        """
        if is_single and self.alone:
            return ""
        return self.own_interest(row, own_principals(viewer.person_id))

    def decided_by(self, viewer: Viewer) -> QuerySet[M]:
        """The rows that the viewer decided on, newest first, with `own_decision_at`."""
        person = viewer.person_id
        moments = [When(Q(**{by: person}), then=F(at)) for by, at in self.decided_columns]
        rows: QuerySet[Any] = self.decided().annotate(own_decision_at=Case(*moments, default=None))
        return rows.filter(own_decision_at__isnull=False).order_by("-own_decision_at", "pk")

    def title_afterwards(self, row: M) -> str:
        """The title of a decided row."""
        return (self.decided_title or self.title)(row)

    def decided_at(self, row: M) -> datetime:
        """When the viewer decided on a row of `decided_by`."""
        moment: datetime = row.own_decision_at  # type: ignore[attr-defined]
        return moment

    def who_decides(self, row: M) -> list[Person]:
        """The active people who can decide on a row."""
        numbers = set(self.accounts_of(row))
        assignments = RoleAssignment.objects.filter(
            role__in=ROLES, person__is_active=True, account_id__in=[EVERY_ACCOUNT, *numbers]
        ).exclude(person__in=[person for person in self.barred(row) if person])
        people: dict[UUID, Person] = {}
        accounts_held: dict[UUID, set[str]] = {}
        for assignment in assignments.select_related("person").order_by("person__name", "person_id"):
            people[assignment.person_id] = assignment.person
            accounts_held.setdefault(assignment.person_id, set()).add(assignment.account_id)
        able = []
        for pk, person in people.items():
            if EVERY_ACCOUNT in accounts_held[pk] or (numbers and numbers <= accounts_held[pk]):
                able.append(person)
        return able

    def tell(self, row: M, *, at: datetime) -> int:
        """Notify the people who can decide, in the caller's transaction. Returns the number of messages."""
        return notify(
            NotifyEvent.WAITING,
            people=self.who_decides(row),
            subject=f"Waiting for your approval: {self.title(row)}",
            text=f"Requested by {self.asked(row)[0]}. {self.reason(row)}",
            path=self.path(row),
            key=f"{self.name}:{row.pk}:{at.timestamp():.0f}",
        )


def accounts_decided(viewer: Viewer) -> frozenset[str] | None:
    """The accounts in which a viewer decides on requests; None for all."""
    numbers = frozenset(account for right, account in viewer.grants if right in DECIDES)
    return None if EVERY_ACCOUNT in numbers else numbers


def in_own_interest(entity: Entity, why: str) -> str:
    """The sentence of a refusal, with the viewer's own user or role and the reason."""
    whose = f"{entity.name} in {entity.account.name} is yours or used by you"
    return f"{whose}, and {why}. Someone else has to approve it; you can decline it."


def within_terms(*paths: tuple[str, str]) -> Callable[[QuerySet[Any], Collection[str]], QuerySet[Any]]:
    """Filter rows whose terms name only some accounts.

    Each path names an annotation and a JSON column with a list "accounts", which is empty for all accounts.
    """

    def within(rows: QuerySet[Any], numbers: Collection[str]) -> QuerySet[Any]:
        for name, column in paths:
            named: Any = Cast(KeyTransform("accounts", column), TextField())
            others = named
            # The two databases have no common expression for a JSON list without other elements.
            for number in sorted(numbers):
                quoted = Value(f'"{number}"', TextField())
                others = Replace(others, quoted, Value("", TextField()))
            rows = rows.annotate(**{f"{name}_named": named, f"{name}_others": others})
            rows = rows.filter(**{f"{name}_named__contains": '"'})
            rows = rows.exclude(**{f"{name}_others__contains": '"'})
        return rows

    return within


def accounts_in(*bodies: Any) -> Sequence[str]:
    """The accounts that JSON terms name together; empty if one of them covers all."""
    numbers: list[str] = []
    for body in bodies:
        if not body["accounts"]:
            return ()
        numbers.extend(body["accounts"])
    return numbers
