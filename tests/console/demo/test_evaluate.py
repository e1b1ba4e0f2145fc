"""The stand-in's small policy evaluation, against cases from AWS's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.demo.standin.evaluate import (
    ALLOWED,
    EXPLICIT_DENY,
    IMPLICIT_DENY,
    AuthorizationQuestion,
    Context,
    decide,
)

BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"


def verdict(statements: list[dict[str, Any]], action: str, resource: str = "*", **context: list[str]) -> str:
    keys: Context = {key.replace("__", ":").lower(): values for key, values in context.items()}
    return decide([json.dumps({"Statement": statements})], AuthorizationQuestion(action, resource, keys))


def statement(
    effect: str = "Allow", action: Any = "s3:*", resource: Any = "*", **more: Any
) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def under(operator: str, key: str, value: Any, **context: list[str]) -> str:
    return verdict([statement(Condition={operator: {key: value}})], "s3:GetObject", **context)


# "Policy evaluation logic": nothing said is an implicit deny, and an explicit deny wins over any allow.
@pytest.mark.parametrize(
    ("statements", "action", "resource", "expected"),
    [
        ([], "s3:GetObject", BUCKET, IMPLICIT_DENY),
        ([statement()], "s3:GetObject", BUCKET, ALLOWED),
        ([statement()], "ec2:RunInstances", "*", IMPLICIT_DENY),
        ([statement(), statement("Deny", "s3:DeleteBucket")], "s3:DeleteBucket", BUCKET, EXPLICIT_DENY),
        ([statement("Deny", "s3:DeleteBucket"), statement()], "s3:DeleteBucket", BUCKET, EXPLICIT_DENY),
        ([statement(action="S3:getobject")], "s3:GetObject", BUCKET, ALLOWED),
        ([statement(action="s3:Get*")], "s3:PutObject", BUCKET, IMPLICIT_DENY),
        ([statement(action="iam:?etUser")], "iam:GetUser", "*", ALLOWED),
        ([statement(resource=f"{BUCKET}/*")], "s3:GetObject", f"{BUCKET}/a/b.txt", ALLOWED),
        ([statement(resource=f"{BUCKET}/*")], "s3:ListBucket", BUCKET, IMPLICIT_DENY),
        ([statement(resource="arn:aws:iam::1:user/x")], "s3:GetObject", "*", IMPLICIT_DENY),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", BUCKET, ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:GetUser", "*", IMPLICIT_DENY),
        (
            [statement(), {"Effect": "Deny", "Action": "s3:*", "NotResource": BUCKET}],
            "s3:ListBucket",
            BUCKET,
            ALLOWED,
        ),
        (
            [statement(), {"Effect": "Deny", "Action": "s3:*", "NotResource": BUCKET}],
            "s3:ListBucket",
            "arn:aws:s3:::x",
            EXPLICIT_DENY,
        ),
    ],
)
def test_statements(statements: list[dict[str, Any]], action: str, resource: str, expected: str) -> None:
    assert verdict(statements, action, resource) == expected


# "IAM JSON policy elements: Condition operators", one row for each rule on that page.
@pytest.mark.parametrize(
    ("operator", "key", "value", "context", "expected"),
    [
        ("StringEquals", "aws:PrincipalTag/team", ["a", "b"], {"aws__principaltag/team": ["b"]}, ALLOWED),
        ("StringEquals", "aws:PrincipalTag/team", "a", {"aws__principaltag/team": ["A"]}, IMPLICIT_DENY),
        ("StringEqualsIgnoreCase", "aws:PrincipalTag/team", "a", {"aws__principaltag/team": ["A"]}, ALLOWED),
        ("StringEquals", "aws:PrincipalTag/team", "a", {}, IMPLICIT_DENY),
        ("StringNotEquals", "aws:PrincipalTag/team", "a", {}, ALLOWED),
        (
            "StringNotEquals",
            "aws:PrincipalTag/team",
            ["a", "b"],
            {"aws__principaltag/team": ["b"]},
            IMPLICIT_DENY,
        ),
        ("StringEqualsIfExists", "aws:PrincipalTag/team", "a", {}, ALLOWED),
        ("StringLike", "aws:userid", "AROA*:bob", {"aws__userid": ["AROAX:bob"]}, ALLOWED),
        ("Bool", "aws:MultiFactorAuthPresent", "true", {}, IMPLICIT_DENY),
        ("Bool", "aws:MultiFactorAuthPresent", True, {"aws__multifactorauthpresent": ["true"]}, ALLOWED),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "false", {}, ALLOWED),
        ("Null", "aws:TokenIssueTime", "true", {}, ALLOWED),
        ("Null", "aws:TokenIssueTime", "false", {}, IMPLICIT_DENY),
        ("NumericLessThan", "s3:max-keys", "10", {"s3__max-keys": ["9"]}, ALLOWED),
        ("NumericGreaterThanEquals", "s3:max-keys", "10", {"s3__max-keys": ["9"]}, IMPLICIT_DENY),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            {"aws__currenttime": ["2026-01-02T00:00:00Z"]},
            IMPLICIT_DENY,
        ),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            {"aws__currenttime": ["2026-01-02T00:00:00Z"]},
            ALLOWED,
        ),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", {"aws__sourceip": ["203.0.113.9"]}, ALLOWED),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", {"aws__sourceip": ["203.0.113.9"]}, IMPLICIT_DENY),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:iam::*:role/x",
            {"aws__principalarn": ["arn:aws:iam::1:role/x"]},
            ALLOWED,
        ),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:*:role/x",
            {"aws__principalarn": ["arn:aws:iam::1:role/x"]},
            IMPLICIT_DENY,
        ),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"], {"aws__tagkeys": ["a"]}, ALLOWED),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"], {"aws__tagkeys": ["a", "c"]}, IMPLICIT_DENY),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["a", "b"], {}, ALLOWED),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["a", "b"], {"aws__tagkeys": ["a", "c"]}, ALLOWED),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["a", "b"], {}, IMPLICIT_DENY),
        (
            "StringEquals",
            "aws:userid",
            "${aws:username}",
            {"aws__userid": ["bob"], "aws__username": ["bob"]},
            ALLOWED,
        ),
        ("StringEquals", "aws:userid", "${aws:username}", {"aws__userid": ["bob"]}, IMPLICIT_DENY),
    ],
)
def test_conditions(
    operator: str, key: str, value: Any, context: dict[str, list[str]], expected: str
) -> None:
    assert under(operator, key, value, **context) == expected


def test_an_operator_that_is_not_known_never_widens() -> None:
    unknown = {"BinaryEquals": {"x": "y"}}
    assert verdict([statement(Condition=unknown)], "s3:GetObject") == IMPLICIT_DENY
    assert verdict([statement(), statement("Deny", Condition=unknown)], "s3:GetObject") == EXPLICIT_DENY
