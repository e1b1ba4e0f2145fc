"""What decides a step of a path, in a sentence."""

from __future__ import annotations

import pytest

from console.access.escalation_steps import _sentence
from iam.access.escalation_calculation.path_records import _reason_from
from iam.policy.explain import DecisionReason, ReasonOutcome

OPEN = "depending on values that the request doesn’t give"
MFA = "Bool aws:MultiFactorAuthPresent true"


def _reason(*, is_deny: bool, conditions: tuple[str, ...]) -> DecisionReason:
    verb = "denies it" if is_deny else "allows it"
    text = f"Guard, statement 1, {verb}, {OPEN}."
    return DecisionReason(
        "identity", ReasonOutcome.DEPENDS, text, "Guard", 0, "", 0, conditions, is_deny=is_deny
    )


@pytest.mark.parametrize(
    ("is_deny", "verb"), [(True, "Guard, statement 1, denies it"), (False, "Guard, statement 1, allows it")]
)
def test_a_deny_is_told_as_a_deny(is_deny: bool, verb: str) -> None:
    assert _sentence(_reason(is_deny=is_deny, conditions=())) == verb


def test_a_stored_reason_keeps_its_effect() -> None:
    reason = _reason(is_deny=True, conditions=(MFA,))
    stored = [
        reason.kind,
        reason.text,
        reason.policy,
        reason.statement,
        reason.sid,
        reason.level,
        [MFA],
        True,
    ]
    assert _reason_from(stored) == reason
