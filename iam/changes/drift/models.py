"""Models of drift: the progress of detection per account, and one row per entity and sync with a
difference.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import ChangeSet
from iam.mirror.models import Account, Entity


class DriftState(models.TextChoices):
    """The status of a drift; `explained` means that a change caused it and was confirmed late."""

    OPEN = "open", "Needs a decision"
    UNDOING = "undoing", "Undo requested"
    ADOPTED = "adopted", "Accepted"
    UNDONE = "undone", "Undone"
    EXPLAINED = "explained", "Made by a change"


class DriftWatch(models.Model):
    """The revision up to which an account was checked for drift. `since` is the end of its first sync."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="drift_watch"
    )
    since = models.DateTimeField()
    revision = models.PositiveBigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "drift_watch"

    def __str__(self) -> str:
        return f"watch of {self.account_id} up to {self.revision}"


class Drift(models.Model):
    """A difference in one entity or setting that Gatehouse did not cause.

    It happened after `after` and by `seen_at`. The details are read from the mirror's rows of that moment and
    are stored nowhere else. `remainder` says what an undo leaves unchanged.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="drifts")
    entity = models.ForeignKey(
        Entity, db_index=False, on_delete=models.CASCADE, null=True, related_name="drifts"
    )
    fact = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text="The setting of the account, where it is of no entity.",
    )
    kind = models.CharField(max_length=20, help_text="The entity's, or account.")
    seen_at = models.DateTimeField()
    after = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=DriftState.choices, default=DriftState.OPEN)
    found_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.UUIDField(null=True)
    decided_label = models.CharField(max_length=128, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1024, blank=True)
    change_set = models.ForeignKey(
        ChangeSet, db_index=False, on_delete=models.PROTECT, null=True, related_name="+"
    )
    remainder = models.CharField(max_length=1024, blank=True)
    weight = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Place of its risk, see effect.weight_of: from 2 on it is critical.",
    )
    impact = models.JSONField(default=dict, help_text="Who can do what since then, as a receipt tells it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "seen_at"], name="one_drift_a_moment"),
            models.UniqueConstraint(
                fields=["account", "fact", "seen_at"],
                condition=Q(entity__isnull=True),
                name="one_drift_of_a_setting_a_moment",
            ),
        ]
        indexes = [
            # Partial, because few are open: the badge in the navigation counts them on every page.
            models.Index(
                fields=["-weight", "-seen_at", "-id", "account", "entity"],
                condition=Q(state="open"),
                name="drift_open",
            ),
            models.Index(
                fields=["account", "-weight", "-seen_at", "-id"],
                condition=Q(state="open"),
                name="drift_open_account",
            ),
            models.Index(
                fields=["kind", "-weight", "-seen_at", "-id"],
                condition=Q(state="open"),
                name="drift_open_kind",
            ),
            models.Index(fields=["state", "-weight", "-seen_at", "-id"], name="drift_by_state"),
            models.Index(fields=["account", "state", "-weight", "-seen_at", "-id"], name="drift_by_account"),
            models.Index(fields=["change_set"], condition=Q(change_set__isnull=False), name="drift_undoing"),
        ]

    def __str__(self) -> str:
        return f"drift of {self.fact or self.entity_id} at {self.seen_at}: {self.state}"

    @property
    def name(self) -> str:
        """The name of the entity or account."""
        return self.entity.name if self.entity else self.account.name

    @property
    def reference(self) -> str:
        """The short reference that people use."""
        return f"DRF-{self.id.hex[:8].upper()}"
