"""Opens, writes and forgets drafts; each belongs to the one who began it, and to nobody else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from iam.access.drafts.models import GrantDraft
from iam.guard import Viewer

NO_TEXT = re.compile("[\x00\ud800-\udfff]")
DRAFT_LIFETIME = timedelta(days=30)
"""How long a draft is kept after it was last written."""


def open_draft(viewer: Viewer, pk: UUID) -> GrantDraft | None:
    """The draft under a link: what was written, or a blank one that is not stored yet; None if it is somebody
    else's.
    """
    draft = GrantDraft.objects.filter(pk=pk).first()
    if draft is None:
        return GrantDraft(pk=pk, person_id=viewer.person_id)
    return draft if draft.person_id == viewer.person_id else None


def drafts_of(viewer: Viewer) -> QuerySet[GrantDraft]:
    """What the viewer has begun and not sent, the newest first."""
    return GrantDraft.objects.filter(person_id=viewer.person_id, grant_id__isnull=True).order_by(
        "-updated_at"
    )


@transaction.atomic
def write(draft: GrantDraft, **parts: Any) -> GrantDraft:
    """Put parts of the body in the place of the former ones; others stay, also if another window has just
    written them.

    The draft is stored by this if it was not.
    """
    stored, _ = GrantDraft.objects.select_for_update().get_or_create(
        pk=draft.pk, defaults={"person_id": draft.person_id, "body": draft.body}
    )
    if stored.person_id != draft.person_id:
        raise PermissionError("This draft belongs to someone else.")
    stored.body = {**stored.body, **_storable(parts)}
    stored.save(update_fields=["body", "updated_at"])
    draft.body, draft.grant_id, draft._state.adding = stored.body, stored.grant_id, False
    return draft


def _storable(value: Any) -> Any:
    """The same without the signs that no database keeps as text."""
    if isinstance(value, str):
        return NO_TEXT.sub("", value)
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value


def sent(draft: GrantDraft, *, grant_id: UUID) -> None:
    """Note which grant was asked for with it, so that its link leads there from now on."""
    GrantDraft.objects.filter(pk=draft.pk).update(grant_id=grant_id)
    draft.grant_id = grant_id


def discard(draft: GrantDraft) -> None:
    """Forget it; what was asked for with it stays."""
    GrantDraft.objects.filter(pk=draft.pk, person_id=draft.person_id).delete()


def sweep(*, now: datetime | None = None) -> int:
    """Forget the drafts that nobody has written in for a month; how many there were."""
    old = GrantDraft.objects.filter(updated_at__lt=(now or datetime.now(tz=UTC)) - DRAFT_LIFETIME)
    return old.delete()[0]
