"""What all rows in time share: since when, until when, between which two observations, and by what cause."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q


class Cause(models.TextChoices):
    """Why a state began or ended."""

    UNKNOWN = "", "unknown"
    CHANGE = "change", "a Change of Gatehouse"
    EVENT = "event", "a CloudTrail event"


class TemporalRow(models.Model):
    """A fact that held from `valid_from` (first observation of it) until `valid_to` (first observation
    without it).

    The true moment of the beginning lies between `after` (the last observation without the fact; null when
    the section had never been read before) and `valid_from`; the true end lies between `last_seen` and
    `valid_to`. `observed_at` is the observation that wrote the row; while the row is current, the complete
    section that covers it may have confirmed it later (see Section.observed_at), without a write here.
    """

    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    after = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    observed_at = models.DateTimeField()
    cause_kind = models.CharField(max_length=8, choices=Cause.choices, default=Cause.UNKNOWN, blank=True)
    cause_id = models.UUIDField(null=True)
    end_cause_kind = models.CharField(max_length=8, choices=Cause.choices, default=Cause.UNKNOWN, blank=True)
    end_cause_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


CURRENT = Q(valid_to__isnull=True)


def valid_at(at: datetime | None, *, prefix: str = "") -> Q:
    """Rows that hold at a moment; None is now. The prefix leads to the row from the model that is queried."""
    if at is None:
        return Q(**{f"{prefix}valid_to__isnull": True})
    begun = Q(**{f"{prefix}valid_from__lte": at})
    return begun & (Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": at}))


def change_indexes(name: str) -> list[models.Index]:
    """Indexes of what began or ended after the first reading: by account and over all, for differences and
    for what changed lately.

    Rows of a first reading (`after` is null) and rows that still hold are left out, so a first pull pays
    nothing for them.
    """
    begun, ended = Q(after__isnull=False), Q(valid_to__isnull=False)
    return [
        models.Index(fields=["account", "valid_from"], condition=begun, name=f"{name}_begun"),
        models.Index(fields=["account", "valid_to"], condition=ended, name=f"{name}_ended"),
        models.Index(fields=["valid_from"], condition=begun, name=f"{name}_begun_all"),
        models.Index(fields=["valid_to"], condition=ended, name=f"{name}_ended_all"),
    ]
