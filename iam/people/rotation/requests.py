"""Starts rotations: of one key while the page waits, of many in a worker, with a change set for up to a
hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from iam.changes import services as changes
from iam.changes.errors import FieldChecks, RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.user_credential import ACTIVE, DeleteCredential
from iam.changes.receipts import set_receipt_of
from iam.changes.services import SetCause, SetLane
from iam.changes.services.plans import ChangePlan
from iam.changes.services.requests import WeighedRequest
from iam.directory.models import Person, Team
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.linking.owners import owning_team
from iam.mirror.models import NEVER, Entity, Usage
from iam.people.rotation.events import end, move_to, record_event
from iam.people.rotation.models import OF_ROTATION, Rotation, RotationOutcome, RotationRun, RotationStage
from iam.people.rotation.rotation_plan import (
    RotationTerms,
    check_begin,
    check_room,
    check_terms,
    creation,
    for_own,
    keys_of,
    notes_for,
    operations_of,
    owner_of,
)
from iam.people.rotation.selection import KeySelection, choose
from iam.people.runs.models import RunState, requester
from iam.people.runs.requests import RunKind, batches

REQUEST_BATCH: Final = "iam.people.rotation.tasks.request_batch"
BATCH_SIZE: Final = 100
"""Maximum number of keys per change set, so that an approver still sees each of them."""
MAX_ROTATIONS: Final = 10_000


@dataclass(frozen=True, slots=True)
class PlannedRotation:
    """A rotation and its first changes, planned against the mirror."""

    rotation: Rotation
    plans: list[ChangePlan]


def begin(viewer: Viewer, old: Entity, terms: RotationTerms, *, first: Entity | None = None) -> Rotation:
    """Request the new key at once. An open rotation of this key by the same person is returned instead.
    Raises RefusedError, and then nothing is written.
    """
    standing = (
        Rotation.objects.filter(old=old).exclude(stage=RotationStage.ENDED).select_related("user").first()
    )
    is_repeated = standing is not None and standing.begun_by_id == viewer.person_id
    if standing is not None and is_repeated and not terms.unreadable:
        return standing
    checks = FieldChecks()
    checks.collect(lambda: check_terms(terms))
    person = checks.collect(
        lambda: check_begin(viewer, old, first=first, is_for_me=terms.is_for_me, recipient=terms.recipient)
    )
    checks.finish()
    assert person is not None
    beginner = Person.objects.get(pk=viewer.person_id)
    owned = owning_team(owner_of(old))
    team = owned.team if owned else None
    run = RotationRun(**requester(viewer), reason=terms.reason.strip(), state=RunState.REQUESTED)
    made = _row(run, beginner, old, terms, person=person, team=team, first=first)
    planned = plan_one(made, viewer)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            made.save(force_insert=True)
            record_event(made, "begin", _begun(made), actor=viewer, reason=run.reason)
            _ask([planned], viewer, terms)
    except IntegrityError:
        return Rotation.objects.select_related("user").exclude(stage=RotationStage.ENDED).get(user=made.user)
    return made


def preview(viewer: Viewer, old: Entity, *, person: Person, first: Entity | None) -> list[ChangePlan]:
    """Return the plans of what would be requested, according to the mirror. Raises RefusedError."""
    made = creation(owner_of(old), person=person, sealed_id=uuid4(), first=first)
    operations = [DeleteCredential.of(first), made] if first else [made]
    return changes.plan_set(operations, viewer=for_own(viewer))


def begin_many(viewer: Viewer, keys: Sequence[int], terms: RotationTerms) -> tuple[RotationRun, KeySelection]:
    """Write rotations for the keys with these ids and have a worker request them. Returns the run and the
    selection.

    Keys that can't be rotated are left out, as the preview shows. Raises RefusedError.
    """
    check_terms(terms)
    if len(keys) > MAX_ROTATIONS:
        raise RefusedError(f"These are {len(keys):,} keys, and the limit is {MAX_ROTATIONS:,}. Choose fewer.")
    choice = choose(viewer, keys)
    if not choice.chosen:
        raise RefusedError("None of these keys can be rotated now.")
    beginner = Person.objects.get(pk=viewer.person_id)
    run = RotationRun(**requester(viewer))
    run.begin_submission(terms.reason.strip())
    rows = [
        _row(run, beginner, chosen.key, terms, person=chosen.person, team=chosen.team)
        for chosen in choice.chosen
    ]
    with transaction.atomic():
        run.save(force_insert=True)
        # Someone may have started one of them in the meantime. The constraint leaves it out.
        Rotation.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        record(
            kind="rotation.begin_many",
            actor=viewer,
            subject=f"{len(rows)} keys",
            data={"batch": run.pk, "keys": len(rows), "reason": run.reason},
        )
    return ROTATION.submit(run, by_worker=True), choice


def plan_one(rotation: Rotation, viewer: Viewer) -> PlannedRotation:
    """Plan the first changes of a rotation. Raises RefusedError."""
    return PlannedRotation(rotation, changes.plan_set(operations_of(rotation), viewer=for_own(viewer)))


def _request_rows(run: RotationRun) -> None:
    """Request the waiting rotations of a run, one set after another. It is safe to run in several workers at
    once.
    """
    pks = _waiting(run).order_by("pk").values_list("pk", flat=True)
    for batch in batches(list(pks), size=lambda _: 1, most=BATCH_SIZE):
        rows = list(_waiting(run).filter(pk__in=batch).order_by("pk"))
        if not rows:
            continue
        try:
            _ask_rows(run, rows)
        except RefusedError as refused:
            # The set as a whole was refused, for example because no one could approve it.
            _end_refused(run, {row.pk: refused.message for row in rows})


def _is_requested(run: RotationRun) -> bool:
    """Return True if none of its rotations waits: each was requested or has ended with a reason."""
    return not _waiting(run).exists()


def _ask_rows(run: RotationRun, rows: Sequence[Rotation]) -> None:
    """Request one set for the rotations that can be requested, and end the others with the reason."""
    viewer = viewer_for(rows[0].begun_by)
    planned: list[PlannedRotation] = []
    refused: dict[UUID, str] = {}
    for row in rows:
        row.sealed_id = row.sealed_id or uuid4()
        try:
            check_room(keys_of(row.user), old=row.old, first=None)
            planned.append(plan_one(row, viewer))
        except RefusedError as error:
            refused[row.pk] = error.message
    _end_refused(run, refused)
    with transaction.atomic():
        living = {rotation.pk for rotation in _locked(run, [row.pk for row in rows])}
        left = [ready for ready in planned if ready.rotation.pk in living]
        if left:
            first = left[0].rotation
            terms = RotationTerms(run.reason, first.is_automatic, first.quiet_days, first.keep_days)
            _ask(left, viewer, terms)


def _end_refused(run: RotationRun, refused: Mapping[UUID, str]) -> None:
    """End waiting rotations with the reason why they can't be requested."""
    if not refused:
        return
    with transaction.atomic():
        for row in _locked(run, list(refused)):
            end(row, RotationOutcome.REFUSED, refused[row.pk], actor=None)


