"""The AWS calls of a whole grant, numbered, each with equivalents for other tools."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any, Final

from console.changes.presenters import CallRow, call_rows
from iam.access.grants.plans import GrantPlan, PartPlan

MAX_CALLS: Final = 60
"""Maximum number of calls shown; a grant in forty accounts repeats the same calls forty times."""


def calls_of(plan: GrantPlan) -> tuple[list[CallRow], int]:
    """Return the first calls in order, and the number of further ones."""
    several = len(plan.parts) > 1
    rows: list[CallRow] = []
    total = 0
    for part in plan.parts:
        calls = _calls(part)
        total += len(calls)
        if len(rows) >= MAX_CALLS:
            continue
        for row in call_rows(calls, partition=part.account.partition):
            sentence = f"{row.shown.sentence} In {part.account.name}." if several else row.shown.sentence
            rows.append(replace(row, shown=replace(row.shown, number=len(rows) + 1, sentence=sentence)))
    return rows[:MAX_CALLS], max(0, total - MAX_CALLS)


def _calls(part: PartPlan) -> list[dict[str, Any]]:
    calls = chain.from_iterable(step.operation.calls() for step in part.steps)
    return [
        {
            "service": call.service,
            "operation": call.operation,
            "params": dict(call.params),
            "sentence": call.sentence,
        }
        for call in calls
    ]
