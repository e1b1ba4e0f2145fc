"""Updates runs from their changes: people join the directory, grants are written, the status of the run is
set. Idempotent, and repeated periodically.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, UUIDField

from iam.access.grants.grant_content import GrantContent, WhatKind
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import ADD_TO_GROUP, PutInlinePolicy
from iam.changes.operations.principals import CreateUser
from iam.compiled_queries import CompiledQuery
from iam.directory.provisioning import provision_person
from iam.people.blueprint_grants import HoldingReason, given_by, write_grant
from iam.people.causes import OF_MOVE
from iam.people.onboarding.invitation import invite_when_made
from iam.people.onboarding.models import (
    OF_ONBOARDING,
    OF_RETRY,
    OnboardedPerson,
    OnboardingRun,
    ProvisionedUser,
)
from iam.people.onboarding.pasted_rows import last_moment
from iam.people.onboarding.queries import ProvisionedUserChanges, held_by
from iam.people.runs.models import RunState
from iam.people.runs.reconcile import end_state, progress_state, set_state
from iam.prepared_statements import QueryParam

GRANTS: Final = UUID("3a7a4a3e-5b1c-4a53-9f49-2a8f6f1f6c11")
"""The namespace for the id of a grant, derived from a newcomer and the permission."""
BATCH: Final = 200
"""Maximum number of places to look after per periodic run."""


def change_ended(change: Change) -> None:
    """Reconcile the place of a change that ended (a handler for `iam.changes.handlers`): when the user is
    created, and when the last of its changes has ended.
    """
    group = change.change_set
    if group.cause_kind not in (OF_ONBOARDING, OF_RETRY, OF_MOVE) or (
        change.state == ChangeState.REJECTED and change.branch
    ):
        return
    first = group.cause_id if group.cause_kind == OF_RETRY else group.pk
    for mapping in _ENDED_AT.mappings(change_set=group.pk, first=first, lane=change.lane):
        is_made = change.operation == CreateUser.spec.slug and change.state == ChangeState.APPLIED
        if not mapping["is_busy"] and mapping["settled_at"] is None:
            reconcile_user(_users().get(pk=mapping["pk"]))
        elif is_made and mapping["joined_at"] is None:
            _join(_users().get(pk=mapping["pk"]))
        state = mapping["newcomer__run__state"]
        if state == RunState.WAITING or (state == RunState.RUNNING and not mapping["is_set_busy"]):
            reconcile(mapping["newcomer__run"])


def reconcile_open(*, older_than: timedelta = timedelta(seconds=20)) -> int:
    """Reconcile users that missed the end of a change because a process was lost. Returns how many were
    looked at.
    """
    before = datetime.now(tz=UTC) - older_than
    runs = OnboardingRun.objects.filter(state__in=[RunState.WAITING, RunState.RUNNING], asked_at__lt=before)
    busy = Change.objects.filter(
        Q(change_set=OuterRef("change_set")) | Q(change_set__cause_id=OuterRef("change_set")),
        lane=OuterRef("lane"),
        state__in=OPEN,
    )
    missed = list(_users().filter(~Exists(busy), newcomer__run__in=runs, settled_at__isnull=True)[:BATCH])
    for user in missed:
        reconcile_user(user)
    for pk in runs.values_list("pk", flat=True):
        reconcile(pk)
    return len(missed)


def reconcile_user(place: ProvisionedUser) -> None:
    """Add the person and their user to the directory once the user exists. When all changes have ended, write
    the grants.
    """
    place_changes = held_by([place])[0]
    made = next(
        (change for change in place_changes.applied if change.operation == CreateUser.spec.slug), None
    )
    if made is not None and place.joined_at is None:
        _join(place)
    if place_changes.is_open or place.settled_at is not None:
        return
    with transaction.atomic():
        if not ProvisionedUser.objects.filter(pk=place.pk, settled_at__isnull=True).update(
            settled_at=datetime.now(tz=UTC)
        ):
            return
        if made is not None or place_changes.is_taken_in:
            _grant(place, place_changes)
            invite_when_made(place.newcomer)


def reconcile(run_id: UUID) -> None:
    """Set the status of a run from its changes."""
    with transaction.atomic():
        run = OnboardingRun.objects.select_for_update().filter(pk=run_id).first()
        if run is None or run.state not in (RunState.WAITING, RunState.RUNNING):
            return
        sets = ProvisionedUser.objects.filter(newcomer__run=run).values("change_set")
        retried = Q(change_set__cause_kind=OF_RETRY, change_set__cause_id__in=sets)
        state = progress_state(Change.objects.filter(Q(change_set__in=sets) | retried))
        if state != RunState.WAITING:
            set_state(
                run,
                state or _end_of(run),
                kind="onboarding.state",
                subject=run.reference,
                facts={"run": run.pk},
            )


def _ended_at() -> Any:
    """Return the place of a lane of changes, and whether some of the lane (`is_busy`) or of its set
    (`is_set_busy`) are in progress.
    """
    lane = QueryParam("lane", IntegerField())
    busy = Change.objects.filter(change_set=QueryParam("change_set", UUIDField()), state__in=OPEN)
    places = ProvisionedUser.objects.filter(change_set=QueryParam("first", UUIDField()), lane=lane)
    places = places.annotate(is_busy=Exists(busy.filter(lane=lane)), is_set_busy=Exists(busy))
    names = ("pk", "settled_at", "joined_at", "newcomer__run", "newcomer__run__state")
    return places.values(*names, "is_busy", "is_set_busy")


_ENDED_AT = CompiledQuery(_ended_at)


def _users() -> QuerySet[ProvisionedUser]:
    return ProvisionedUser.objects.select_related("newcomer__run__version__blueprint__team", "account")


def _end_of(run: OnboardingRun) -> RunState:
    users = held_by(list(ProvisionedUser.objects.filter(newcomer__run=run)))
    return end_state(
        is_any_applied=any(user.applied for user in users), is_any_left=any(user.failed for user in users)
    )


def _join(place: ProvisionedUser) -> None:
    newcomer = place.newcomer
    with transaction.atomic():
        if not ProvisionedUser.objects.filter(pk=place.pk, joined_at__isnull=True).update(
            joined_at=datetime.now(tz=UTC)
        ):
            return
        provision_person(
            newcomer.person_id,
            name=newcomer.name,
            email=newcomer.email,
            user_arn=place.user_arn,
            why=newcomer.run.reference,
        )


def _grant(place: ProvisionedUser, place_changes: ProvisionedUserChanges) -> None:
    """Write a grant for each applied membership and template policy, so that the ledger has its reason and
    end.
    """
    newcomer = place.newcomer
    again = [
        change.change_set_id for change in place_changes.latest if change.change_set_id != place.change_set_id
    ]
    retry = again[-1] if again else None
    run = newcomer.run
    for change in place_changes.applied:
        what = _what(change, newcomer)
        if what is None:
            continue
        reason = HoldingReason(
            key="onboarding",
            why=f"Onboarded into {run.version.blueprint.team.name} by {run.reference}: {run.reason}",
            requested_by=run.requested_by,
            requested_label=run.requested_label,
            since=change.queued_at,
            until=last_moment(newcomer.until),
            retry=retry,
        )
        grant_id = uuid5(GRANTS, f"{newcomer.pk}:{place.account_id}:{change.branch}")
        write_grant(grant_id, given_by(change, what, holder_arn=place.user_arn, reason=reason), reason=reason)


def _what(change: Change, newcomer: OnboardedPerson) -> GrantContent | None:
    if change.operation == ADD_TO_GROUP.slug:
        return GrantContent(WhatKind.GROUP, group_arn=str(change.params["group_arn"]))
    if change.operation == PutInlinePolicy.spec.slug:
        # The templates come after the groups, in the order of the blueprint.
        body = newcomer.run.version.body
        place = change.branch - 1 - len(body.groups)
        if 0 <= place < len(body.templates):
            return body.templates[place].grant_content
    return None
