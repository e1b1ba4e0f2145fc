"""The table of drafts."""

from __future__ import annotations

import uuid

from django.db import models


class GrantDraft(models.Model):
    """A grant that one person is writing. `body` holds what `iam.access.drafts.terms` reads; `grant_id` is
    what became of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person_id = models.UUIDField()
    body = models.JSONField(default=dict)
    grant_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["person_id", "-updated_at"], name="draft_of_person"),
            models.Index(fields=["updated_at"], name="draft_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)
