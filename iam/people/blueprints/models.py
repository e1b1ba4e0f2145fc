"""Blueprints of teams and their versions. A version never changes, so that a run keeps its meaning."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.db import models

from iam.directory.models import Team
from iam.people.blueprints.body import BlueprintBody


class Blueprint(models.Model):
    """What people of a team get; `current` is the version that is used. A retired one is used no more."""

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
    """What a blueprint said from some moment on; never altered."""

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
        """Written once."""
        if not self._state.adding:
            raise TypeError("A version of a blueprint stays as it is.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise TypeError("A version of a blueprint stays.")

    @property
    def body(self) -> BlueprintBody:
        """What it says."""
        return BlueprintBody.from_json(self.content)
