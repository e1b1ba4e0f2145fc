"""Finds references as pages show them: CHG-9DA136C6 is a change, GRT-9DA136C6 a grant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from console.search.results import SearchResult
from iam.access.grants.queries import visible_grants
from iam.audit.evidence.packs import visible_packs
from iam.audit.reviews.models import ReviewCampaign
from iam.audit.reviews.queries import find_campaign
from iam.changes.drift.queries import visible_drifts
from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.changes.titles import partly_hidden, references_of, title_of
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.guard import Viewer
from iam.people.moving.queries import visible_moves
from iam.people.offboarding.queries import visible_leavers
from iam.people.onboarding.queries import visible_runs
from iam.people.onboarding.services import title_for
from iam.people.runs.models import RowStatus

NUMBER: Final = re.compile(r"(?P<kind>[a-z]{3})-?(?P<digits>[0-9a-f]{4,8})", re.IGNORECASE)
MAX_REFERENCES: Final = 5
MAX_OF_SETS: Final = 200
"""Maximum number of changes to check for requests whose first change is hidden."""


def reference_results(viewer: Viewer, text: str) -> list[SearchResult]:
    """Return the objects whose reference starts with the text."""
    match = NUMBER.fullmatch(text.strip())
    find = FINDERS.get(match["kind"].lower()) if match else None
    if match is None or find is None:
        return []
    digits = match["digits"].lower()
    return list(find(viewer, UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))


def _range(first: UUID, last: UUID, field: str = "pk") -> Q:
    return Q(**{f"{field}__gte": first, f"{field}__lte": last})


def _changes(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    """Yield requests by the reference of their first change, also for viewers who see only other changes of
    them.
    """
    seen = visible_changes(viewer).select_related("account", "change_set")
    changes = list(seen.filter(_range(first, last)).order_by("pk")[:MAX_REFERENCES])
    heads = {change.change_set_id: change for change in changes if not change.position}
    if not viewer.scope.sees_everything:
        requests = Change.objects.filter(_range(first, last), position=0).values("change_set")
        for change in seen.filter(change_set__in=requests).order_by("position")[:MAX_OF_SETS]:
            heads.setdefault(change.change_set_id, change)
    references = references_of(heads.values())
    hidden = partly_hidden(heads, viewer=viewer)
    sets = heads.keys() | {change.change_set_id for change in changes}
    undone = undone_parts_of(sets, viewer=viewer)
    for change_set, change in heads.items():
        title = title_of(change, is_partial=change_set in hidden)
        words = undone.get(change_set, NOTHING_UNDONE).words
        yield _change_result(change, "changes:request", title, references[change_set], undone_words=words)
    for change in changes:
        if change.position:
            words = undone.get(change.change_set_id, NOTHING_UNDONE).words_of(change.pk)
            yield _change_result(change, "changes:change", change.title, change.reference, undone_words=words)


def _change_result(
    change: Change, page: str, title: str, reference: str, *, undone_words: str
) -> SearchResult:
    detail = change.account.name
    if undone_words:
        detail = f"{detail}, {undone_words.lower()}"
    return SearchResult(
        title=title, url=reverse(page, args=[change.pk]), icon="history", kind=reference, detail=detail
    )


def _grants(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    for grant in visible_grants(viewer).filter(_range(first, last)).order_by("pk")[:MAX_REFERENCES]:
        yield _result(grant, "access:grant", "key-round", grant.title, str(grant.get_state_display()))


def _drifts(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    rows = visible_drifts(viewer).filter(_range(first, last)).select_related("entity", "account")
    for drift in rows.order_by("pk")[:MAX_REFERENCES]:
        yield _result(drift, "changes:drift-detail", "history", f"Drift of {drift.name}", drift.account.name)


def _runs(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    for run in visible_runs(viewer).filter(_range(first, last)).order_by("pk")[:MAX_REFERENCES]:
        title = title_for(run, run.people.filter(standing=RowStatus.READY).count())
        yield _result(run, "onboarding:run", "user-plus", title, str(run.get_state_display()))


def _leavers(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    rows = visible_leavers(viewer).filter(_range(first, last, "run__pk"))
    for leaver in rows.order_by("pk")[:MAX_REFERENCES]:
        yield SearchResult(
            title=leaver.heading,
            url=reverse("offboarding:leaver", args=[leaver.pk]),
            icon="log-out",
            kind=leaver.run.reference,
        )


def _moves(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    for move in visible_moves(viewer).filter(_range(first, last)).order_by("pk")[:MAX_REFERENCES]:
        title = f"Change team of {move.name}"
        yield _result(move, "moving:move", "arrow-left-right", title, str(move.get_state_display()))


def _packs(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    if viewer.sees_accounts:
        for pack in visible_packs(viewer).filter(_range(first, last))[:MAX_REFERENCES]:
            yield _result(pack, "evidence:pack", "shield-check", pack.title, str(pack.get_state_display()))


def _reviews(viewer: Viewer, first: UUID, last: UUID) -> Iterator[SearchResult]:
    rows = ReviewCampaign.objects.filter(_range(first, last)).order_by("pk")
    for pk in rows.values_list("pk", flat=True)[:MAX_REFERENCES]:
        review = find_campaign(viewer, pk)
        if review is not None:
            yield _result(review, "reviews:campaign", "list-checks", review.name, "Access review")


def _result(row: Any, page: str, icon: str, title: str, detail: str) -> SearchResult:
    return SearchResult(title, reverse(page, args=[row.pk]), icon, kind=row.reference, detail=detail)


FINDERS: Final[Mapping[str, Callable[[Viewer, UUID, UUID], Iterator[SearchResult]]]] = {
    "chg": _changes,
    "drf": _drifts,
    "evd": _packs,
    "grt": _grants,
    "lvg": _leavers,
    "mov": _moves,
    "rev": _reviews,
    "run": _runs,
    "sus": _leavers,
}
"""Search function by the letters at the start of a reference."""
