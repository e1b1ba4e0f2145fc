"""Whom somebody may ask for beyond their own scope, since a layer above says so: a lead for all that their
people are in, and for those who have left.

A layer above registers in its `AppConfig.ready` for the kind of cause that its sets have.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from iam.changes.models import ChangeSet
from iam.guard import Viewer

Reach = Callable[[UUID, Viewer], Viewer]
"""The same viewer, who may ask for what the set of this id is about."""
_by_kind: dict[str, Reach] = {}


def register(kind: str, reach: Reach) -> None:
    """Tell whom the requester of a set of this kind of cause reaches."""
    _by_kind[kind] = reach


def reaching(viewer: Viewer, change_set: ChangeSet) -> Viewer:
    """The same viewer, who may ask for these as well."""
    reach = _by_kind.get(change_set.cause_kind)
    return reach(change_set.cause_id, viewer) if reach and change_set.cause_id else viewer
