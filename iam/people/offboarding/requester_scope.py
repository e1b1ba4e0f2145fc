"""Widens the scope of a requester of an offboarding: a lead can also change all groups of their team's
people, including those who were in the team until they were offboarded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from iam.changes.models import OF_OFFBOARDING, Change
from iam.changes.operations import REMOVE_FROM_GROUP
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, valid_at
from iam.mirror.queries.visibility import visible_entities
from iam.people.causes import OF_MOVE
from iam.people.offboarding.leaver_lookup import reach_of
from iam.people.offboarding.models import OF_REST, Leaver, OffboardedUser


def with_their_groups(viewer: Viewer, users: Sequence[Entity]) -> Viewer:
    """Return the viewer with the groups of the users that they can reach. Two queries, or none if they can
    reach everything.
    """
    if viewer.asks.sees_everything:
        return viewer
    reached = visible_entities(reach_of(viewer)).filter(pk__in=[entity.pk for entity in users])
    pks = list(reached.values_list("pk", flat=True))
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source__in=pks)
    pairs = edges.values_list("account__account_id", "target__name")
    return _widened(viewer, groups=frozenset(pairs))


def of_run(run_id: UUID, viewer: Viewer) -> Viewer:
    """Return the viewer with the scope needed for a run, for its requester."""
    seats = OffboardedUser.objects.filter(leaver__run=run_id).select_related("user__account")
    return with_their_groups(viewer, [seat.user for seat in seats])


def of_leaver(leaver_id: UUID, viewer: Viewer) -> Viewer:
    """Return the viewer with the former users of their team and the groups that these were removed from, for
    a restore or deletion.
    """
    leaver = Leaver.objects.filter(pk=leaver_id).first()
    if leaver is None or not set(leaver.teams) & viewer.leads:
        return viewer
    seats = list(leaver.seats.all())
    arns = frozenset(seat.user_arn for seat in seats)
    taken = Change.objects.filter(
        operation=REMOVE_FROM_GROUP.slug,
        subject_arn__in=arns,
        change_set__cause_kind__in=[OF_OFFBOARDING, OF_REST, OF_MOVE],
    )
    groups = {
        (number, params["group_name"])
        for number, params in taken.values_list("account__account_id", "params")
    }
    return _widened(viewer, arns=arns, groups=groups)


def _widened(
    viewer: Viewer, *, arns: Collection[str] = (), groups: Collection[tuple[str, str]] = ()
) -> Viewer:
    asks = viewer.asks
    return replace(
        viewer,
        asks=replace(
            asks, user_arns=asks.user_arns | frozenset(arns), groups=asks.groups | frozenset(groups)
        ),
    )
