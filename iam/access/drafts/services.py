"""Opens, saves and deletes drafts. A draft belongs to the person who began it."""

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
"""How long a draft is kept after its last change."""


def open_draft(viewer: Viewer, pk: UUID) -> GrantDraft | None:
    """The draft under a link, or an unsaved blank one; None if it belongs to somebody else."""
    draft = GrantDraft.objects.filter(pk=pk).first()
    if draft is None:
        return GrantDraft(pk=pk, person_id=viewer.person_id)
    return draft if draft.person_id == viewer.person_id else None


def drafts_of(viewer: Viewer) -> QuerySet[GrantDraft]:
    """The viewer's unsent drafts, newest first."""
    return GrantDraft.objects.filter(person_id=viewer.person_id, grant_id__isnull=True).order_by(
        "-updated_at"
    )


@transaction.atomic
def write(draft: GrantDraft, **parts: Any) -> GrantDraft:
    """Replace parts of the body. Other parts stay, even if another window has just saved them.

    Saves the draft if it was not saved yet.
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
    """The value without characters that the database can't store."""
    if isinstance(value, str):
        return NO_TEXT.sub("", value)
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value


def sent(draft: GrantDraft, *, grant_id: UUID) -> None:
    """Store the grant that was requested from the draft, so that its link leads there."""
    GrantDraft.objects.filter(pk=draft.pk).update(grant_id=grant_id)
    draft.grant_id = grant_id


def discard(draft: GrantDraft) -> None:
    """Delete the draft; a grant requested from it stays."""
    GrantDraft.objects.filter(pk=draft.pk, person_id=draft.person_id).delete()


def sweep(*, now: datetime | None = None) -> int:
    """Delete drafts that were not changed for a month. Returns their number."""
    old = GrantDraft.objects.filter(updated_at__lt=(now or datetime.now(tz=UTC)) - DRAFT_LIFETIME)
    return old.delete()[0]
