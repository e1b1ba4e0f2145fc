"""The size of a request, from its receipt, for the header, card, list and inbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.changes.access_rows import LESS, MORE, weight_of
from console.changes.impact_rows import affected_words
from iam.changes.access_effects import ALTERED
from iam.changes.models import Change


def weight_of_request(change: Change, *, is_planned: bool = False) -> dict[str, Any]:
    """Return how many actions are gained, lost and otherwise changed by a change's request, and for how many
    principals. `is_planned` says that the request ended before all of it was done.

    Requests made before sets had receipts use the policies of the change.
    """
    impact: Mapping[str, Any] = change.change_set.receipt.get("impact") or {}
    totals = impact.get("totals")
    if totals is None:
        return {**weight_of(change.receipt), "is_planned": is_planned}
    return {
        "is_planned": is_planned,
        "more": sum(totals.get(sort, 0) for sort in MORE),
        "less": sum(totals.get(sort, 0) for sort in LESS),
        "other": totals.get(ALTERED, 0),
        "affected": impact.get("affected", 0),
        "affected_words": affected_words(impact) if impact.get("affected") else "",
        "is_undecided": bool(impact.get("undecided")),
    }
