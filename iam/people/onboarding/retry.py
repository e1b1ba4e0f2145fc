"""Queues failed or lost changes of a run again under their existing approval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.guard import Viewer
from iam.people.onboarding.models import OF_RETRY, OnboardingRun, ProvisionedUser
from iam.people.runs.models import RunState

Stuck = tuple[ProvisionedUser, Change]
"""A change to queue again, and its user."""


def queue_again(
    run: OnboardingRun,
    stuck: Sequence[Stuck],
    operation_of: Callable[[ProvisionedUser, Change], Operation],
    *,
    actor: Viewer,
    reason: str,
    title_of: Callable[[Sequence[ProvisionedUser]], str],
    key: str,
) -> None:
    """Queue operations in place of these changes, in one new set per original set. The run is in progress
    again. The caller holds its row lock.
    """
    run.trials += 1
    run.state, run.ended_at = RunState.RUNNING, None
    run.save(update_fields=["trials", "state", "ended_at"])
    ProvisionedUser.objects.filter(pk__in={place.pk for place, _ in stuck}).update(settled_at=None)
    for set_id in dict.fromkeys(place.change_set_id for place, _ in stuck):
        of_set = [(place, change) for place, change in stuck if place.change_set_id == set_id]
        places = [place for place, _ in of_set]
        queue_accepted(
            [operation_of(place, change) for place, change in of_set],
            with_set=places[0].change_set,
            actor=actor,
            reason=reason,
            title=title_of(places),
            cause=SetCause(OF_RETRY, set_id),
            key=f"{key}-{run.id.hex}-{run.trials}-{set_id.hex[:8]}",
            lanes=[SetLane(place.lane, change.branch) for place, change in of_set],
        )


def new_seal(run: OnboardingRun, place: ProvisionedUser, sort: str) -> UUID:
    """Assign a new seal for the secret of this attempt and return its id. `sort` is "password" or "key"."""
    made = seal_id(person_id=place.newcomer.person_id, key=f"{run.id.hex}:{place.pk}:{run.trials}:{sort}")
    setattr(place, f"{sort}_seal", made)
    place.save(update_fields=[f"{sort}_seal"])
    return made
