"""Previews what will be removed per account, with the receipt, before anything is requested."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any, Final

from console.access.grants.preview import stages_of
from console.changes.presenters import rows_by_account
from console.changes.receipt import impact_context, what_is_done
from console.offboarding.labels import plain_steps
from console.web.access import ViewerRequest
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.receipts import set_receipt_of
from iam.mirror.models import Entity
from iam.people.offboarding.open_roles import open_roles
from iam.people.offboarding.removal_plan import RemovalPlan, TrustChoices, plan_for

WEIGHED: Final = 20
"""Maximum number of users whose impact is calculated for the page; the approved receipt covers all of
them.
"""
PREVIEW_CALLS: Final = 12


def preview_context(
    request: ViewerRequest, users: Sequence[Entity], *, roles: set[int], sessions: set[int]
) -> dict[str, Any]:
    """Return the plan and its receipt, or why the offboarding can’t be requested."""
    viewer = request.viewer
    try:
        plan = plan_for(
            users[:WEIGHED], viewer=viewer, choices=TrustChoices(frozenset(roles), frozenset(sessions))
        )
    except RefusedError as error:
        return {"refused": error, "plan": None}
    operations, _ = plan.ordered()
    if not operations:
        return {"refused": RefusedError("No access is left to remove."), "plan": None}
    receipt = set_receipt_of(operations)
    calls = []
    for operation in operations:
        calls.extend([(call.body, operation.account) for call in operation.calls()])
    about: Any = SimpleNamespace(operations=operations, receipt=receipt, parts=_accounts(plan))
    return impact_context(receipt.get("impact"), viewer=viewer) | {
        "refused": None,
        "plan": plan,
        "blocks": what_is_done(operations, viewer=viewer),
        "open_roles": open_roles(users[:WEIGHED], viewer=viewer),
        "sites": [
            (site, plain_steps(site.operations), _irreversible_titles(site.operations)) for site in plan.sites
        ],
        "steps": len(operations),
        "weighed": WEIGHED if len(users) > WEIGHED else 0,
        "calls": rows_by_account(calls[:PREVIEW_CALLS]),
        "more_calls": max(0, len(calls) - PREVIEW_CALLS),
        "stages": stages_of(request, about),
    }


def _accounts(plan: RemovalPlan) -> list[Any]:
    operations = chain.from_iterable(site.operations for site in plan.sites)
    accounts = {operation.account.pk: operation.account for operation in operations}
    return [SimpleNamespace(account=account) for account in accounts.values()]


def _irreversible_titles(operations: Sequence[Operation]) -> list[tuple[str, str]]:
    """Return (title, why it can’t be undone) of each irreversible operation."""
    return [(operation.title, operation.irreversible) for operation in operations]
