"""No method within IAM is without a case of its own."""

from __future__ import annotations

from pathlib import Path

from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import METHODS


def test_every_method_within_iam_is_tested() -> None:
    names = (
        "test_principals.py",
        "test_new_principals.py",
        "test_removed_denies.py",
        "test_federation.py",
        "test_tags.py",
        "test_organization_policies.py",
    )
    source = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)
    for method in METHODS:
        if method.sort not in (
            EdgeVerb.PASS,
            EdgeVerb.EXISTING,
            EdgeVerb.TAKE,
            EdgeVerb.SIGN_ON,
            EdgeVerb.RECOVER,
        ):
            tested = {method.name, *(need.action for need in method.needs)}
            assert any(f'"{action}"' in source for action in tested), method.name
