"""Queries for the runs that a viewer can see, the changes of each place, and the people of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from iam.changes.models import OPEN, Change, ChangeSet, ChangeState
from iam.changes.operations.principals import CreateUser
from iam.guard import Viewer
from iam.people.blueprints.queries import visible_blueprints
from iam.people.onboarding.models import OF_RETRY, OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.runs.models import RowStatus, RunState
from iam.search_words import matches

_COLUMNS = (
    "pk", "change_set", "lane", "branch", "position", "operation", "title", "state", "params", "subject_arn",
    "error_message", "queued_at", "ended_at", "account", "created_at", "already_so",
)  # fmt: skip


def visible_runs(viewer: Viewer) -> QuerySet[OnboardingRun]:
    """Return runs of the teams whose blueprints the viewer can see. Only its author can see a draft."""
    seen = OnboardingRun.objects.filter(version__blueprint__in=visible_blueprints(viewer).values("pk"))
    others = seen.exclude(state=RunState.DRAFT)
    mine = seen.filter(state=RunState.DRAFT, requested_by=viewer.person_id)
    return (others | mine).select_related("version__blueprint__team")


def run_for(viewer: Viewer, pk: UUID) -> OnboardingRun | None:
    """Return the run if the viewer can see it, or None."""
    return visible_runs(viewer).filter(pk=pk).first()


@dataclass(frozen=True, slots=True)
class ProvisionedUserChanges:
    """The changes of a place: the newest attempt for each thing that it gives, in order."""

    latest: tuple[Change, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """True if some of the changes are still open."""
        return any(change.state in OPEN or change.state == ChangeState.DRAFT for change in self.latest)

    @property
    def is_taken_in(self) -> bool:
        """True if the user existed before."""
        return all(change.operation != CreateUser.spec.slug for change in self.latest)

    @property
    def failed(self) -> list[Change]:
        """The changes that ended without being applied."""
        return [
            change
            for change in self.latest
            if change.state not in (*OPEN, ChangeState.DRAFT, ChangeState.APPLIED)
        ]

    @property
    def applied(self) -> list[Change]:
        """The changes that were applied."""
        return [change for change in self.latest if change.state == ChangeState.APPLIED]


def held_by(places: Sequence[ProvisionedUser]) -> list[ProvisionedUserChanges]:
    """Return the changes of each place, with two queries."""
    firsts = {place.change_set_id for place in places}
    again = dict(
        ChangeSet.objects.filter(cause_kind=OF_RETRY, cause_id__in=firsts).values_list("pk", "cause_id")
    )
    sets = [*firsts, *again]
    lanes = {place.lane for place in places}
    changes_by_lane: dict[tuple[UUID | None, int], dict[int, Change]] = defaultdict(dict)
    rows = Change.objects.filter(change_set__in=sets, lane__in=lanes).only(*_COLUMNS)
    for change in rows.order_by("created_at", "position"):
        first = again.get(change.change_set_id, change.change_set_id)
        changes_by_lane[first, change.lane][change.branch] = change
    return [
        ProvisionedUserChanges(
            tuple(change for _, change in sorted(changes_by_lane[place.change_set_id, place.lane].items()))
        )
        for place in places
    ]


def sets_of(run: OnboardingRun) -> list[ChangeSet]:
    """Return the sets to approve, in the order of the requests."""
    first = ProvisionedUser.objects.filter(newcomer__run=run).values("change_set").distinct()
    return list(ChangeSet.objects.filter(pk__in=first).order_by("created_at", "pk"))


def places_of(people: Iterable[OnboardedPerson]) -> dict[int, list[ProvisionedUser]]:
    """Return the places of the people, by newcomer."""
    places_by_newcomer: dict[int, list[ProvisionedUser]] = defaultdict(list)
    rows = (
        ProvisionedUser.objects.filter(newcomer__in=list(people))
        .select_related("account", "newcomer")
        .order_by("pk")
    )
    for place in rows:
        places_by_newcomer[place.newcomer_id].append(place)
    return places_by_newcomer


def counted_runs(viewer: Viewer, *, start: int, limit: int) -> list[tuple[OnboardingRun, int]]:
    """Return runs, newest first, with their number of people, not counting rows that need fixing.
    One query.
    """
    is_ready = Q(people__standing=RowStatus.READY)
    rows = visible_runs(viewer).annotate(people_count=Count("people", filter=is_ready, distinct=True))
    return [(run, run.people_count) for run in rows.order_by("-created_at", "-id")[start : start + limit]]


class RunCounts(NamedTuple):
    """The number of a run's changes per state, and the people with failed changes."""

    states: dict[str, int]
    failed: frozenset[int]


def counts_of(run: OnboardingRun) -> RunCounts:
    """Return the counts of a run, using the newest attempt of each change. The number of queries is small and
    constant.
    """
    places = list(ProvisionedUser.objects.filter(newcomer__run=run))
    counts: Counter[str] = Counter()
    failed = set()
    for place, place_changes in zip(places, held_by(places), strict=True):
        counts.update(str(change.state) for change in place_changes.latest)
        if any(change.state in (ChangeState.FAILED, ChangeState.UNKNOWN) for change in place_changes.latest):
            failed.add(place.newcomer_id)
    return RunCounts(dict(counts), frozenset(failed))


def people_shown(
    run: OnboardingRun, *, text: str = "", only: Collection[int] | None = None
) -> QuerySet[OnboardedPerson]:
    """Return the requested people of a run, in file order, filtered by these ids and by a text in name,
    address or user name.
    """
    people = run.people.filter(standing=RowStatus.READY)
    if only is not None:
        people = people.filter(pk__in=only)
    if text:
        people = people.filter(matches(text, "name", "email", "user_name"))
    return people
