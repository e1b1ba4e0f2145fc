"""Begin rotations: of one key while the page waits, of many by a worker, a set of changes for up to a
hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from iam import nudge
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.credential_status import DeleteCredential
from iam.changes.operations.user_credential import ACTIVE
from iam.changes.receipts import set_receipt_of
from iam.changes.services import SetCause, SetLane
from iam.changes.services.plans import ChangePlan
from iam.changes.services.requests import Weighed
from iam.directory.models import Person, Team
from iam.guard import Viewer, viewer_for
from iam.journal.services import record
from iam.linking.owners import owning_team
from iam.mirror.models import NEVER, Entity, Usage
from iam.people.rotation.events import end, move_to, note
from iam.people.rotation.models import OF_ROTATION, Outcome, Rotation, Stage
from iam.people.rotation.rotation_plan import (
    Terms,
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
from iam.people.rotation.selection import Choice, choose

REQUEST_BATCH: Final = "iam.people.rotation.tasks.request_batch"
AT_ONCE: Final = 100
"""So many keys are asked for as one set: an approver still sees each of them."""
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A rotation and what it begins with, weighed as the mirror stands."""

    rotation: Rotation
    plans: list[ChangePlan]


def begin(viewer: Viewer, old: Entity, terms: Terms, *, first: Entity | None = None) -> Rotation:
    """Ask for the new key at once. What is under way for this key already is the answer. Raises RefusedError;
    then nothing is written.
    """
    standing = Rotation.objects.filter(old=old).exclude(stage=Stage.ENDED).select_related("user").first()
    if standing is not None and standing.begun_by_id == viewer.person_id:
        return standing
    check_terms(terms)
    person = check_begin(viewer, old, first=first, is_for_me=terms.is_for_me, recipient=terms.recipient)
    beginner = Person.objects.get(pk=viewer.person_id)
    owned = owning_team(owner_of(old))
    team = owned.team if owned else None
    made = _row(beginner, old, terms, person=person, team=team, batch=uuid4(), first=first)
    planned = plan_one(made, viewer)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            note(made, "begin", _begun(made), actor=viewer, reason=made.reason)
            _ask([planned], viewer, terms)
    except IntegrityError:
        return Rotation.objects.select_related("user").exclude(stage=Stage.ENDED).get(user=made.user)
    return made


def preview(viewer: Viewer, old: Entity, *, person: Person, first: Entity | None) -> list[ChangePlan]:
    """What would be asked for, weighed as the mirror stands. Raises RefusedError."""
    made = creation(owner_of(old), person=person, sealed_id=uuid4(), first=first)
    operations = [DeleteCredential.of(first), made] if first else [made]
    return changes.plan_set(operations, viewer=for_own(viewer))


def begin_many(viewer: Viewer, keys: Sequence[int], terms: Terms) -> tuple[UUID, Choice]:
    """Write down that the keys with these numbers are to be rotated, and have a worker ask for it; the id of
    all of them, and which they are.

    What cannot be rotated is left out: the preview said so. Raises RefusedError.
    """
    check_terms(terms)
    if len(keys) > MOST:
        raise RefusedError(f"These are {len(keys):,} keys, and the limit is {MOST:,}. Choose fewer.")
    choice, batch = choose(viewer, keys), uuid4()
    if not choice.chosen:
        raise RefusedError("None of these keys can be rotated now.")
    beginner = Person.objects.get(pk=viewer.person_id)
    rows = [
        _row(beginner, chosen.key, terms, person=chosen.person, team=chosen.team, batch=batch)
        for chosen in choice.chosen
    ]
    with transaction.atomic():
        # Somebody may have begun one of them a moment ago: the constraint leaves it out.
        Rotation.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
        record(
            kind="rotation.begin_many",
            actor=viewer,
            subject=f"{len(rows)} keys",
            data={"batch": batch, "keys": len(rows), "reason": terms.reason.strip()},
        )
        nudge.send_after_commit(REQUEST_BATCH, batch)
    return batch, choice


def request_batch(batch: UUID) -> int:
    """Ask for what of a batch waits, a set after the other; how many were asked for. Harmless from several
    workers at once.
    """
    asked = 0
    while True:
        rows = list(_waiting(batch).order_by("pk")[:AT_ONCE])
        if not rows:
            return asked
        asked += _ask_rows(rows)


