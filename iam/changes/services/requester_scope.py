"""Extends what a viewer can request beyond their own scope: a lead for everything their people have, and for
people who left.
"""

from __future__ import annotations

from iam.changes.causes import kind_of
from iam.changes.models import ChangeSet
from iam.guard import Viewer


def with_reach_of(viewer: Viewer, change_set: ChangeSet) -> Viewer:
    """The viewer, who can also request changes for what the cause covers."""
    reach = kind_of(change_set).reach
    return reach(change_set.cause_id, viewer) if reach and change_set.cause_id else viewer
