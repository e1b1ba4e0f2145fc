"""What an answer says beside its decision: the statements that decided, those that would have, and what is
missing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.policy.lines import answer
from tests.iam.policy.cases.notation import (
    ACCOUNT,
    BUCKET,
    FEDERATED,
    OBJECT,
    OTHER_USER,
    ROLE,
    ROOT,
    USER,
    Case,
    Page,
    allow,
    deny,
    policy,
)

CASES: list[Case] = []
page = Page("", CASES)
S3 = allow("s3:*", sid="All")


def _because(*, strict: bool = True, **value_given: Any) -> list[dict[str, Any]]:
    page.case("x", "", **value_given)
    answered = answer(json.dumps(CASES[-1].line), strict=strict)
    return list(answered["because"])


def _said(reasons: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (
            reason["kind"],
            reason["outcome"],
            reason.get("policy", ""),
            reason.get("statement"),
            reason.get("level", 0),
        )
        for reason in reasons
    ]


def test_an_allow_names_policy_statement_and_sid() -> None:
    (reason,) = _because(identity=[policy(allow("ec2:*")), policy(allow("ec2:*"), S3)])
    assert reason == {
        "kind": "identity",
        "outcome": "allows",
        "text": "identity[1], All, allows it.",
        "policy": "identity[1]",
        "statement": 1,
        "sid": "All",
    }


def test_a_statement_without_sid_is_named_by_its_number() -> None:
    (reason,) = _because(identity=allow("s3:*"))
    assert (reason["text"], reason["statement"]) == ("identity[0], statement 1, allows it.", 0)


KINDS: dict[str, Any] = {
    "identity": deny("s3:*"),
    "boundary": deny("s3:*"),
    "session": deny("s3:*"),
    "endpoint": deny("s3:*", to="*"),
    "scps": [[], [deny("s3:*")]],
    "rcps": [[], [deny("s3:*", to="*")]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_deny_names_the_kind_of_policy_and_the_level(kind: str) -> None:
    level = 2 if kind in {"scps", "rcps"} else 0
    name = kind.removesuffix("s")
    place = f"{kind}[1][0]" if level else f"{kind}[0]"
    assert _said(_because(**{kind: KINDS[kind]})) == [(name, "denies", place, 0, level)]


def test_every_deny_is_named_and_no_allow() -> None:
    because = _because(
        identity=[S3, deny("s3:GetObject")], resource_policy=[allow("s3:*", to="*"), deny("s3:*", to="*")]
    )
    assert _said(because) == [
        ("identity", "denies", "identity[0]", 1, 0),
        ("resource", "denies", "resource", 1, 0),
    ]


def test_what_lacks_an_allow_is_named_with_what_allows() -> None:
    because = _because(identity=S3, boundary=allow("ec2:*"), scps=[[S3], []])
    assert _said(because) == [
        ("boundary", "missing", "", None, 0),
        ("scp", "missing", "", None, 2),
        ("identity", "allows", "identity[0]", 0, 0),
        ("scp", "allows", "scps[0][0]", 0, 1),
    ]
    assert because[0]["text"] == "The permissions boundary doesn’t allow s3:GetObject here."


def test_a_statement_that_nearly_allows_says_what_does_not_fit() -> None:
    statement = allow("s3:*", BUCKET, when={"Bool": {"aws:SecureTransport": "true"}, "Null": {"x:y": "true"}})
    because = _because(identity=statement, context={"aws:SecureTransport": "false"})
    assert _said(because) == [
        ("identity", "missing", "", None, 0),
        ("identity", "would", "identity[0]", 0, 0),
    ]
    assert because[1]["conditions"] == [f"Resource: {BUCKET}", "Bool aws:SecureTransport: true"]


def test_a_principal_that_is_not_meant_is_said() -> None:
    because = _because(
        principal=OTHER_USER, account=ACCOUNT, identity=S3, resource_policy=allow("s3:*", to={"AWS": USER})
    )
    assert because[1]["conditions"] == ["Principal: the caller isn’t included"]
    because = _because(identity=allow("s3:*", None, not_resource=OBJECT))
    assert because[1]["conditions"] == [f"NotResource: {OBJECT}"]


def test_what_it_depends_on_is_named_once_each() -> None:
    open_one = allow("s3:*", "arn:aws:s3:::*/${x:y}", when={"Bool": {"aws:SecureTransport": "true"}})
    because = _because(strict=False, identity=[open_one, deny("s3:*", when={"Null": {"x:z": "false"}})])
    assert _said(because) == [
        ("identity", "depends", "identity[0]", 0, 0),
        ("identity", "depends", "identity[0]", 1, 0),
    ]
    assert because[0]["conditions"] == ["Bool aws:SecureTransport: true", "Resource: arn:aws:s3:::*/${x:y}"]
    assert because[1]["conditions"] == ["Null x:z: false"]


def test_what_is_undecidable_is_said() -> None:
    because = _because(identity=allow("s3:*", when={"StringSounds": {"a": "b"}}))
    assert because[0]["conditions"] == [
        "undecidable: Statement[0].Condition[0]: StringSounds isn’t a condition operator"
    ]


MISPLACED = {
    "Resource: is missing, and so is NotResource": {"identity": allow("s3:*", None)},
    "Principal: has no place in this kind of policy": {"identity": allow("s3:*", to="*")},
    "Resource: is an incomplete ARN, which no session policy may have": {
        "identity": S3,
        "session": allow("s3:*", "arn:aws:s3"),
    },
    "Principal: is missing": {"resource_policy": allow("s3:*")},
    "Principal: must be * in this kind of policy": {"identity": S3, "rcps": [[allow("*", to={"AWS": USER})]]},
    "NotPrincipal: works with Deny only": {"resource_policy": allow("s3:*", not_to={"AWS": OTHER_USER})},
    "NotPrincipal: has no place in this kind of policy": {
        "identity": S3,
        "rcps": [[deny("s3:*", not_to={"AWS": OTHER_USER})]],
    },
}


@pytest.mark.parametrize("problem", MISPLACED)
def test_an_element_that_is_missing_or_has_no_place_is_said(problem: str) -> None:
    because = _because(**MISPLACED[problem])
    conditions = [condition for row in because for condition in row.get("conditions", ())]
    assert f"undecidable: Statement[0].{problem}" in conditions


def test_a_condition_that_does_not_hold_is_said_with_all_its_values() -> None:
    because = _because(
        identity=allow("s3:*", when={"StringLike": {"x:y": ["a", "b*"]}}), context={"x:y": "c"}
    )
    assert because[1]["conditions"] == ["StringLike x:y: a, b*"]


def test_a_missing_resource_policy_is_said() -> None:
    (reason, _) = _because(principal=OTHER_USER, account=ACCOUNT, identity=S3)
    assert (reason["kind"], reason["outcome"]) == ("resource", "missing")
    assert ACCOUNT in reason["text"]
    (reason, _) = _because(action="sts:AssumeRole", resource=ROLE, identity=allow("sts:*"))
    assert (reason["kind"], reason["outcome"]) == ("resource", "missing")


def test_the_rules_of_root_users_and_federated_users_are_said() -> None:
    (because,) = _because(principal=ROOT)
    assert (because["kind"], because["outcome"]) == ("rule", "rule")
    because = _because(
        principal=ROOT, action="sts:AssumeRole", resource=ROLE, resource_policy=allow("sts:*", None, to="*")
    )[0]
    assert because["text"] == "A root user can’t assume roles."
    (because, _) = _because(principal=FEDERATED, identity=S3)
    assert (because["kind"], because["outcome"]) == ("session", "missing")
    (because,) = _because(action="sts:GetCallerIdentity", resource="*", identity=deny("*"))
    assert because["outcome"] == "rule"


def test_an_unreadable_policy_is_named_beside_the_decision() -> None:
    because = _because(identity=["{", policy(S3)])
    assert _said(because) == [
        ("identity", "allows", "identity[1]", 0, 0),
        ("identity", "problem", "identity[0]", None, 0),
    ]
