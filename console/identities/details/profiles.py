"""The pages of an instance profile: its role, and the instances that use it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from console.identities.details import history
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.holdings import address
from console.identities.details.inner_pages import page_of
from console.web.access import ViewerRequest, require
from console.web.known_facts import none_or_unknown
from iam.guard import Right
from iam.mirror.models import EdgeKind, Kind
from iam.mirror.pull.sections import INSTANCES
from iam.mirror.queries import entities

PAGE_SIZE = 50


@require(Right.SEE_ACCOUNT)
def instance_profile(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the role of an instance profile, and the instances that use it."""
    shown = shown_or_404(request, pk, kinds=[Kind.INSTANCE_PROFILE])
    if shown.state is None:
        return render_shown(request, shown, "identities/instance_profile.html", {})
    rows = entities.instances_of(shown.entity, at=shown.at)
    context = _head(shown, here="identities:instance-profile") | {
        "tab": "identities/instance_profile_use.html",
        "page": page_of(request, rows, column="sort_name", tie="entity_id", size=PAGE_SIZE),
        "instances": entities.instance_counts([shown.entity.pk], at=shown.at).get(shown.entity.pk, 0),
    }
    return render_shown(request, shown, "identities/instance_profile.html", context)


@require(Right.SEE_ACCOUNT)
def instance_profile_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=[Kind.INSTANCE_PROFILE])
    return history.render_history(
        request, shown, "identities/instance_profile.html", _head, here="identities:instance-profile-history"
    )


def _head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    roles = entities.targets(shown.entity, kinds=[EdgeKind.PROFILE_ROLE], at=shown.at)
    role = roles[0] if roles else None
    no_instances = "No instance used this profile." if shown.at else "No instance uses this profile."
    role_ids = [role.pk] if role else []
    return {
        "no_instances": none_or_unknown(no_instances, needs=(INSTANCES,), unsynced=shown.unsynced()),
        "role": role,
        "role_url": address("identities:role", role, shown.openable(role_ids)),
        "tags": entities.tags(shown.entity, at=shown.at),
        "tabs": [
            shown.tab("Role and instances", "identities:instance-profile", here=here),
            shown.tab("History", "identities:instance-profile-history", here=here),
        ],
    }
