"""When the scheduler last ran."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """One row: a task that beat sends, and a worker carries out, writes the moment into it."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"
