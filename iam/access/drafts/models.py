"""The model of drafts."""

from __future__ import annotations

import uuid

from django.db import models


class GrantDraft(models.Model):
    """A grant that one person is drafting.

    `body` has the form that `iam.access.drafts.terms` parses; `grant_id` is the resulting grant.
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
