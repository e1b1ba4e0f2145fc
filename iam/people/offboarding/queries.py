"""Queries for the leavers that a viewer can see, the changes of each, and the roles that trust them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from iam.changes.models import OPEN, Change, ChangeState
from iam.guard import Viewer
from iam.people.offboarding.models import OF_REST, Leaver, OffboardedUser, OffboardingRun, OffboardingStage
from iam.people.runs.models import RunState
from iam.search_words import matches


def visible_leavers(viewer: Viewer) -> QuerySet[Leaver]:
    """Return the requested leavers that the viewer can see: all if they can see all accounts, or else those
    of their accounts and of the teams that they lead.
    """
    asked = Leaver.objects.exclude(stage=OffboardingStage.DRAFT).select_related("run")
    if viewer.scope.sees_everything:
        return asked
    seen = Q(pk__in=[])
    if viewer.scope.accounts:
        seats = OffboardedUser.objects.filter(account__account_id__in=viewer.scope.accounts)
        seen |= Q(pk__in=seats.values("leaver"))
    for slug in viewer.leads:
        # A list of slugs as JSON, in which each is quoted.
        seen |= Q(teams__icontains=f'"{slug}"')
    return asked.filter(seen)


def leaver_for(viewer: Viewer, pk: UUID) -> Leaver | None:
    """Return the leaver if the viewer can see them, or None."""
    return visible_leavers(viewer).filter(pk=pk).first()


def openable(viewer: Viewer, leavers: Iterable[Leaver | None]) -> set[UUID]:
    """Return the ids of the leavers whose pages the viewer can open. Without leavers, there is no query."""
    wanted = [leaver.pk for leaver in leavers if leaver is not None]
    return (
        set(visible_leavers(viewer).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    )


def run_for(viewer: Viewer, pk: UUID) -> OffboardingRun | None:
    """Return the run if the viewer can see one of its people. Only its author can see a draft."""
    mine = (
        OffboardingRun.objects.filter(pk=pk, requested_by=viewer.person_id)
        .exclude(state=RunState.REQUESTED)
        .first()
    )
    if mine is not None:
        return mine
    return OffboardingRun.objects.filter(pk=pk, people__in=visible_leavers(viewer).values("pk")).first()


def listed(
    viewer: Viewer, *, stages: Sequence[str] = (), text: str = "", start: int, limit: int
) -> list[Leaver]:
    """Return leavers, newest first, annotated with their number of users (`users`), with one query."""
    rows = visible_leavers(viewer)
    if stages:
        rows = rows.filter(stage__in=stages)
    if text:
        rows = rows.filter(matches(text, "name", "email", "seats__user_name"))
    rows = rows.annotate(users=Count("seats", distinct=True)).order_by("-run__created_at", "position", "pk")
    return list(rows[start : start + limit])


def counts_by_stage(viewer: Viewer) -> dict[str, int]:
    """Return the number of leavers per stage, with one query."""
    rows = visible_leavers(viewer).order_by().values_list("stage").annotate(n=Count("pk"))
    return dict(rows)


def needs_attention(viewer: Viewer) -> QuerySet[Leaver]:
    """Return leavers that need action: a suspension to confirm, or access that is still open.
    Newest first.
    """
    waits = visible_leavers(viewer).filter(
        stage__in=[OffboardingStage.SUSPENDED, OffboardingStage.OPEN, OffboardingStage.PARTLY]
    )
    return waits.order_by("-run__created_at", "pk")


def drafts_of(viewer: Viewer) -> list[OffboardingRun]:
    """Return the viewer's lists that are not requested yet, newest first."""
    rows = OffboardingRun.objects.filter(requested_by=viewer.person_id).exclude(state=RunState.REQUESTED)
    return list(rows.annotate(people_count=Count("people")).order_by("-created_at")[:10])


@dataclass(frozen=True, slots=True)
class OffboardedUserChanges:
    """A seat and its changes, in the order of the requests."""

    seat: OffboardedUser
    changes: tuple[Change, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """True if some of the changes are still open."""
        return any(change.state in OPEN for change in self.changes)

    @property
    def applied(self) -> int:
        """The number of applied changes."""
        return sum(change.state == ChangeState.APPLIED for change in self.changes)

    @property
    def failed(self) -> list[Change]:
        """The changes that ended without being applied."""
        return [
            change
            for change in self.changes
            if change.state not in (*OPEN, ChangeState.APPLIED, ChangeState.DRAFT)
        ]


def held_by(leavers: Sequence[Leaver]) -> dict[UUID, list[OffboardedUserChanges]]:
    """Return the seats of the leavers with their changes, by leaver, with three queries."""
    seats = list(
        OffboardedUser.objects.filter(leaver__in=leavers)
        .select_related("account", "user")
        .order_by("account__name", "pk")
    )
    sets = {seat.change_set_id for seat in seats if seat.change_set_id}
    rows: dict[UUID, list[Change]] = defaultdict(list)
    places = {(seat.change_set_id, seat.lane): seat.pk for seat in seats}
    first = Change.objects.filter(change_set__in=sets).select_related("account").order_by("position")
    for change in first:
        place = places.get((change.change_set_id, change.lane))
        if place is not None:
            rows[place].append(change)
    again = Change.objects.filter(
        change_set__cause_kind=OF_REST, change_set__cause_id__in=[seat.pk for seat in seats]
    )
    for change in again.prefetch_related("account", "change_set").order_by("created_at", "position"):
        assert change.change_set.cause_id is not None
        rows[change.change_set.cause_id].append(change)
    seats_by_leaver: dict[UUID, list[OffboardedUserChanges]] = defaultdict(list)
    for seat in seats:
        seats_by_leaver[seat.leaver_id].append(OffboardedUserChanges(seat, tuple(rows[seat.pk])))
    return seats_by_leaver
