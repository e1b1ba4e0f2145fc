"""Queries for the moves that a viewer can see, and for a person's current blueprint."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from iam.guard import Viewer
from iam.mirror.models import Entity
from iam.people.blueprints.models import Blueprint
from iam.people.blueprints.queries import visible_blueprints
from iam.people.moving.models import Move
from iam.people.offboarding.models import OffboardedUser, OffboardingRun
from iam.people.onboarding.models import ProvisionedUser
from iam.people.runs.models import RunState


def visible_moves(viewer: Viewer) -> QuerySet[Move]:
    """Return moves out of or into teams whose blueprints the viewer can see."""
    seen = visible_blueprints(viewer).values("pk")
    rows = Move.objects.filter(Q(former__blueprint__in=seen) | Q(version__blueprint__in=seen))
    return rows.select_related("former__blueprint__team", "version__blueprint__team")


def move_for(viewer: Viewer, pk: UUID) -> Move | None:
    """Return the move if the viewer can see it, or None."""
    return visible_moves(viewer).filter(pk=pk).first()


def move_of(run: OffboardingRun) -> Move | None:
    """Return the move that an offboarding run belongs to, or None, with at most one query."""
    if not run.source.startswith("MOV-"):
        return None
    sets = OffboardedUser.objects.filter(leaver__run=run).values("change_set")
    return Move.objects.filter(change_set__in=sets).first()


def blueprint_of(users: Sequence[Entity]) -> Blueprint | None:
    """Return the blueprint of the newest move or onboarding of one of the users, or None."""
    pks = {user.pk for user in users}
    done = Move.objects.filter(state__in=[RunState.DONE, RunState.PARTLY]).order_by("-created_at")
    for move in done.select_related("version__blueprint__team")[:500]:
        if pks & set(move.users):
            return move.version.blueprint
    place = (
        ProvisionedUser.objects.filter(user_arn__in=[user.arn for user in users], joined_at__isnull=False)
        .select_related("newcomer__run__version__blueprint__team")
        .order_by("-joined_at")
        .first()
    )
    return place.newcomer.run.version.blueprint if place else None