def _locked(run: RotationRun, pks: Sequence[UUID]) -> list[Rotation]:
    return list(_waiting(run).filter(pk__in=pks).select_for_update(of=("self",)))


def _ask(planned: Sequence[PlannedRotation], viewer: Viewer, terms: RotationTerms) -> None:
    """Request the set of these rotations, in the caller's transaction. Raises RefusedError."""
    plans = list(chain.from_iterable(rotation_planned.plans for rotation_planned in planned))
    lanes = []
    for lane, rotation_planned in enumerate(planned):
        lanes.extend([SetLane(lane) for _ in rotation_planned.plans])
    operations: list[Operation] = [plan.operation for plan in plans]
    rotation = planned[0].rotation
    # The request is done when the new keys exist; the rotations go on.
    title = f"Create {len(planned)} access keys that replace old ones"
    if len(planned) == 1:
        title = f"Create an access key for {rotation.user.name} that replaces {rotation.old.aws_id}"
    written = changes.request_changes(
        WeighedRequest(plans, set_receipt_of(operations)),
        actor=for_own(viewer),
        reason=terms.reason,
        idempotency_key=f"rotate-{rotation.pk.hex}",
        title=title,
        cause=SetCause(OF_ROTATION, rotation.run_id),
        lanes=lanes,
        notes=notes_for(
            terms,
            olds=[rotation_planned.rotation.old.aws_id for rotation_planned in planned],
            teams={
                rotation_planned.rotation.team.name
                for rotation_planned in planned
                if rotation_planned.rotation.team
            },
        ),
    )
    at = 0
    for rotation_planned in planned:
        _asked(rotation_planned.rotation, written[at + len(rotation_planned.plans) - 1], viewer)
        at += len(rotation_planned.plans)


def _asked(rotation: Rotation, change: Change, viewer: Viewer) -> None:
    known = Usage.objects.filter(entity=rotation.old, last_used_at__gt=NEVER).first()
    if known is not None:
        rotation.old_used_at = known.last_used_at
        rotation.old_service, rotation.old_region = known.service, known.region
    move_to(
        rotation,
        RotationStage.ASKED,
        change=change,
        agreed=change,
        issues=1,
        sealed_id=rotation.sealed_id,
        old_state=ACTIVE,
        old_used_at=rotation.old_used_at,
        old_service=rotation.old_service,
        old_region=rotation.old_region,
    )
    record_event(rotation, "ask", "A new key was requested.", actor=viewer, change=change)


def _row(
    run: RotationRun,
    beginner: Person,
    old: Entity,
    terms: RotationTerms,
    *,
    person: Person,
    team: Team | None,
    first: Entity | None = None,
) -> Rotation:
    now = datetime.now(tz=UTC)
    return Rotation(
        run=run,
        person=person,
        team=team,
        user=owner_of(old),
        old=old,
        first=first,
        is_automatic=terms.is_automatic,
        quiet_days=terms.quiet_days,
        keep_days=terms.keep_days,
        begun_by=beginner,
        begun_at=now,
        stage_at=now,
        sealed_id=uuid4(),
    )


def _begun(row: Rotation) -> str:
    first = f" The key {row.first.aws_id} is deleted first." if row.first else ""
    return f"Rotation of {row.old.aws_id} started.{first}"


def _waiting(run: RotationRun) -> QuerySet[Rotation]:
    rows = run.rotations.filter(stage=RotationStage.WAITING)
    return rows.select_related(
        "run", "user__account", "old__owner", "old__account", "first", "person", "team", "begun_by"
    )


ROTATION: Final = RunKind(
    model=RotationRun,
    task=REQUEST_BATCH,
    requested=RunState.REQUESTED,
    request_rows=_request_rows,
    is_requested=_is_requested,
    record_request=lambda run: None,
)
