"""Random requests with random policies, from small pools of names, so that patterns often fit."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    FEDERATED,
    OTHER,
    OTHER_ROLE,
    OTHER_ROOT,
    OTHER_SESSION,
    OTHER_USER,
    ROLE,
    ROOT,
    SESSION,
    USER,
)

Line = dict[str, Any]
SERVICE = "config.amazonaws.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
BUCKET = "arn:aws:s3:::docs"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"

ACTIONS = {
    "s3": ("s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:PutBucketPolicy"),
    "sqs": ("sqs:SendMessage", "sqs:ReceiveMessage"),
    "kms": ("kms:Decrypt", "kms:RetireGrant"),
    "sts": ("sts:AssumeRole", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession"),
    "ec2": ("ec2:StartInstances", "sts:GetCallerIdentity"),
}
ACTION_PATTERNS = (
    "*",
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:?etObject",
    "s3:*Object",
    "s3:PutBucketPolicy",
    "ec2:*Instances",
    "sqs:*",
    "kms:*",
    "kms:Decrypt",
    "sts:*",
    "sts:AssumeRole*",
    "*:*e*",
)
RESOURCES = {
    "s3": (f"{BUCKET}/ana/1", f"{BUCKET}/ben/x:y", BUCKET),
    "sqs": (QUEUE,),
    "kms": (KEY,),
    "sts": (ROLE, LINKED, OTHER_ROLE),
    "ec2": ("*", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1"),
}
RESOURCE_PATTERNS = (
    "*",
    "*",
    f"{BUCKET}/*",
    f"{BUCKET}*",
    BUCKET + "/${aws:username}/*",
    BUCKET + "/${aws:PrincipalTag/team, 'ana'}/?",
    BUCKET + "/${aws:RequestTag/team}/*",
    f"{BUCKET}/*/?",
    "arn:aws:s3",
    "arn:aws:sqs:*:*:jobs",
    f"arn:aws:sqs:eu-*:{ACCOUNT}:j??s",
    "arn:aws:s*:jobs",
    f"arn:aws:kms:eu-west-?:{ACCOUNT}:key/*",
    f"arn:aws:iam::*:role/{'*'}",
    f"arn:aws:iam::{ACCOUNT}:role/a*",
    "arn:aws:*",
)
COMPLETE_PATTERNS = tuple(
    pattern for pattern in RESOURCE_PATTERNS if not pattern.startswith("arn:") or pattern.count(":") >= 5
)
"""Those that a session policy may have."""
CALLERS: tuple[Any, ...] = (
    USER,
    USER,
    {"arn": USER, "tags": {"team": "red"}},
    {"arn": USER, "management_account": True},
    ROLE,
    SESSION,
    {"arn": SESSION, "tags": {"Team": "red"}, "unique_id": "AROAEXAMPLE"},
    {"arn": SESSION, "service_linked": True},
    LINKED,
    ROOT,
    FEDERATED,
    OTHER_USER,
    OTHER_SESSION,
    OTHER_ROOT,
    SERVICE,
    PROVIDER,
    {"arn": "*"},
)
NAMES = (
    USER,
    f"arn:aws:iam::{ACCOUNT}:role/p/app",
    ROLE,
    SESSION,
    ROOT,
    ACCOUNT,
    FEDERATED,
    OTHER_USER,
    OTHER,
)
PRINCIPALS: tuple[Any, ...] = (
    "*",
    "*",
    {"AWS": "*"},
    {"AWS": ROOT},
    {"AWS": [USER, SESSION]},
    {"AWS": [ROLE, OTHER]},
    {"AWS": [FEDERATED, OTHER_USER, "AROAEXAMPLE"]},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/p/app"},
    {"Service": SERVICE, "AWS": OTHER_ROOT},
    {"Federated": [PROVIDER]},
)
EXEMPT: tuple[Any, ...] = (
    {"AWS": [USER, ROOT]},
    {"AWS": [SESSION, ROLE, ACCOUNT]},
    {"AWS": USER},
    {"Service": SERVICE, "AWS": OTHER_ROOT},
)
CONTEXT: dict[str, tuple[Any, ...]] = {
    "aws:MultiFactorAuthPresent": ("true", "false", None),
    "aws:SourceIp": ("10.0.0.9", "192.0.2.1", "2001:db8::1"),
    "aws:RequestTag/team": ("red", "blue", "", "r*"),
    "aws:TagKeys": (["team"], ["team", "stage"], [], ""),
    "s3:max-keys": ("5", "10", "10.0", "x", 11),
    "aws:CurrentTime": ("2020-01-01T00:00:00Z", "1577836800", "2021-06-01"),
    "aws:SourceArn": (QUEUE, f"{BUCKET}", "none"),
    "x:bytes": ("AAAA", "AAAB"),
}
TESTS: tuple[tuple[str, str, Any], ...] = (
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("BoolIfExists", "AWS:multifactorauthpresent", False),
    ("Null", "aws:MultiFactorAuthPresent", "true"),
    ("Null", "aws:TagKeys", "false"),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "2001:db8::/32"]),
    ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"),
    ("NotIpAddressIfExists", "aws:SourceIp", "192.0.2.1"),
    ("StringEquals", "aws:RequestTag/team", "${aws:PrincipalTag/team}"),
    ("StringNotEquals", "aws:RequestTag/team", ["${aws:PrincipalTag/team}", "blue"]),
    ("StringEquals", "aws:PrincipalTag/team", ["red", "blue"]),
    ("StringLike", "aws:RequestTag/team", ["r*", "b?ue"]),
    ("StringNotLike", "aws:RequestTag/team", "r${*}"),
    ("StringEqualsIgnoreCase", "aws:RequestTag/team", "RED"),
    ("StringLikeIfExists", "aws:username", "a*"),
    ("StringEquals", "aws:PrincipalAccount", ACCOUNT),
    ("StringNotEquals", "aws:ResourceAccount", OTHER),
    ("StringEquals", "aws:PrincipalType", ["User", "AssumedRole"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "stage"]),
    ("ForAllValues:StringLike", "aws:TagKeys", "t*"),
    ("ForAnyValue:StringEquals", "aws:TagKeys", "stage"),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", "team"),
    ("ForAllValues:StringNotLike", "aws:TagKeys", "s*"),
    ("StringEquals", "aws:TagKeys", "stage"),
    ("StringNotEquals", "aws:TagKeys", "stage"),
    ("NumericLessThan", "s3:max-keys", "10"),
    ("NumericGreaterThanEquals", "s3:max-keys", [10, "20"]),
    ("NumericNotEquals", "s3:max-keys", "10.00"),
    ("DateGreaterThan", "aws:CurrentTime", "2020"),
    ("DateEquals", "aws:CurrentTime", "2020-01-01T01:00:00+01:00"),
    ("DateLessThanEqualsIfExists", "aws:CurrentTime", "1577836800"),
    ("ArnLike", "aws:SourceArn", f"arn:aws:*:*:{ACCOUNT}:*"),
    ("ArnNotEquals", "aws:SourceArn", QUEUE),
    ("ArnEquals", "aws:PrincipalArn", [ROLE, USER]),
    ("BinaryEquals", "x:bytes", "AAAA"),
    ("StringNotEqualsIfExists", "aws:PrincipalServiceName", SERVICE),
    ("BoolIfExists", "aws:PrincipalIsAWSService", "false"),
)


class World:
    """Draws requests and policies from one seed. Hypothesis draws the seeds: drawing each part from it is too
    slow.
    """

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)

    def one(self, pool: Sequence[Any]) -> Any:
        """One of a pool, its own copy."""
        return deepcopy(self.chance.choice(pool))

    def is_likely(self, share: float) -> bool:
        """Yes, in this share of all cases."""
        return self.chance.random() < share

    def some(self, pool: Sequence[Any]) -> Any:
        """One, or a list of a few."""
        return (
            self.one(pool)
            if self.is_likely(0.6)
            else [self.one(pool) for _ in range(self.chance.randint(1, 3))]
        )

    def block(self) -> dict[str, Any]:
        """A Condition block of a test or two."""
        block: dict[str, Any] = {}
        for _ in range(self.chance.randint(1, 2)):
            operator, key, values = self.one(TESTS)
            block.setdefault(operator, {})[key] = values
        return block

    def statement(self, *, kind: str = "identity", effect: str = "") -> dict[str, Any]:
        """A statement that a policy of this kind may have."""
        statement: dict[str, Any] = {"Effect": effect or self.one(("Allow", "Allow", "Allow", "Deny"))}
        is_broad = statement["Effect"] == "Allow" and self.is_likely(0.4)
        statement["NotAction" if self.is_likely(0.12) else "Action"] = (
            "*" if is_broad else self.some(ACTION_PATTERNS)
        )
        if kind != "resource" or self.is_likely(0.8):
            patterns = RESOURCE_PATTERNS if kind != "session" else COMPLETE_PATTERNS
            statement["NotResource" if self.is_likely(0.12) else "Resource"] = self.some(patterns)
        if kind == "resource" and statement["Effect"] == "Deny" and self.is_likely(0.5):
            statement["NotPrincipal"] = self.one(EXEMPT)
        elif kind == "resource":
            statement["Principal"] = self.one(PRINCIPALS)
        elif kind in {"rcps", "endpoint"}:
            statement["Principal"] = "*"
        if self.is_likely(0.4):
            statement["Condition"] = self.block()
        return statement

    def document(self, *, kind: str = "identity") -> dict[str, Any]:
        """A policy of a few statements."""
        statements = [self.statement(kind=kind) for _ in range(self.chance.randint(1, 3))]
        version = self.one(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None))
        return {"Statement": statements} if version is None else {"Version": version, "Statement": statements}

    def levels(self, kind: str) -> list[Any]:
        """Some levels of an organization, most of which allow everything."""
        return [self._level(kind) for _ in range(self.chance.randint(0, 2))]

    def _level(self, kind: str) -> list[Any]:
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        if kind == "rcps":
            everything["Principal"] = "*"
        full = {"Version": "2012-10-17", "Statement": [everything]}
        documents = [self.document(kind=kind) for _ in range(self.chance.randint(0, 1))]
        return [full, *documents] if self.is_likely(0.7) else documents

    def context(self) -> dict[str, Any]:
        """Some keys with values."""
        return {key: self.one(values) for key, values in CONTEXT.items() if self.is_likely(0.6)}

    def line(self) -> Line:
        """A request with policies, as the interface of JSON Lines takes it."""
        service = self.one(("s3", "s3", "sqs", "kms", "sts", "ec2"))
        line: Line = {
            "id": 1,
            "action": self.one(ACTIONS[service]),
            "resource": self.one(RESOURCES[service]),
            "principal": self.one(CALLERS),
            "context": self.context(),
        }
        if line["resource"].startswith(BUCKET):
            line["resource_account"] = self.one((ACCOUNT, ACCOUNT, OTHER))
        policies: dict[str, Any] = {"identity": [self.document() for _ in range(self.chance.randint(0, 2))]}
        policies["resource"] = self.document(kind="resource") if self.is_likely(0.6) else None
        for kind in ("boundary", "session", "endpoint"):
            if self.is_likely(0.3):
                policies[kind] = [self.document(kind=kind) for _ in range(self.chance.randint(1, 2))]
        for kind in ("scps", "rcps"):
            if self.is_likely(0.3):
                policies[kind] = self.levels(kind)
        line["policies"] = policies
        return line


def worlds() -> st.SearchStrategy[World]:
    """Any world."""
    return st.integers(0, 2**40).map(World)
