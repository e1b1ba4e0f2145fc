"""The columns of all rows with a validity period: the period, the observations around it, and the causes."""

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
    """A fact that was valid from `valid_from` (its first observation) until `valid_to` (the first observation
    without it).

    It really began between `after` (the last observation without it; null if the section was never read
    before) and `valid_from`, and really ended between `last_seen` and `valid_to`. `observed_at` is the
    observation that wrote the row. While the row is current, later complete syncs of its section may have
    confirmed it (see Section.observed_at) without a write here.
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


def valid_at(at: datetime | models.Expression | None, *, prefix: str = "") -> Q:
    """Return the condition for rows valid at a time (None: now). The prefix leads to the row from the queried
    model.
    """
    if at is None:
        return Q(**{f"{prefix}valid_to__isnull": True})
    begun = Q(**{f"{prefix}valid_from__lte": at})
    return begun & (Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": at}))


def change_indexes(name: str) -> list[models.Index]:
    """Return indexes for what began or ended after the first sync, by account and over all, for differences
    and recent changes.

    Rows from a first sync (`after` is null) and current rows are excluded, so that a first sync pays nothing
    for them.
    """
    begun, ended = Q(after__isnull=False), Q(valid_to__isnull=False)
    return [
        models.Index(fields=["account", "valid_from"], condition=begun, name=f"{name}_begun"),
        models.Index(fields=["account", "valid_to"], condition=ended, name=f"{name}_ended"),
        models.Index(fields=["valid_from"], condition=begun, name=f"{name}_begun_all"),
        models.Index(fields=["valid_to"], condition=ended, name=f"{name}_ended_all"),
    ]
