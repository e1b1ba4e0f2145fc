"""Which runs somebody sees, how the changes of each place stand, and the checklist of each person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from iam.changes.models import OPEN, Change, ChangeSet, ChangeState
from iam.changes.operations.user import CreateUser
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
    """Runs of the teams whose blueprints the viewer sees; drafts are seen by who writes them."""
    seen = OnboardingRun.objects.filter(version__blueprint__in=visible_blueprints(viewer).values("pk"))
    others = seen.exclude(state=RunState.DRAFT)
    mine = seen.filter(state=RunState.DRAFT, requested_by=viewer.person_id)
    return (others | mine).select_related("version__blueprint__team")


def run_for(viewer: Viewer, pk: UUID) -> OnboardingRun | None:
    """The run, if the viewer sees it."""
    return visible_runs(viewer).filter(pk=pk).first()


@dataclass(frozen=True, slots=True)
class ProvisionedUserChanges:
    """The changes of a place: for each thing that it gives the newest trial, in their order."""

    latest: tuple[Change, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of them by itself."""
        return any(change.state in OPEN or change.state == ChangeState.DRAFT for change in self.latest)

    @property
    def is_taken_in(self) -> bool:
        """Whether the user was there before."""
        return all(change.operation != CreateUser.spec.slug for change in self.latest)

    @property
    def failed(self) -> list[Change]:
        """What did not come true."""
        return [
            change
            for change in self.latest
            if change.state not in (*OPEN, ChangeState.DRAFT, ChangeState.APPLIED)
        ]

    @property
    def applied(self) -> list[Change]:
        """What did."""
        return [change for change in self.latest if change.state == ChangeState.APPLIED]


def held_by(places: Sequence[ProvisionedUser]) -> list[ProvisionedUserChanges]:
    """What became of each place; two queries, whatever their number."""
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
    """The sets that are approved, in the order in which they were asked for."""
    first = ProvisionedUser.objects.filter(newcomer__run=run).values("change_set").distinct()
    return list(ChangeSet.objects.filter(pk__in=first).order_by("created_at", "pk"))


def places_of(people: Iterable[OnboardedPerson]) -> dict[int, list[ProvisionedUser]]:
    """The places of some people, by newcomer."""
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
    """Runs, the newest first, each with how many people it is for: rows that need fixing are left out; one
    query.
    """
    is_ready = Q(people__standing=RowStatus.READY)
    rows = visible_runs(viewer).annotate(people_count=Count("people", filter=is_ready, distinct=True))
    return [(run, run.people_count) for run in rows.order_by("-created_at", "-id")[start : start + limit]]


class RunCounts(NamedTuple):
    """How many changes of a run are in each state, and the people of whom something failed."""

    states: dict[str, int]
    failed: frozenset[int]


def counts_of(run: OnboardingRun) -> RunCounts:
    """Of what was tried again the newest counts. Few queries, whatever the size."""
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
    """The people of a run who are asked for, by their place in the file; whose name, address or user name
    holds the text, and of these numbers.
    """
    people = run.people.filter(standing=RowStatus.READY)
    if only is not None:
        people = people.filter(pk__in=only)
    if text:
        people = people.filter(matches(text, "name", "email", "user_name"))
    return people
