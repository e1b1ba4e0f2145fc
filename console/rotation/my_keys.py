"""The viewer's own access keys: age, last use, and a link to rotate each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from console.rotation.begin import SEES
from console.rotation.labels import mark_of
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from console.web.shortened_lists import first_rows
from iam.changes.credential_acts import acts_on
from iam.changes.operations.user_credential import DELETE, credentials_row
from iam.linking.ownership import unsynced_users
from iam.mirror.models import Entity, Kind, Section
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import ACCESS_KEYS
from iam.people.rotation.key_statuses import knows_keys, show_now, statuses_known_at
from iam.people.rotation.models import Rotation
from iam.people.rotation.rotation_plan import MirroredKey, keys_of
from iam.people.rotation.services import waits

MAX_ROTATIONS = 50


@require_safe
@require(*SEES)
def mine_page(request: ViewerRequest) -> HttpResponse:
    """Show the keys of the viewer's own users, and their rotations."""
    request.at = None
    viewer = request.viewer
    users = Entity.objects.filter(
        kind=Kind.USER,
        arn__in=viewer.scope.user_arns,
        gone_at__isnull=True,
        account__removed_at__isnull=True,
    )
    rotations = Rotation.objects.filter(person=viewer.person_id).select_related(
        "user__account", "old", "change"
    )
    mine = first_rows(request, rotations.order_by("-begun_at"), most=MAX_ROTATIONS, name="rotations")
    show_now(mine)
    busy = {rotation.user_id: rotation for rotation in mine if rotation.is_living}
    unsynced = Section.objects.filter(unknown_at(None), name=ACCESS_KEYS, account__in=users.values("account"))
    context = {
        "section": "keys",
        "unread": set(unsynced.values_list("account", flat=True)),
        "unsynced": unsynced_users([viewer.person_id]).get(viewer.person_id, 0),
        "layout": layout_for(viewer),
        "users": [
            _user_row(user, busy.get(user.pk))
            for user in users.select_related("account").order_by("account__name", "pk")
        ],
        "rotations": mine.with_rows([(rotation, mark_of(rotation), waits(rotation)) for rotation in mine]),
    }
    return render_page(request, "rotation/mine.html", context)


@dataclass(frozen=True, slots=True)
class OwnUserRow:
    """A user of the viewer with the keys, what can be requested for each, and as of when their status is
    known. `is_known` False means that nobody knows which keys there are.
    """

    user: Entity
    keys: list[tuple[MirroredKey, list[tuple[str, str, bool]]]]
    rotation: Rotation | None
    known_at: datetime | None
    is_known: bool


def _user_row(user: Entity, rotation: Rotation | None) -> OwnUserRow:
    keys, row = keys_of(user), credentials_row(user)
    checked_at = rotation.read_at if rotation else None
    known_at = max(filter(None, [statuses_known_at(user, row, keys), checked_at]), default=None)
    return OwnUserRow(user, [(key, _acts(key)) for key in keys], rotation, known_at, knows_keys(user, row))


def _acts(key: MirroredKey) -> list[tuple[str, str, bool]]:
    """Return (label, address, is irreversible) of other changes that can be requested for a key."""
    acts = []
    for act in acts_on(Kind.ACCESS_KEY, status=key.status, aws_id=key.entity.aws_id):
        query = urlencode({"do": act, "of": str(key.entity.pk)})
        words = act.partition(".")[2].capitalize()
        acts.append((words, f"{reverse('changes:credential')}?{query}", act == DELETE[Kind.ACCESS_KEY].slug))
    return acts