def request_open() -> int:
    """Go on with what a lost process has left."""
    batches = Rotation.objects.filter(stage=Stage.WAITING).values_list("batch", flat=True).distinct()
    return sum(request_batch(batch) for batch in list(batches[:20]))


def plan_one(rotation: Rotation, viewer: Viewer) -> Planned:
    """What a rotation begins with, checked by every rule. Raises RefusedError."""
    return Planned(rotation, changes.plan_set(operations_of(rotation), viewer=for_own(viewer)))


def _ask_rows(rows: Sequence[Rotation]) -> int:
    """One set for those that can be asked for; the others end, and say why."""
    viewer = viewer_for(rows[0].begun_by)
    planned: list[Planned] = []
    refused: dict[UUID, str] = {}
    for row in rows:
        row.sealed_id = row.sealed_id or uuid4()
        try:
            check_room(keys_of(row.user), old=row.old, first=None)
            planned.append(plan_one(row, viewer))
        except RefusedError as error:
            refused[row.pk] = error.message
    with transaction.atomic():
        locked_rows = (
            _waiting(rows[0].batch).filter(pk__in=[row.pk for row in rows]).select_for_update(of=("self",))
        )
        living = {rotation.pk for rotation in locked_rows}
        for row in rows:
            if row.pk in refused and row.pk in living:
                end(row, Outcome.REFUSED, refused[row.pk], actor=None)
        left = [ready for ready in planned if ready.rotation.pk in living]
        if left:
            _ask(left, viewer, _terms_of(left[0].rotation))
    return len(left)


def _ask(planned: Sequence[Planned], viewer: Viewer, terms: Terms) -> None:
    """The set of these rotations, in the caller's transaction. Raises RefusedError."""
    plans = list(chain.from_iterable(rotation_planned.plans for rotation_planned in planned))
    lanes = []
    for lane, rotation_planned in enumerate(planned):
        lanes.extend([SetLane(lane) for _ in rotation_planned.plans])
    operations: list[Operation] = [plan.operation for plan in plans]
    rotation = planned[0].rotation
    title = f"Rotate {len(planned)} access keys"
    if len(planned) == 1:
        title = f"Rotate access key {rotation.old.aws_id} of {rotation.user.name}"
    written = changes.request_changes(
        Weighed(plans, set_receipt_of(operations)),
        actor=for_own(viewer),
        reason=terms.reason,
        idempotency_key=f"rotate-{rotation.pk.hex}",
        title=title,
        cause=SetCause(OF_ROTATION, rotation.batch),
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
        Stage.ASKED,
        change=change,
        agreed=change,
        issues=1,
        sealed_id=rotation.sealed_id,
        old_state=ACTIVE,
        old_used_at=rotation.old_used_at,
        old_service=rotation.old_service,
        old_region=rotation.old_region,
    )
    note(rotation, "ask", "A new key was requested.", actor=viewer, change=change)


def _row(
    beginner: Person,
    old: Entity,
    terms: Terms,
    *,
    person: Person,
    team: Team | None,
    batch: UUID,
    first: Entity | None = None,
) -> Rotation:
    now = datetime.now(tz=UTC)
    return Rotation(
        batch=batch,
        person=person,
        team=team,
        user=owner_of(old),
        old=old,
        first=first,
        is_automatic=terms.is_automatic,
        quiet_days=terms.quiet_days,
        keep_days=terms.keep_days,
        reason=terms.reason.strip(),
        begun_by=beginner,
        begun_at=now,
        stage_at=now,
        sealed_id=uuid4(),
    )


def _begun(row: Rotation) -> str:
    first = f" The key {row.first.aws_id} is deleted first." if row.first else ""
    return f"Rotation of {row.old.aws_id} started.{first}"


def _terms_of(row: Rotation) -> Terms:
    return Terms(row.reason, row.is_automatic, row.quiet_days, row.keep_days)


def _waiting(batch: UUID) -> QuerySet[Rotation]:
    rows = Rotation.objects.filter(batch=batch, stage=Stage.WAITING)
    return rows.select_related(
        "user__account", "old__owner", "old__account", "first", "person", "team", "begun_by"
    )
