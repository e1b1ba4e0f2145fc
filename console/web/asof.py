"""The as-of control of pages that show the mirror: the moment shown, and other moments to choose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from console.web.access import ViewerRequest
from console.web.context import frame_of
from iam.guard import Viewer
from iam.mirror.models import Account, Entity
from iam.mirror.queries.freshness import patience
from iam.mirror.queries.moments import NearbyMoments, account_moments, entity_moments

POSITION = {"as-of", "after", "before", "page"}
"""Query parameters that are dropped when the moment changes: the moment itself and the position in a list."""


@dataclass(frozen=True, slots=True)
class AsOfControl:
    """Data of `components/asof.html` and `components/pastbar.html`; `moments` are (label, moment, icon).

    `is_old`: the data is overdue for a sync or was never synced. `is_incomplete`: a part of it could not be
    synced lately.
    """

    earliest: datetime | None
    before: datetime | None
    next: datetime | None
    read_at: datetime | None
    fresh: datetime | None
    is_old: bool
    is_incomplete: bool
    moments: list[tuple[str, datetime, str]]
    kept: list[tuple[str, str]]
    compare: str


def asof_context(
    request: HttpRequest, *, account: Account | None = None, entity: Entity | None = None
) -> dict[str, Any]:
    """Return `{"asof": …}` for a page about an entity, an account or, with neither, the choice in
    `?account=`.

    Takes one query for an account or for all accounts, plus that of the frame unless it was loaded before,
    and two or three queries for an entity.
    """
    asked = cast(ViewerRequest, request)
    if entity is not None:
        moments = entity_moments(entity, at=asked.at)
    else:
        account = account or frame_of(request).chosen
        moments = account_moments(account, at=asked.at)
    whole = entity is None and account is None
    synced_at = frame_of(request).oldest if whole else moments.read_at
    of_account = entity.account if entity else account
    interval = of_account.pull_every if of_account else None
    limit = patience(interval)
    fresh = None if whole else moments.read_at
    is_incomplete = frame_of(request).is_incomplete if whole else moments.is_incomplete
    kept: list[tuple[str, str]] = []
    for name, values in request.GET.lists():
        if name not in POSITION:
            kept.extend((name, value) for value in values)
    return {
        "asof": AsOfControl(
            earliest=moments.earliest,
            before=moments.before,
            next=moments.after,
            read_at=moments.read_at,
            fresh=fresh,
            is_old=synced_at is None or datetime.now(tz=UTC) - synced_at > limit,
            is_incomplete=is_incomplete,
            moments=_worth_a_click(moments, at=asked.at),
            kept=kept,
            compare=_compare_address(asked.viewer, account=account, entity=entity, at=asked.at),
        )
    }


def _worth_a_click(moments: NearbyMoments, *, at: datetime | None) -> list[tuple[str, datetime, str]]:
    if moments.earliest is None:
        return []
    now = datetime.now(tz=UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = [
        ("Before the last change", None if at else moments.before, "git-compare"),
        ("Yesterday, end of day", midnight - timedelta(seconds=1), "history"),
        ("A week ago", now.replace(microsecond=0) - timedelta(days=7), "history"),
        ("First sync", moments.earliest, "flag"),
    ]
    return [
        (label, moment, icon) for label, moment, icon in wanted if moment and moments.earliest <= moment < now
    ]


def _compare_address(
    viewer: Viewer, *, account: Account | None, entity: Entity | None, at: datetime | None
) -> str:
    """Return the address of the page that compares two moments of the entity or account.

    Returns "" without an account, and for an account that the viewer sees only in part.
    """
    if entity is None and account is not None and not viewer.scope.sees_account(account.account_id):
        return ""
    if entity:
        query = {"entity": str(entity.pk)}
    elif account:
        query = {"account": account.account_id}
    else:
        return ""
    if at:
        query["from"] = f"{at:%Y-%m-%dT%H:%M:%S}"
    return f"{reverse('identities:compare')}?{urlencode(query)}"
