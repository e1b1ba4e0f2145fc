"""Builds the titles of requests. A title covers all changes, and is shown only to people who see them all;
the reference is the same for everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Q

from iam.changes.models import OF_GRANT, Change, reference_of
from iam.changes.operations import Operation
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.queries import visible_changes
from iam.guard import Viewer

POLICIES: Final = (CreatePolicy.spec.slug, DeletePolicy.spec.slug)
"""The operations of a grant on a policy of its own, when it begins and ends."""


def title_for(operations: Sequence[Operation], *, text: str = "") -> str:
    """The title of a new request: the given one, or one derived from its changes."""
    if text:
        return text[:512]
    first = operations[0].title
    more = len(operations) - 1
    if not more:
        return first[:512]
    changes = "change" if more == 1 else "changes"
    return f"{first[:480]} and {more:,} more {changes}"


def title_of(change: Change, *, is_partial: bool = False) -> str:
    """The title of a change's request, the same on every page, in mails and in the journal.

    With `is_partial`, the reader does not see the whole request and gets the title of the change.
    """
    return change.title if is_partial else change.change_set.title or change.title


def undo_title_of(change: Change) -> str:
    """The title of a request that undoes this change: that of its request if the change is all of it, else
    its own.
    """
    title = change.title
    is_all = not Change.objects.filter(change_set=change.change_set_id).exclude(pk=change.pk).exists()
    if is_all and change.reverts_id is None:
        title = title_of(change)
    return f"Undo: {title}"


def references_of(changes: Iterable[Change]) -> dict[UUID, str]:
    """The reference of each change's request, by the id of its set: that of the first change, even if hidden.

    One query; none if all are first changes.
    """
    references = {}
    later = set()
    for change in changes:
        if change.position:
            later.add(change.change_set_id)
        else:
            references[change.change_set_id] = change.reference
    if later - references.keys():
        firsts = Change.objects.filter(change_set__in=later, position=0)
        for change_set, pk in firsts.values_list("change_set_id", "pk"):
            references[change_set] = reference_of(pk)
    return references


def partly_hidden(sets: Iterable[UUID], *, viewer: Viewer) -> set[UUID]:
    """Those of the sets with changes that the viewer does not see. No query for viewers who see everything.

    Operations on a policy that a grant creates for its recipients don't count, because it concerns no one
    else.
    """
    wanted = set(sets)
    if viewer.scope.sees_everything or not wanted:
        return set()
    seen = visible_changes(viewer).filter(change_set__in=wanted).values("pk")
    of_grant = Q(operation__in=POLICIES, change_set__cause_kind__startswith=OF_GRANT)
    hidden = Change.objects.filter(change_set__in=wanted).exclude(pk__in=seen).exclude(of_grant)
    return set(hidden.values_list("change_set_id", flat=True))
