"""Requests a team change: everything that a person loses and gains is one request with one approval."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from iam.changes import services as changes
from iam.changes.errors import FieldError, RefusedError
from iam.changes.services import SetCause
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.people.blueprints.models import BlueprintVersion
from iam.people.moving.access_difference import GAINS, KEEPS, LOSES, MovePlan, MovingPerson, plan_move
from iam.people.moving.models import OF_MOVE, Move
from iam.people.moving.single_blueprint_accounts import widened, write_left, write_made
from iam.people.offboarding.services import leaving_already, without_access_already
from iam.people.runs.models import OPEN_RUN, requester
from iam.people.runs.requests import request_operations

KEYS: Final = UUID("4d2f6d0c-1c9e-4a53-9a08-6f0a5b6c7d11")
"""The namespace for the id of a move, derived from a person and the key of their form."""


def move_id_for(actor: Viewer, key: str) -> UUID:
    """Return the id of the move that this form requests."""
    return uuid5(KEYS, f"{actor.person_id}:{key}")


def planned(
    actor: Viewer, *, mover: MovingPerson, former: BlueprintVersion, version: BlueprintVersion, key: str
) -> MovePlan:
    """Return the plan of the move if it can be requested. Raises RefusedError."""
    if former.blueprint_id == version.blueprint_id:
        raise FieldError("They already have this blueprint. Choose another one.", field="to")
    if not actor.may(Right.REQUEST_CHANGE):
        raise RefusedError("You can view this, but you can’t request changes.")
    if why := without_access_already(mover.users):
        raise RefusedError(why)
    move_id = move_id_for(actor, key)
    plan = plan_move(mover, former=former, version=version, viewer=actor, move_id=move_id)
    if not plan.operations:
        raise RefusedError("Nothing would change: they already have everything.")
    if standing := moving_already(mover):
        raise RefusedError(
            f"{standing.name} is already changing team ({standing.reference}). That request must end first."
        )
    if why := leaving_already([user for _, user in plan.left]):
        raise RefusedError(why)
    changes.plan_set(plan.operations, viewer=_asking(actor, mover, plan, version))
    return plan


def moving_already(mover: MovingPerson) -> Move | None:
    """Return the person's open move, or None."""
    open_ones = Move.objects.filter(state__in=OPEN_RUN)
    return open_ones.filter(person_id=mover.person_id).first() if mover.person_id else None


def _asking(actor: Viewer, mover: MovingPerson, plan: MovePlan, version: BlueprintVersion) -> Viewer:
    """Return the actor with access to the users of the move."""
    names = [part.newcomer.user_name for _, part in plan.made]
    return widened(actor, mover.users, names=names, body=version.body)


def request_move(
    actor: Viewer,
    *,
    mover: MovingPerson,
    former: BlueprintVersion,
    version: BlueprintVersion,
    reason: str,
    key: str,
) -> Move:
    """Request a move. The same key of the same actor returns the same move. Raises RefusedError."""
    move_id = move_id_for(actor, key)
    standing = Move.objects.filter(pk=move_id).first()
    if standing is not None:
        return standing
    reason = reason.strip()
    if not reason:
        raise FieldError("Enter a reason. Approvers and auditors read it.", field="reason")
    plan = planned(actor, mover=mover, former=former, version=version, key=key)
    try:
        with transaction.atomic():
            move = Move.objects.create(
                id=move_id,
                person_id=mover.person_id,
                name=mover.name[:256],
                users=[entity.pk for entity in mover.users],
                former=former,
                version=version,
                summary=plan.summary,
                gives={
                    str(at): step.what.body for at, step in enumerate(plan.doing) if step.what is not None
                },
                gains=plan.count(GAINS),
                loses=plan.count(LOSES),
                reason=reason[:1000],
                **requester(actor),
            )
            written = request_operations(
                plan.operations,
                actor=_asking(actor, mover, plan, version),
                reason=reason,
                idempotency_key=f"move-{move_id.hex}",
                title=f"Change team of {mover.name} to {version.blueprint.team.name}: {counts_of(plan)}",
                cause=SetCause(OF_MOVE, move_id),
                lanes=plan.lanes,
                notes=notes_for(plan),
            )
            move.change_set = written[0].change_set
            move.save(update_fields=["change_set"])
            write_made(move, plan.made, group=written[0].change_set)
            write_left(move, plan.left, email=mover.email, group=written[0].change_set)
            _note_asked(move, actor)
    except IntegrityError:
        # The same form was submitted at the same time.
        return Move.objects.get(pk=move_id)
    return move


def counts_of(plan: MovePlan) -> str:
    """Return the counts in words, such as 'loses 9, gains 4'."""
    return f"loses {plan.count(LOSES)}, gains {plan.count(GAINS)}"


def notes_for(plan: MovePlan) -> list[str]:
    """Return the notes for the approver."""
    kept = [f"{step.text} in {step.account} stays: {step.note}" for step in plan.steps if step.sign == KEEPS]
    return kept[:20]


def _note_asked(move: Move, actor: Viewer) -> None:
    record(
        kind="moving.asked",
        actor=actor,
        subject=move.name,
        data={
            "move": move.pk,
            "reference": move.reference,
            "from": move.former.blueprint.name,
            "to": move.version.blueprint.name,
            "team": move.version.blueprint.team.slug,
            "loses": move.loses,
            "gains": move.gains,
            "reason": move.reason,
        },
    )
