"""Trust policies of another shape: refused with the reason, never guessed."""

from __future__ import annotations

import pytest

from iam.policy.trust_sentences import UnreadableTrustError, explain_trust

HERE = "111111111111"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "7",
        '{"Statement": ["x"]}',
        '{"Statement": {"Effect": "Allow"}}',
        '{"Statement": {"Effect": "Allow", "Principal": 7, "Action": "sts:AssumeRole"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Condition": "x"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Condition": {"Bool": 1}}}',
        "[" * 100_000,
    ],
)
def test_another_shape_is_refused_and_never_guessed(text: str) -> None:
    with pytest.raises(UnreadableTrustError):
        explain_trust(text, account_id=HERE)
