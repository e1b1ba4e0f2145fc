"""Queries for the rotations that a viewer can see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from iam.guard import Viewer
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible
from iam.people.links.models import OneTimeLink
from iam.people.rotation.key_statuses import show_now
from iam.people.rotation.models import Rotation


def visible_rotations(viewer: Viewer) -> QuerySet[Rotation]:
    """Return the rotations of users that the viewer can see, and those whose new key is for the viewer."""
    rows = Rotation.objects.select_related(
        "run", "user__account", "old", "person", "team", "begun_by", "change"
    )
    if viewer.scope.sees_everything:
        # Removed accounts have few rotations. Excluding their users avoids looking up each row's user and
        # account.
        removed = Entity.objects.filter(kind=Kind.USER, account__removed_at__isnull=False)
        return rows.exclude(user__in=removed.values("pk"))
    seen = visible(Entity.objects.filter(kind=Kind.USER), viewer, entity="pk", kinds=(Kind.USER,))
    return rows.filter(Q(user__in=seen.values("pk")) | Q(person=viewer.person_id))


def rotation_of_link(link: OneTimeLink) -> Rotation | None:
    """Return the rotation for which a link was made if its person is unchanged, or None."""
    if link.cause_id is None:
        return None
    of_link = Rotation.objects.select_related("run", "user__account", "old", "person", "begun_by")
    return of_link.filter(pk=link.cause_id, person=link.person_id, user__arn=link.user_arn).first()


def living_by_key(keys: list[int]) -> dict[int, Rotation]:
    """Return the open rotations of these keys, with the keys as the mirror shows them now. One query, and
    three if there are any.
    """
    rotations = Rotation.objects.filter(old__in=keys).exclude(stage="ended").select_related("user", "old")
    living = {rotation.old_id: rotation for rotation in rotations}
    show_now(living.values())
    return living
