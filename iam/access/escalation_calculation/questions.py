"""Stores questions that need the graph, which a worker answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from iam.access.escalation_calculation import stored_calculation
from iam.access.escalation_calculation.models import EscalationQuestion
from iam.access.escalation_calculation.stored_calculation import (
    BeingCalculatedError,
    StoredCalculation,
    is_answered,
    is_to_be_tried_again,
)


def key_of(moment: str, asks: Mapping[str, Any]) -> str:
    """A key that identifies the question."""
    text = json.dumps([moment, asks], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def answer_to(calculation: StoredCalculation, kind: str, asks: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for a calculation.

    If there is none yet, notifies a worker and raises BeingCalculatedError. One query, two for a new
    question.
    """
    asked = {"question": kind, **asks}
    key = key_of(calculation.moment, asked)
    questions = EscalationQuestion.objects.filter(key=key)
    known = questions.first()
    if known is None:
        new = EscalationQuestion(
            key=key, calculation_id=calculation.moment, asks=asked, asked_at=datetime.now(tz=UTC)
        )
        EscalationQuestion.objects.bulk_create([new], ignore_conflicts=True)
    elif is_answered(known, calculation):
        return dict(known.answer or {})
    elif known.has_failed and not is_to_be_tried_again(known):
        raise BeingCalculatedError(key)
    else:
        questions.update(asked_at=datetime.now(tz=UTC), number=0, has_failed=False)
    stored_calculation.nudge()
    # A worker may already have answered.
    known = questions.first()
    if known is not None and is_answered(known, calculation):
        return dict(known.answer or {})
    raise BeingCalculatedError(key)
