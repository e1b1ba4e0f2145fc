"""Exports the roles of people in Gatehouse, one line per role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.operators.pages.people import chosen_people
from console.operators.queries import OperatorRow, people_page
from console.web.access import ViewerRequest, require
from console.web.address_choices import to_page_with_problems
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from iam.directory.models import RoleAssignment
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.keyset import KeysetPlace

COLUMNS: Final = (
    "person_id",
    "name",
    "email",
    "state",
    "role",
    "account_id",
    "team",
    "team_id",
    "role_since",
    "role_until",
    "second_factor",
    "last_sign_in",
)


@require_safe
@require(Right.SEE_OPERATORS)
def operators_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export everyone in the filtered list, and record the export. Raises Http404 for viewers without the
    right to export.
    """
    if form not in FORMS or not request.viewer.may(Right.EXPORT):
        raise Http404
    chosen = chosen_people(request)
    if way := to_page_with_problems(request, reverse("operators")):
        return way
    record(kind="list.export", actor=request.viewer, subject="operators", data={"form": form, **chosen})
    now = datetime.now(tz=UTC)
    about = {"list": "operators", "exported_at": json_value(now), "filters": chosen}
    rows = _rows(request.viewer, chosen)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(parts, form=form, name=f"gatehouse-operators-{now:%Y-%m-%dT%H%M%SZ}")


def _rows(viewer: Viewer, chosen: dict[str, str]) -> Iterator[dict[str, Any]]:
    after: KeysetPlace | None = None
    is_first = True
    while after or is_first:
        people, after = people_page(viewer, **chosen, after=after)
        is_first = False
        for row in people:
            assignments: list[RoleAssignment | None] = [*row.roles]
            for assignment in assignments or [None]:
                yield dict(zip(COLUMNS, _values(row, assignment), strict=True))


def _values(row: OperatorRow, assignment: RoleAssignment | None) -> tuple[Any, ...]:
    """Return a line; without a role it names none, and without an account the role applies to all."""
    person = row.person
    team = assignment.team if assignment else None
    role: tuple[Any, ...] = ("", "", None)
    if assignment:
        role = (assignment.get_role_display(), assignment.account_id or "all", assignment.created_at)
    name, account_id, since = role
    return (
        str(person.id),
        person.name,
        person.email,
        row.state,
        name,
        account_id,
        team.name if team else "",
        team.slug if team else "",
        since,
        assignment.until if assignment else None,
        None if row.hides_sign_in else row.has_factor,
        None if row.hides_sign_in else row.last_login,
    )
