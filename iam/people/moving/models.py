"""The table of moves: the person, both blueprints, and the plan at the time of the request."""

from __future__ import annotations

from django.db import models

from iam.changes.models import ChangeSet
from iam.people.blueprints.models import BlueprintVersion
from iam.people.causes import OF_MOVE
from iam.people.runs.models import AbstractRun, RunState

__all__ = ["OF_MOVE", "Move"]


class Move(AbstractRun):
    """The change of a person from one blueprint to another, with their users in all accounts. `summary` is
    what was shown: rows of (account, sign, what, says).

    `gives` maps the position of a change to the grant content that it gives. `users` are the users' mirror
    ids. `gains` and `loses` count memberships, policies and the like. `settled_at` is when the grants were
    written.
    """

    prefix = "MOV"

    person_id = models.UUIDField(null=True)
    name = models.CharField(max_length=256)
    users = models.JSONField(default=list)
    former = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.WAITING)
    summary = models.JSONField(default=list)
    gives = models.JSONField(default=dict)
    gains = models.PositiveIntegerField(default=0)
    loses = models.PositiveIntegerField(default=0)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="move_newest"),
            models.Index(fields=["state", "created_at"], name="move_by_state"),
            models.Index(fields=["person_id"], name="move_by_person"),
        ]
