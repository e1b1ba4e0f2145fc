"""Moves: who goes from which blueprint to which, and what that came to when it was asked for."""

from __future__ import annotations

import uuid

from django.db import models

from iam.changes.models import ChangeSet
from iam.people.blueprints.models import BlueprintVersion
from iam.people.causes import OF_MOVE

__all__ = ["OF_MOVE", "Move", "MoveState"]


class MoveState(models.TextChoices):
    """Where a move stands."""

    WAITING = "waiting", "Waiting for approval"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    PARTLY = "partly", "Done in part"
    CLOSED = "closed", "Cancelled"


class Move(models.Model):
    """One person, from one blueprint to another, with their users in all accounts. `summary` is what was
    shown: rows of (account, sign, what, says).

    `gives` says of each change (by its position) that gives a permission what it gives, as a grant would.
    `users` are the users' numbers of the mirror. `gains` and `loses` count memberships, policies and the
    like. `settled_at`: the grants are written down.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person_id = models.UUIDField(null=True)
    name = models.CharField(max_length=256)
    users = models.JSONField(default=list)
    former = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=MoveState.choices, default=MoveState.WAITING)
    summary = models.JSONField(default=list)
    gives = models.JSONField(default=dict)
    gains = models.PositiveIntegerField(default=0)
    loses = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=1024)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    requested_by = models.UUIDField()
    requested_label = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="move_newest"),
            models.Index(fields=["state", "created_at"], name="move_by_state"),
            models.Index(fields=["person_id"], name="move_by_person"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """The short name by which people speak of it."""
        return f"MOV-{self.id.hex[:8].upper()}"

    @property
    def is_open(self) -> bool:
        """Whether workers or approvers still have to do with it."""
        return self.state in (MoveState.WAITING, MoveState.RUNNING)
