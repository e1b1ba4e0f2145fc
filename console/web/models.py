"""Stores when the scheduler last ran."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """A single row: beat sends a task regularly, and the worker that runs it writes the time here."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
