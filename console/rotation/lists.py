"""The list of rotations: those in progress first, filtered by status and by batch."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.rotation.labels import mark_at
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.context import frame_of
from console.web.page_cursors import page_number
from console.web.render import render_page
from console.web.text import uuid_in
from iam.changes.models import ChangeState
from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.guard import Right
from iam.mirror.models import EntityState, valid_at
from iam.people.rotation.key_statuses import keys_now
from iam.people.rotation.models import MOVING, Rotation, RotationOutcome, RotationStage
from iam.people.rotation.queries import visible_rotations

RIGHTS: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50
NEWEST: Final = ("-begun_at", "pk")
COLUMNS: Final = ("pk", "stage", "stage_at", "outcome", "new_key_id", "old_state", "new_state")
VIEWS: Final = {
    "open": "In progress",
    "asked": "Waiting for approval",
    "carried": "Being requested or changed",
    "handing": "Secret available",
    "using": "Both active",
    "inactive": "Old inactive",
    "trouble": "Failed",
    "done": "Done",
    "ended": "Cancelled or replaced",
}
NOTHING: Final = {
    "open": "No key is being rotated",
    "asked": "None waits for approval",
    "carried": "None is being changed in AWS",
    "handing": "No secret waits to be read",
    "using": "No two keys of a rotation are in use",
    "inactive": "No old key waits to be deleted",
    "trouble": "None failed",
    "done": "None is done yet",
    "ended": "None was cancelled or replaced",
}


@require_safe
@require(*RIGHTS)
def rotations_page(request: ViewerRequest) -> HttpResponse:
    """Show a page of the list."""
    request.at = None
    view = choice(request, "view", VIEWS, default="open")
    batch = uuid_in(request.GET.get("batch", ""))
    rows = visible_rotations(request.viewer)
    if account := frame_of(request).chosen:
        rows = rows.filter(user__account=account)
    if batch:
        rows = rows.filter(run=batch)
    counts = _counts(rows)
    page = page_number(request)
    all_of_batch = batch is not None and "view" not in request.GET
    rotations = (
        rows.order_by(_ENDED_LAST, *NEWEST)
        if all_of_batch
        else rows.filter(_VIEW_FILTERS[view]).order_by(*NEWEST)
    )
    # Only the columns of a row, because a change with its receipt is large.
    part = list(rotations.values(*COLUMNS, **OTHERS)[(page - 1) * PAGE : page * PAGE + 1])
    context: dict[str, Any] = {
        "section": "keys",
        "sees_accounts": request.viewer.sees_accounts,
        "account": account,
        "rows": _marked(part[:PAGE]),
        "tabs": [(name, label, counts[name], name == view) for name, label in VIEWS.items()],
        "nothing": NOTHING[view],
        "batch": batch,
        "batch_total": sum(counts[name] for name in ("open", "done", "ended")) if batch else 0,
        "page": page,
        "has_more": len(part) > PAGE,
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(part[:PAGE]),
    }
    return render_page(request, "rotation/rotations.html", context)


def _marked(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], tuple[str, str, str]]]:
    """Return each row with its mark, which shows the keys as the mirror has them now."""
    places = set()
    for row in rows:
        places |= {(row["account"], row["key_id"]), (row["account"], row["new_key_id"])}
    now = keys_now(places)
    marked = []
    for row in rows:
        old, new = now.get((row["account"], row["key_id"])), now.get((row["account"], row["new_key_id"]))
        old_status = old.status if old else row["old_state"]
        new_status = new.status if new else row["new_state"]
        marked.append((row, mark_at(row["stage"], row["outcome"], old=old_status, new=new_status)))
    return marked


_ENDED_LAST: Final = Case(
    When(stage=RotationStage.ENDED, then=Value(1)), default=Value(0), output_field=IntegerField()
)
_WAITS: Final = Q(stage__in=MOVING, change__state=ChangeState.AWAITING)
_LIVING: Final = ~Q(stage=RotationStage.ENDED)
_IN_TROUBLE: Final = _LIVING & ~Q(trouble="", read_trouble="")
OTHERS: Final[dict[str, Any]] = {
    "account": F("user__account"),
    "key_id": F("old__aws_id"),
    "user_name": F("user__name"),
    "account_name": F("user__account__name"),
    "person_name": F("person__name"),
    "beginner": F("begun_by__name"),
    "waits": ExpressionWrapper(_WAITS, output_field=BooleanField()),
    "needs_somebody": ExpressionWrapper(_IN_TROUBLE, output_field=BooleanField()),
}
_NOW: Final = EntityState.objects.filter(valid_at(None), entity=OuterRef("old"))
_OLD_ACTIVE: Final = Q(Exists(_NOW.filter(category=ACTIVE)))
_OLD_INACTIVE: Final = Q(Exists(_NOW.filter(category=INACTIVE)))
_VIEW_FILTERS: Final = {
    "open": _LIVING,
    "asked": _WAITS,
    "carried": Q(stage__in=MOVING) & ~_WAITS,
    "handing": Q(stage=RotationStage.HANDING),
    "using": Q(stage=RotationStage.USING) & ~_OLD_INACTIVE | Q(stage=RotationStage.INACTIVE) & _OLD_ACTIVE,
    "inactive": Q(stage=RotationStage.INACTIVE) & ~_OLD_ACTIVE | Q(stage=RotationStage.USING) & _OLD_INACTIVE,
    "trouble": _IN_TROUBLE,
    "done": Q(outcome=RotationOutcome.DONE),
    "ended": Q(stage=RotationStage.ENDED) & ~Q(outcome=RotationOutcome.DONE),
}


def _counts(rows: QuerySet[Rotation]) -> dict[str, int]:
    """Return the count of each view; takes one query."""
    return dict(rows.aggregate(**{name: Count("pk", filter=kept) for name, kept in _VIEW_FILTERS.items()}))
