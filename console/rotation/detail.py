"""The page of a rotation, updated while it runs: four steps, both keys with last use, events, and possible
actions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.rotation.begin import SEES
from console.rotation.labels import WATCHED, mark_of, places_for
from console.web.access import ViewerRequest, found_or_404, layout_for, require
from console.web.moments import moment_text
from console.web.render import is_fragment, render_live, render_page
from console.web.shortened_lists import first_rows
from iam.changes.errors import RefusedError, field_errors
from iam.changes.models import ChangeState
from iam.changes.operations.user_credential import ACTIVE, INACTIVE, credentials_row
from iam.people.rotation.key_statuses import show_now, statuses_known_at
from iam.people.rotation.labels import deletion_at, old_words, quiet_of, used_since
from iam.people.rotation.models import MOVING, Rotation, RotationOutcome, RotationStage
from iam.people.rotation.queries import visible_rotations
from iam.people.rotation.rotation_plan import days, keys_of, living_of, may_run
from iam.people.rotation.services import may_take_over, waits
from iam.sealed.queries import secret_of

BUSY, PATIENT = "1s", "10s"
MAX_EVENTS: Final = 100
_REACHED: Final = {
    RotationStage.WAITING: 1,
    RotationStage.ASKED: 1,
    RotationStage.HANDING: 1,
    RotationStage.USING: 2,
    RotationStage.DEACTIVATING: 3,
    RotationStage.INACTIVE: 4,
    RotationStage.ACTIVATING: 3,
    RotationStage.DELETING: 4,
}


@dataclass(frozen=True, slots=True)
class RotationStepRow:
    """One of the four steps: its name, its state ("done", "now" or ""), and when it was reached or is due."""

    name: str
    state: str
    note: str
    at: datetime | None = None


def rotation_or_404(request: ViewerRequest, pk: UUID) -> Rotation:
    """Return the rotation. Raises Http404 if the viewer can’t see it."""
    return found_or_404(visible_rotations(request.viewer).filter(pk=pk).first())


@never_cache
@require_safe
@require(*SEES)
def rotation_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the rotation.

    A polling request (`seen`) gets the live part, 204 if nothing changed, or 286 to stop polling.
    """
    request.at = None
    rotation = rotation_or_404(request, pk)
    pace = _poll_pace(rotation)
    context = page_context(request, rotation)
    version = _version(rotation, pace, context["events"].total)
    if is_fragment(request) and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    return render_live(request, "rotation/rotation.html", context | {"version": version}, pace=pace)


def refused_page(request: ViewerRequest, rotation: Rotation, refused: RefusedError) -> HttpResponse:
    """Show the page with the error of a refused action at its field, keeping the input."""
    request.at = None
    pace = _poll_pace(rotation)
    context = page_context(request, rotation)
    context |= {
        "errors": field_errors(refused),
        "typed": request.POST.get("typed", "")[:4],
        "pace": pace,
        "version": _version(rotation, pace, context["events"].total),
    }
    return render_page(request, "rotation/rotation.html", context, status=422)


def page_context(request: ViewerRequest, rotation: Rotation) -> dict[str, Any]:
    """Return the context of the page, with the keys as the mirror shows them now."""
    viewer = request.viewer
    expected = (rotation.old_state, rotation.new_state)
    show_now([rotation])
    may = may_run(viewer, rotation)
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    quiet = quiet_of(rotation)
    is_self = rotation.person_id == viewer.person_id
    return {
        "section": "keys",
        "layout": layout_for(viewer),
        "rotation": rotation,
        "user": rotation.user,
        "account": rotation.user.account,
        "mark": mark_of(rotation),
        "steps": steps_of(rotation),
        "now": now_words(rotation),
        "is_behind": rotation.stage in WATCHED and expected != (rotation.old_state, rotation.new_state),
        "known_at": _known_at(rotation),
        "events": first_rows(
            request, rotation.events.select_related("change").order_by("-at", "-pk"), most=MAX_EVENTS
        ),
        "may_run": may and rotation.is_living,
        "begins_again": may and rotation.stage == RotationStage.ENDED and _can_begin_again(rotation),
        "is_self": is_self,
        "takes_over": may_take_over(viewer, rotation),
        "takes_secret": is_self and waits(rotation),
        "secret_until": seal.expires_at if seal and waits(rotation) else None,
        "quiet": quiet,
        "deletion_at": deletion_at(rotation),
        "old_words": old_words(rotation),
        "is_used": used_since(rotation),
        "retries_at": retries_at(rotation),
        "is_early": quiet is None or not quiet.is_due(datetime.now(tz=UTC)),
        "places": places_for(rotation.user.name, rotation.new_key_id)
        if rotation.stage in (RotationStage.HANDING, RotationStage.USING)
        else [],
        "has_mail": settings.MAIL_IS_CONFIGURED,
        "quiet_words": days(rotation.quiet_days),
        "keep_words": days(rotation.keep_days),
    }


def _known_at(rotation: Rotation) -> datetime | None:
    """Return as of when the status of both keys is known: of the last check, or of a later sync."""
    user = rotation.user
    synced_at = statuses_known_at(user, credentials_row(user), keys_of(user))
    return max(filter(None, [rotation.read_at, synced_at]), default=None)


def _can_begin_again(rotation: Rotation) -> bool:
    """Return whether the rotation failed, its old key still exists, and no other rotation of the user is in
    progress.
    """
    is_there = rotation.outcome != RotationOutcome.DONE and rotation.old.gone_at is None
    return is_there and living_of(rotation.user) is None


