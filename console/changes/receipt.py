"""Context of a receipt, the same in a preview, in a request and after completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from console.changes.access_rows import access_shown, named_in, users_in_access
from console.changes.approval_context import need_context
from console.changes.impact_rows import impact_shown, named_in_impact, places_of, users_in_impact
from console.changes.presenters import call_rows, policy_rows
from console.web.access import ViewerRequest
from iam.changes.iac import patch_of
from iam.changes.operations import Operation
from iam.changes.operations.principal_mentions import notes_for_limited_reader
from iam.changes.receipts import set_receipt_of
from iam.changes.services import ChangePlan
from iam.changes.summary import SummaryBlock, blocks_of, summary_of
from iam.guard import Viewer
from iam.mirror.display_names import names_by_number
from iam.mirror.models import Account
from iam.mirror.queries import entities


def receipt_context(
    receipt: dict[str, Any],
    *,
    account: Account,
    request: ViewerRequest,
    together: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the context of `_effect.html`, `_impact.html`, `_calls.html` and `_approvers.html`; takes three
    queries.

    `together` is the receipt of the set. If the receipt already says whom a text affects, only the risks are
    added.
    """
    impact = (together or {}).get("impact")
    policies = chain.from_iterable(receipt["effect"][key] for key in ("gains", "loses", "keeps"))
    pks = [policy["entity_id"] for policy in policies if policy["entity_id"]] + named_in(receipt)
    open_to = entities.openable(request.viewer, account_id=account.account_id, pks=pks)
    called = names_by_number(users_in_access(receipt) | users_in_impact(impact))
    return impact_context(impact, viewer=request.viewer, account_id=account.account_id, called=called) | {
        "elsewhere": _elsewhere(receipt),
        "receipt": _for_reader(receipt, account=account, viewer=request.viewer),
        "observed_at": datetime.fromisoformat(receipt["observed_at"]) if receipt["observed_at"] else None,
        "policies": policy_rows(receipt, open_to=open_to),
        "access": access_shown(
            receipt, account=account, viewer=request.viewer, open_to=open_to, called=called
        ),
        "calls": call_rows(receipt["calls"], partition=account.partition),
    }


def what_is_done(operations: Sequence[Operation], *, viewer: Viewer) -> list[SummaryBlock]:
    """Return the summary above an unsubmitted receipt, in the same words as the later request."""
    summary = [block.body for block in summary_of(operations)]
    return blocks_of(summary, plain=not viewer.sees_accounts)


def plans_receipt_context(request: ViewerRequest, plans: Sequence[ChangePlan]) -> dict[str, Any]:
    """Return the context for planned changes in one account: receipt, summary, all calls, and the required
    approval.
    """
    operations = [plan.operation for plan in plans]
    together = set_receipt_of(operations)
    account = plans[0].operation.account
    context = receipt_context(plans[0].receipt.body, account=account, request=request, together=together)
    context |= need_context(request, plans, together=together)
    calls = list(chain.from_iterable(plan.receipt.body["calls"] for plan in plans))
    context["calls"] = call_rows(calls, partition=account.partition)
    context["blocks"] = what_is_done(operations, viewer=request.viewer)
    return context


def _for_reader(receipt: dict[str, Any], *, account: Account, viewer: Viewer) -> dict[str, Any]:
    """Return the receipt without names that the viewer can’t see."""
    if viewer.scope.sees_account(account.account_id):
        return receipt
    effect = receipt["effect"]
    return receipt | {"effect": effect | {"notes": notes_for_limited_reader(receipt)}}


def impact_context(
    impact: dict[str, Any] | None,
    *,
    viewer: Viewer,
    account_id: str = "",
    called: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Return the context of `_impact.html`.

    Takes one query for viewers who don’t see whole accounts, and two more if `called`, the users' display
    names, isn’t given.
    """
    if called is None:
        called = names_by_number(users_in_impact(impact))
    gains = impact["gains"] if impact else []
    places = chain.from_iterable(places_of(gain) for gain in gains)
    numbers = {place["account_id"] for place in places}
    open_to = entities.openable_in(viewer, account_ids=numbers or {account_id}, pks=named_in_impact(impact))
    return {"impact": impact_shown(impact, viewer=viewer, open_to=open_to, called=called)}


def without_new_names(together: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt for viewers who see only a part of the set: principals created by hidden parts are
    counted, not named.
    """
    impact = together.get("impact")
    if not impact:
        return together
    gains = [
        _known_only(gain) | {"elsewhere": [_known_only(place) for place in gain.get("elsewhere", ())]}
        for gain in impact["gains"]
    ]
    return together | {"impact": impact | {"gains": gains}}


def _known_only(place: dict[str, Any]) -> dict[str, Any]:
    """Return a block that names only principals in the mirror."""
    return place | {"names": [name for name in place["names"] if name["entity_id"]]}


def _elsewhere(receipt: dict[str, Any]) -> dict[str, Any] | None:
    """Return the tool that manages the subject besides Gatehouse, and a patch for it."""
    managed = receipt.get("managed")
    if not managed:
        return None
    return {
        "tool": managed["tool"],
        "name": managed["arn"].rpartition("/")[2] or managed["arn"],
        "evidence": managed["evidence"],
        "patch": patch_of(receipt["calls"], tool=managed["tool"]),
    }
