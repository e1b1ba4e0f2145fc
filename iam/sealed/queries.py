"""Queries for sealed secrets, without their content."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from iam.sealed.models import Secret


def secret_of(secret_id: UUID) -> Secret | None:
    """Return the row, or None for a secret that was never sealed."""
    return Secret.objects.filter(pk=secret_id).first()


def secrets_of(secret_ids: Iterable[UUID]) -> dict[UUID, Secret]:
    """Return the rows by their ids, without those that were never sealed."""
    return Secret.objects.in_bulk(list(secret_ids))
