"""The terms of an assertion: what is refused, and at which field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iam.audit.assertions.terms import (
    AllowedKind,
    AllowedPrincipal,
    AssertionTerms,
    InvalidTermsError,
    check,
)

GOOD = AssertionTerms(
    ("iam:CreateUser",), ("*",), (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),), ("111111111111",)
)


def allowed(kind: AllowedKind, value: str) -> tuple[AllowedPrincipal, ...]:
    return (AllowedPrincipal(kind, value),)


def test_good_terms_survive_a_round_trip() -> None:
    check(GOOD)
    assert AssertionTerms.from_json(GOOD.to_json()) == GOOD


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"actions": ()}, "actions", "at least one action"),
        ({"actions": ("nonsense",)}, "actions", "no service"),
        ({"actions": ("iam:Nonsense*",)}, "actions", "no action that matches"),
        ({"actions": ("x" * 600,)}, "actions", "at most 512"),
        ({"actions": ("iam:CreateUsr",)}, "actions", "Did you mean iam:CreateUser?"),
        ({"actions": ("iam:Create User",)}, "actions", "An action has a service"),
        ({"resources": ()}, "resources", "at least one resource"),
        ({"resources": ("vault",)}, "resources", "isn’t an ARN"),
        ({"resources": ("arn:aws:s3:::vault/*",)}, "actions", "doesn’t work on any"),
        ({"resources": ("*",) * 51}, "resources", "at most 50 lines"),
        ({"accounts": ("123",)}, "accounts", "isn’t an account ID"),
        ({"allowed": allowed(AllowedKind.ACCOUNT, "12")}, "allowed_account", "isn’t an account ID"),
        ({"allowed": allowed(AllowedKind.TAG, "team")}, "allowed_tag", "isn’t a tag"),
        ({"allowed": allowed(AllowedKind.ROLE, "*")}, "allowed_role", "allows every role"),
        ({"allowed": allowed(AllowedKind.USER, "")}, "allowed_user", "Enter a name"),
    ],
)
def test_bad_terms_are_refused_at_their_field(changes: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(InvalidTermsError) as refused:
        check(replace(GOOD, **changes))
    assert refused.value.field == field
    assert says in refused.value.message


def test_patterns_stand_for_the_actions_that_work_on_a_resource() -> None:
    terms = AssertionTerms(("s3:Get*", "s3:ListBucket"), ("arn:aws:s3:::vault", "arn:aws:s3:::vault/*"))
    asked = dict(terms.questions())
    assert "s3:ListBucket" in asked["arn:aws:s3:::vault"]
    assert "s3:GetObject" in asked["arn:aws:s3:::vault/*"]
    assert "s3:ListBucket" not in asked["arn:aws:s3:::vault/*"]
