"""What a request is called, for whom: its title speaks of all its changes, and is told only to who sees them
all. Its number is the same for everybody.
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
"""What a grant does to a policy of its own as it begins and ends."""


def title_for(operations: Sequence[Operation], *, text: str = "") -> str:
    """The title of a request that is being made: the one that its maker gives, else what its changes do."""
    if text:
        return text[:512]
    first = operations[0].title
    more = len(operations) - 1
    if not more:
        return first[:512]
    changes = "change" if more == 1 else "changes"
    return f"{first[:480]} and {more:,} more {changes}"


def title_of(change: Change, *, is_partial: bool = False) -> str:
    """The one title of the request that a change belongs to, the same on every page, in mails and in the
    journal. `is_partial`: who reads it does not see all of the request, and reads the title of the change.
    """
    return change.title if is_partial else change.change_set.title or change.title


def references_of(changes: Iterable[Change]) -> dict[UUID, str]:
    """The number of the request of each change, by the id of its set: that of its first change, the same for
    who does not see that one. One query, none where all are first.
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
    """Of these sets, those with parts that the viewer does not see; no query for who sees everything.

    The policy that a grant makes for those who receive it, and deletes, is no part about anybody else: who
    sees all who receive it sees the whole request.
    """
    wanted = set(sets)
    if viewer.scope.sees_everything or not wanted:
        return set()
    seen = visible_changes(viewer).filter(change_set__in=wanted).values("pk")
    of_grant = Q(operation__in=POLICIES, change_set__cause_kind__startswith=OF_GRANT)
    hidden = Change.objects.filter(change_set__in=wanted).exclude(pk__in=seen).exclude(of_grant)
    return set(hidden.values_list("change_set_id", flat=True))
