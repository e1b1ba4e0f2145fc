"""Records which anchors were written where, for the page."""

from __future__ import annotations

from django.db import models


class AnchorWrite(models.Model):
    """One attempt to write an anchor to one place; `error` is empty if it succeeded."""

    place = models.CharField(max_length=512)
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    error = models.CharField(max_length=512, blank=True)

    class Meta:
        indexes = [models.Index(fields=["place", "-id"], name="anchor_newest")]

    def __str__(self) -> str:
        return f"block {self.sequence} to {self.place}"
