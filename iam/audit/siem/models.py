"""Records how much of the journal each receiver has confirmed."""

from __future__ import annotations

from django.db import models


class ExportPosition(models.Model):
    """The last entry that a receiver has confirmed, by its place in the chain.

    A worker holds the lease while it sends. `claim` identifies the worker.
    """

    receiver = models.CharField(max_length=320, primary_key=True)
    block = models.BigIntegerField(default=0)
    position = models.IntegerField(default=-1)
    entry = models.BigIntegerField(null=True, help_text="The number of that entry.")
    sent = models.BigIntegerField(default=0, help_text="Entries of the chain up to that place.")
    sent_at = models.DateTimeField(null=True)
    claim = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="Not before, after a failure.")
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return f"{self.receiver} has entry {self.entry}"
