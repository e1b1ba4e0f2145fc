"""Finds the requests and grants that journal entries are about: titles, numbers and pages that the viewer can
see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from console.audit.sentences import OF_REQUESTS
from iam.access.grants.queries import visible_grants
from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.changes.titles import partly_hidden, title_of
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.guard import Viewer
from iam.journal.models import Entry


@dataclass(frozen=True, slots=True)
class RequestReference:
    """A request, a change or a grant; `title` is its usual title, and `part` names one change of a request
    with several. `undone` says what of it was undone since.
    """

    number: str
    title: str
    url: str = ""
    part: str = ""
    undone: str = ""


def references_of(entries: Iterable[Entry], viewer: Viewer) -> Mapping[int, RequestReference]:
    """Return references by entry ID, without entries about something the viewer can’t see. Takes at most five
    queries, and two more if something was undone.
    """
    changes, grants = {}, {}
    acts = {}
    for entry in entries:
        data = entry.data
        if entry.kind.startswith("change.") and (change := _uuid(data.get("change"))):
            changes[entry.id] = change
            acts[entry.id] = entry.kind.partition(".")[2]
        elif entry.kind.startswith("grant.") and (grant := _uuid(data.get("grant"))):
            grants[entry.id] = grant
    return _changes(changes, acts, viewer) | _grants(grants, viewer)


def _changes(
    wanted: Mapping[int, UUID], acts: Mapping[int, str], viewer: Viewer
) -> dict[int, RequestReference]:
    if not wanted:
        return {}
    rows = visible_changes(viewer).filter(pk__in=set(wanted.values())).select_related("change_set")
    seen = {change.pk: change for change in rows}
    sets = {change.change_set_id for change in seen.values()}
    hidden = partly_hidden(sets, viewer=viewer)
    heads = Change.objects.filter(change_set__in=sets - hidden, position=0)
    first = {head.change_set_id: head for head in heads.only("id", "change_set_id")}
    undone_parts = undone_parts_of(sets, viewer=viewer)
    references = {}
    for entry, pk in wanted.items():
        change = seen.get(pk)
        if change is None:
            continue
        undone = undone_parts.get(change.change_set_id, NOTHING_UNDONE)
        title = title_of(change, is_partial=change.change_set_id in hidden)
        if acts[entry] in OF_REQUESTS:
            head = first.get(change.change_set_id, change)
            page = "changes:change" if title == change.title else "changes:request"
            url = reverse(page, args=[head.pk])
            of_request = "" if title == change.title else change.title
            references[entry] = RequestReference(head.reference, title, url, of_request, undone.words)
        else:
            part = "" if title == change.title else change.title
            references[entry] = RequestReference(
                change.reference,
                title,
                reverse("changes:change", args=[pk]),
                part,
                undone.words_of(pk),
            )
    return references


def _grants(wanted: Mapping[int, UUID], viewer: Viewer) -> dict[int, RequestReference]:
    if not wanted:
        return {}
    rows = visible_grants(viewer).filter(pk__in=set(wanted.values()))
    seen = {grant.pk: grant for grant in rows}
    return {
        entry: RequestReference(seen[pk].reference, seen[pk].title, reverse("access:grant", args=[pk]))
        for entry, pk in wanted.items()
        if pk in seen
    }


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
