"""The draft of a run before it is requested: the rows with their errors, and the receipt of the ready
ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any, Final

from django.core.paginator import Paginator

from console.access.grants.preview import stages_of
from console.changes.presenters import rows_by_account
from console.changes.receipt import impact_context, what_is_done
from console.web.access import ViewerRequest
from console.web.address_choices import choice
from console.web.page_cursors import page_number
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.receipts import set_receipt_of
from iam.people.blueprints.queries import said_in_full
from iam.people.onboarding import services
from iam.people.onboarding.existing_users import adoptable
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.onboarding.requester_scope import of_run
from iam.people.onboarding.services import RunPlan
from iam.people.runs.models import RowStatus

PAGE: Final = 50
WEIGHED: Final = 20
"""Maximum number of people whose impact is calculated for the page; the approved receipt covers all of
them.
"""
PREVIEW_CALLS: Final = 12


def draft_context(request: ViewerRequest, run: OnboardingRun) -> dict[str, Any]:
    """Return the rows, their counts, and the receipt, or why the run can’t be requested."""
    only = choice(request, "show", RowStatus.values)
    rows = run.people.filter(standing=only) if only else run.people.all()
    counts = {status.value: run.people.filter(standing=status).count() for status in RowStatus}
    page = Paginator(rows, PAGE).get_page(page_number(request))
    context: dict[str, Any] = {
        "run": run,
        "blueprint": run.version.blueprint,
        "said": said_in_full(run.version.body),
        "page": page,
        "first_bad": _first_bad(page.object_list),
        "counts": counts,
        "total": sum(counts.values()),
        "bad": counts[RowStatus.BAD] + counts[RowStatus.EXISTING],
        "only": only,
        "reason": request.POST.get("reason", "")[:1000],
        "skip": request.POST.get("skip") == "1",
        "edited": _edited(request, run),
    }
    there = adoptable(run)
    unless_posted = "1" if there and not counts[RowStatus.READY] else ""
    adopts = request.POST.get("adopt", unless_posted) == "1"
    context |= {"adoptable": len(there), "adopts": adopts}
    adopted = there if adopts else []
    title = services.title_for(run, counts[RowStatus.READY] + len(adopted))
    return context | {"title": title} | _receipt(request, run, adopted)


def _first_bad(rows: Iterable[OnboardedPerson]) -> OnboardedPerson | None:
    """Return the first row that needs fixing, or else the first whose user exists already."""
    left = sorted(rows, key=lambda row: row.standing != RowStatus.BAD)
    return next((row for row in left if row.standing != RowStatus.READY), None)


def _edited(request: ViewerRequest, run: OnboardingRun) -> int:
    """Return the ready row that is open for editing; 0 for none."""
    number = request.GET.get("edit", "")
    if not number:
        return 0
    numbers = {str(pk) for pk in run.people.values_list("pk", flat=True)}
    return int(choice(request, "edit", numbers, default="0"))


def _receipt(request: ViewerRequest, run: OnboardingRun, there: list[OnboardedPerson]) -> dict[str, Any]:
    viewer = request.viewer
    ready = run.people.filter(standing=RowStatus.READY)
    try:
        # Counted first, because a run that is too large needs only its number.
        services.check_size(ready.count() + len(there))
        people = [*ready, *there]
        if not people:
            return {"refused": None, "plan": None}
        plan = services.plan_run(run, people, viewer=viewer)
        weighed = _weighed(plan)
        planned = changes.plan_set(weighed, viewer=of_run(run.pk, viewer))
    except RefusedError as error:
        return {"refused": error, "plan": None}
    receipt = set_receipt_of(weighed)
    calls = []
    for planned_change in planned:
        account = planned_change.operation.account
        calls.extend([(call, account) for call in planned_change.receipt.body["calls"]])
    about: Any = SimpleNamespace(operations=weighed, receipt=receipt, parts=plan.parts)
    return impact_context(receipt.get("impact"), viewer=viewer) | {
        "refused": None,
        "plan": plan,
        "blocks": what_is_done(_operations(plan), viewer=viewer),
        "people_count": len(people),
        "steps": sum(len(part.steps) for part in plan.parts),
        "weighed": min(len(people), WEIGHED) if len(people) > WEIGHED else 0,
        "calls": rows_by_account(calls[:PREVIEW_CALLS]),
        "more_calls": max(0, sum(len(part.steps) for part in plan.parts) - PREVIEW_CALLS),
        "stages": stages_of(request, about),
        "notes": plan.notes,
    }


def _operations(plan: RunPlan) -> Sequence[Operation]:
    return [step.operation for step in chain.from_iterable(part.steps for part in plan.parts)]


def _weighed(plan: RunPlan) -> Sequence[Operation]:
    people = list(dict.fromkeys(part.newcomer.pk for part in plan.parts))[:WEIGHED]
    steps = chain.from_iterable(part.steps for part in plan.parts if part.newcomer.pk in people)
    return [step.operation for step in steps]
