"""Whom somebody may ask for beyond their own scope, since a layer above says so: a lead for all that their
people are in, and for those who have left.
"""

from __future__ import annotations

from iam.changes.causes import kind_of
from iam.changes.models import ChangeSet
from iam.guard import Viewer


def with_reach_of(viewer: Viewer, change_set: ChangeSet) -> Viewer:
    """The same viewer, who may ask for these as well."""
    reach = kind_of(change_set).reach
    return reach(change_set.cause_id, viewer) if reach and change_set.cause_id else viewer