def steps_of(rotation: Rotation) -> list[RotationStepRow]:
    """Return the four steps: create, use, deactivate, delete."""
    done = rotation.outcome == RotationOutcome.DONE
    at = 5 if done else _REACHED.get(RotationStage(rotation.stage), _last_reached(rotation))
    quiet, deleted_at = quiet_of(rotation), deletion_at(rotation)
    steps = [
        ("Create", "A new key, its secret for one person", rotation.fetched_at),
        ("Use", _use_words(rotation, at), rotation.new_used_at),
        (
            "Deactivate",
            _deactivate_words(rotation),
            rotation.inactive_at
            or (quiet.due_at if quiet and rotation.stage == RotationStage.USING else None),
        ),
        (
            "Delete",
            f"{days(rotation.keep_days)} later",
            rotation.ended_at if done else deleted_at,
        ),
    ]
    return [
        RotationStepRow(
            name,
            _step_state(rotation, number, at),
            text,
            moment,
        )
        for number, (name, text, moment) in enumerate(steps, start=1)
    ]


def _use_words(rotation: Rotation, at: int) -> str:
    if at > 2 and rotation.new_used_at is None:
        return "The new key was not used"
    return "Replace the old key everywhere"


def _deactivate_words(rotation: Rotation) -> str:
    """Return why the old key is inactive or will be; it can be requested before the days have passed."""
    if rotation.inactive_at:
        return "AWS refuses the old key"
    if rotation.stage == RotationStage.DEACTIVATING:
        return "Requested"
    return f"After {days(rotation.quiet_days)} without use"


def _step_state(rotation: Rotation, number: int, at: int) -> str:
    """Return "done", "now" or ""; the step “use” is done once AWS has recorded the new key's use."""
    if number == 2 and at > 2 and rotation.new_used_at is None:
        return ""
    if number < at:
        return "done"
    is_over = rotation.stage == RotationStage.ENDED
    return "now" if number == at and not is_over else ""


def _last_reached(rotation: Rotation) -> int:
    """Return the step at which the rotation ended."""
    if rotation.inactive_at:
        return 4
    if rotation.fetched_at:
        return 2
    return 1


def now_words(rotation: Rotation) -> str:
    """Return what the rotation waits for."""
    person = rotation.person.name
    automatic = rotation.is_automatic
    change = rotation.change
    awaits = change is not None and change.state == ChangeState.AWAITING
    asked = "The new key is being created."
    deactivating = "The old key is being deactivated."
    deleting = "The old key is being deleted."
    if awaits:
        asked = "The new key waits for approval."
        deactivating = "Deactivation of the old key waits for approval. Until then, it still works."
        deleting = "Deletion of the old key waits for approval. Until then, it stays inactive."
    when = "automatically" if automatic else "when someone requests it"
    using = _differing_words(rotation) or (
        "Both keys work. Replace the old key with the new one everywhere. The old key is deactivated "
        f"{when}, after {days(rotation.quiet_days)} without use, once the new one was used."
    )
    inactive = _differing_words(rotation) or (
        f"AWS refuses the old key. It can be reactivated. {_deletion_words(rotation)}"
    )
    return {
        RotationStage.WAITING: "The new key will be requested in a moment.",
        RotationStage.ASKED: asked,
        RotationStage.HANDING: f"The new key exists. Only {person} can get its secret.",
        RotationStage.USING: using,
        RotationStage.DEACTIVATING: deactivating,
        RotationStage.INACTIVE: inactive,
        RotationStage.ACTIVATING: "The old key is being reactivated.",
        RotationStage.DELETING: deleting,
        RotationStage.ENDED: rotation.trouble,
    }[RotationStage(rotation.stage)]


_OLD_WORDS: Final = {ACTIVE: "The old key works", INACTIVE: "AWS refuses the old key"}
_NEW_WORDS: Final = {ACTIVE: "the new one works", INACTIVE: "the new one is inactive"}


def _differing_words(rotation: Rotation) -> str:
    """Return which keys work if that isn't what the stage is about, because they were changed in AWS."""
    usual = INACTIVE if rotation.stage == RotationStage.INACTIVE else ACTIVE
    if (rotation.old_state, rotation.new_state) == (usual, ACTIVE):
        return ""
    old = _OLD_WORDS.get(rotation.old_state, "The old key was deleted")
    new = _NEW_WORDS.get(rotation.new_state, "the new one was deleted")
    return f"{old}, and {new}."


def _deletion_words(rotation: Rotation) -> str:
    at = deletion_at(rotation)
    if not rotation.is_automatic or at is None:
        return "It is deleted when someone requests it."
    return f"It is deleted automatically after {moment_text(at)}."


def retries_at(rotation: Rotation) -> datetime | None:
    """Return when Gatehouse retries the failed step; None if a person has to request it."""
    at = rotation.retry_at
    if at is None:
        return None
    if rotation.stage == RotationStage.HANDING:
        return at
    if not rotation.is_automatic:
        return None
    quiet, deleted_at = quiet_of(rotation), deletion_at(rotation)
    if rotation.stage == RotationStage.USING:
        return at if quiet is not None and quiet.is_due(at) else None
    return (
        at
        if rotation.stage == RotationStage.INACTIVE and deleted_at is not None and deleted_at <= at
        else None
    )


def _poll_pace(rotation: Rotation) -> str:
    """Return the polling interval: short while something changes, longer while days have to pass."""
    if rotation.stage == RotationStage.ENDED:
        return ""
    moving = rotation.wanted or rotation.stage in MOVING
    return BUSY if moving else PATIENT


def _version(rotation: Rotation, pace: str, events: int) -> str:
    """Return a version of the live part; equal versions mean equal content."""
    change = rotation.change.state if rotation.change else ""
    keys = (rotation.old_state, rotation.new_state, rotation.old_used_at, rotation.new_used_at)
    parts = (
        rotation.stage,
        change,
        pace,
        events,
        rotation.read_at,
        rotation.trouble,
        rotation.wanted,
        *keys,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
