"""Queries for links, without their secret content."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import QuerySet

from iam.people.links.models import OneTimeLink


def links_of_user(user_arn: str) -> QuerySet[OneTimeLink]:
    """Return all links for an IAM user, newest first."""
    return (
        OneTimeLink.objects.filter(user_arn=user_arn).select_related("person").order_by("-created_at", "-id")
    )


def waiting_links(user_arn: str) -> QuerySet[OneTimeLink]:
    """Return the user's links that can still be used or have an open session."""
    now = datetime.now(tz=UTC)
    living = links_of_user(user_arn).filter(ended_at__isnull=True)
    return living.filter(used_at__isnull=True, expires_at__gt=now) | living.filter(session_until__gt=now)


def newest_by_cause(causes: Iterable[UUID]) -> dict[UUID, OneTimeLink]:
    """Return the newest link for each cause that has one, with one query. `used_at` tells whether it was
    opened.
    """
    links = OneTimeLink.objects.filter(cause_id__in=list(causes)).order_by("created_at", "id")
    return {link.cause_id: link for link in links if link.cause_id}
