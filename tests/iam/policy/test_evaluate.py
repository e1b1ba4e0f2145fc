"""What the decision takes beside requests and policies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iam.policy.evaluate import decide
from iam.policy.lines import question
from tests.iam.policy.cases.notation import DENIED, NOT_ALLOWED, OBJECT, USER, allow, deny, policy


@pytest.mark.parametrize(
    ("services", "expected"), [(None, DENIED), (frozenset({"s3"}), DENIED), (frozenset(), NOT_ALLOWED)]
)
def test_services_that_rcps_apply_to_can_be_given(services: frozenset[str] | None, expected: str) -> None:
    rcp = policy(allow(to="*"), deny("s3:*", to="*"))
    line = {"action": "s3:GetObject", "resource": OBJECT, "principal": USER, "policies": {"rcps": [[rcp]]}}
    request, policies = question(line, strict=True)
    assert decide(request, replace(policies, rcp_services=services)) == expected
