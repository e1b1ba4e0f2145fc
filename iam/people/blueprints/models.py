"""Blueprints of teams and their versions. A version never changes, so that earlier runs keep
their meaning.
"""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models

from iam.directory.models import Team
from iam.people.blueprints.body import BlueprintBody


class Blueprint(models.Model):
    """What people of a team get. `current` is the version in use. A retired blueprint can't be used."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="blueprints")
    name = models.CharField(max_length=80)
    current = models.PositiveIntegerField(default=1)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_blueprint_of_a_name")]

    def __str__(self) -> str:
        return self.name


class BlueprintVersion(models.Model):
    """The content of a blueprint from some time on. It is never altered."""

    blueprint = models.ForeignKey(Blueprint, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    made_by = models.UUIDField(null=True)
    made_label = models.CharField(max_length=128)
    note = models.CharField(max_length=500, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["blueprint", "number"], name="blueprint_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.blueprint_id} version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the version; raises TypeError for an update."""
        if not self._state.adding:
            raise TypeError("A version of a blueprint stays as it is.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise TypeError: versions can't be deleted."""
        raise TypeError("A version of a blueprint stays.")

    @property
    def body(self) -> BlueprintBody:
        """The content of the version."""
        return BlueprintBody.from_json(self.content)
