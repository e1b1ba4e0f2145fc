"""The tables of rotations: the old and the new key, the stage, the last use that AWS reported, and the
timeline. Secrets are not stored here.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import Change
from iam.directory.models import Person, Team
from iam.mirror.models import Entity
from iam.people.links.models import OneTimeLink
from iam.people.runs.models import AbstractListRun

OF_ROTATION = "key_rotation"
"""The cause kind of the change sets of rotations. The id is that of the run."""


class RotationStage(models.TextChoices):
    """The stage of a rotation."""

    WAITING = "waiting", "Not requested yet"
    ASKED = "asked", "New key requested"
    HANDING = "handing", "Secret available"
    USING = "using", "Both keys active"
    DEACTIVATING = "deactivating", "Deactivation of the old key requested"
    INACTIVE = "inactive", "Old key inactive"
    ACTIVATING = "activating", "Old key being reactivated"
    DELETING = "deleting", "Deletion of the old key requested"
    ENDED = "ended", "Ended"


CHANGING = (
    RotationStage.ASKED,
    RotationStage.DEACTIVATING,
    RotationStage.ACTIVATING,
    RotationStage.DELETING,
)
"""Stages in which a change is in progress."""
MOVING = (RotationStage.WAITING, *CHANGING)
"""Stages in which a change is in progress or about to be requested."""


class RotationOutcome(models.TextChoices):
    """How a rotation ended."""

    DONE = "done", "Done"
    REFUSED = "refused", "Could not be requested"
    NOT_MADE = "not_made", "No new key was made"
    UNFETCHED = "unfetched", "No one got the secret"
    USER_GONE = "user_gone", "The user is gone"
    KEY_GONE = "key_gone", "The new key is gone"
    CANCELLED = "cancelled", "Cancelled"


class RotationStep(models.TextChoices):
    """A step that someone requested. A worker does or refuses it once it has read AWS."""

    LOOK = "look", "Ask AWS again"
    DEACTIVATE = "deactivate", "Deactivate the old key"
    DELETE = "delete", "Delete the old key"


class RotationRun(AbstractListRun):
    """Keys that are rotated together, with one change set per hundred. The run ends when it is requested,
    because each rotation has its own stage.
    """

    prefix = "KEYS"

    class Meta:
        indexes = [models.Index(fields=["state", "created_at"], name="rotation_run_by_state")]


class Rotation(models.Model):
    """The rotation of a key. `old` is its mirror row; `first` is a spare key of the user that
    is deleted to make room, since AWS allows two.

    `agreed` is a change of the approved set, which covers later automatic steps. `change` is the latest
    change of the stage. `sealed_id` is the seal of the new secret, `issues` is the number of keys created
    for it, `tries` that of attempts to request them, and `link` leads their person to the secret.
    `discarding` is the change that deletes a new key whose secret no one got. `told_at` is when the
    person was last notified. `old_state` and `new_state` are the keys' status in AWS at `read_at`, empty
    if the key doesn't exist. `quiet_from` is when the observation began. `wanted` is a step that waits
    for a worker, with its requester and whether a recent use is to be ignored (`in_spite`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(
        RotationRun, on_delete=models.PROTECT, related_name="rotations", db_column="batch"
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="rotations")
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, related_name="+", help_text="The team that owns the user."
    )
    user = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    old = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Entity, on_delete=models.PROTECT, null=True, related_name="+")
    new_key_id = models.CharField(max_length=128, blank=True)
    is_automatic = models.BooleanField(default=True)
    quiet_days = models.PositiveSmallIntegerField()
    keep_days = models.PositiveSmallIntegerField()
    begun_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    stage = models.CharField(max_length=12, choices=RotationStage.choices, default=RotationStage.WAITING)
    stage_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=RotationOutcome.choices, blank=True)
    ended_at = models.DateTimeField(null=True)
    agreed = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    discarding = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    sealed_id = models.UUIDField(null=True)
    issues = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    link = models.ForeignKey(OneTimeLink, on_delete=models.PROTECT, null=True, related_name="+")
    fetched_at = models.DateTimeField(null=True)
    quiet_from = models.DateTimeField(null=True)
    inactive_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    read_trouble = models.CharField(max_length=1024, blank=True)
    old_state = models.CharField(max_length=8, blank=True)
    old_used_at = models.DateTimeField(null=True)
    old_service = models.CharField(max_length=64, blank=True)
    old_region = models.CharField(max_length=32, blank=True)
    new_state = models.CharField(max_length=8, blank=True)
    new_used_at = models.DateTimeField(null=True)
    new_service = models.CharField(max_length=64, blank=True)
    new_region = models.CharField(max_length=32, blank=True)
    told_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=1024, blank=True)
    retry_at = models.DateTimeField(null=True)
    wanted = models.CharField(max_length=10, choices=RotationStep.choices, blank=True)
    wanted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    wanted_at = models.DateTimeField(null=True)
    in_spite = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=~Q(stage="ended"), name="one_rotation_of_a_user_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(stage="ended", ended_at__isnull=False) & ~Q(outcome="")
                | (~Q(stage="ended") & Q(ended_at__isnull=True, outcome="")),
                name="an_ended_rotation_says_how",
            ),
        ]
        indexes = [
            # These two indexes find the rotations to check, however many there are.
            models.Index(fields=["stage", "read_at"], name="rotation_to_look_at"),
            models.Index(fields=["wanted"], name="rotation_wanted"),
            models.Index(fields=["old"], name="rotation_by_key"),
            models.Index(fields=["-begun_at", "id"], name="rotation_newest"),
        ]

    def __str__(self) -> str:
        return f"rotation of {self.old_id}: {self.stage}"

    @property
    def is_living(self) -> bool:
        """True if it hasn't ended."""
        return self.stage != RotationStage.ENDED

    @property
    def reference(self) -> str:
        """The reference for people."""
        return f"R-{self.id.hex[:6].upper()}"


class RotationEvent(models.Model):
    """An event of a rotation, as a sentence. `by` is the actor's name."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    act = models.CharField(max_length=16)
    text = models.CharField(max_length=512)
    by = models.CharField(max_length=128)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "people_rotation_happening"
        indexes = [models.Index(fields=["rotation", "at"], name="happening_of_rotation")]

    def __str__(self) -> str:
        return f"{self.act} of {self.rotation_id}"
