"""Documents and distinct requests, simple and heavy, as plain JSON: what the engine and its peers are
measured on.

Nothing here knows an engine. Simple: three identity documents without conditions. Heavy: nine condition
operators, a permissions boundary, three levels of SCPs, an RCP, and the policy of a bucket.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

ACCOUNT = "111122223333"
ORGANIZATION = "o-a1b2c3d4e5"
USERS = 500
TEAMS = ("payments", "search", "data", "risk")
Data = dict[str, Any]

SIMPLE_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "s3:GetBucketPolicy",
    "ec2:StartInstances",
    "ec2:TerminateInstances",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "dynamodb:Query",
)
HEAVY_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetObjectVersion",
    "s3:DeleteObject",
    "s3:GetObjectTagging",
)
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
ALL: Data = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: Data) -> Data:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


SIMPLE = [
    document(
        {
            "Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*"],
            "Resource": ["arn:aws:s3:::shared-*", "arn:aws:s3:::reports/*"],
        },
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::shared-inbox/*/incoming/*"},
    ),
    document(
        {"Effect": "Allow", "Action": "ec2:Start*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["sqs:*"], "Resource": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:work-*"},
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": f"arn:aws:dynamodb:*:{ACCOUNT}:table/*"},
    ),
    document(
        {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::*-audit", "arn:aws:s3:::*-audit/*"]},
        {
            "Effect": "Deny",
            "NotAction": ["s3:*", "ec2:*", "sqs:*"],
            "Resource": "arn:aws:*:*:*:table/secret-*",
        },
    ),
]
NINE_OPERATORS: Data = {
    "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
    "StringLike": {"aws:UserAgent": ["aws-cli/*", "Boto3/*"]},
    "StringNotEquals": {"aws:PrincipalTag/status": "leaving"},
    "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
    "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
    "Bool": {"aws:MultiFactorAuthPresent": "true"},
    "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]},
    "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/*"},
    "Null": {"s3:VersionId": "true"},
}
BOUNDARY = document(
    {"Effect": "Allow", "Action": ["s3:*", "ec2:*", "sqs:*"], "Resource": "*"},
    {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::prod-*"},
)
SCPS = [
    [
        document(ALL),
        document({"Effect": "Deny", "Action": ("organizations:LeaveOrganization"), "Resource": "*"}),
    ],
    [
        document(ALL),
        document(
            {
                "Effect": "Deny",
                "NotAction": ["iam:*", "sts:*", "organizations:*"],
                "Resource": "*",
                "Condition": {
                    "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]},
                    "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/breakglass-*"},
                },
            }
        ),
    ],
    [
        document(
            {"Effect": "Allow", "Action": ["s3:*", "ec2:*"], "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "s3:Put*",
                "Resource": "arn:aws:s3:::archive-*",
                "Condition": {"StringNotLike": {"aws:PrincipalTag/team": ["risk", "data*"]}},
            },
        )
    ],
]
RCPS = [
    [
        document(ALL | {"Principal": "*"}),
        document(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            }
        ),
    ]
]
HEAVY = [
    document(
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject*", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [f"arn:aws:s3:::{team}-*/*" for team in TEAMS] + ["arn:aws:s3:::prod-*/*"],
            "Condition": NINE_OPERATORS,
        }
    ),
    SIMPLE[1],
]


def bucket_policy(bucket: str) -> Data:
    """A policy that keeps unencrypted calls out, and gives one team's readers what they need."""
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": everything,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/user-{n}" for n in range(3)]},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/public/*",
        },
    )


BUCKETS = tuple(f"{name}-{n}" for name in (*TEAMS, "archive", "prod") for n in range(5))
SIMPLE_WORLD = "simple"


def worlds() -> dict[str, Data]:
    """Policies by name, as `python -m iam.policy evaluate` takes them: of simple requests, and of heavy ones
    by bucket.
    """
    worlds: dict[str, Data] = {SIMPLE_WORLD: {"identity": SIMPLE}}
    for bucket in BUCKETS:
        worlds[bucket] = {
            "identity": HEAVY,
            "boundary": [BOUNDARY],
            "scps": SCPS,
            "rcps": RCPS,
            "resource": bucket_policy(bucket),
        }
    return worlds


def principals() -> list[Data]:
    """The users who ask."""
    return [_principal(number) for number in range(USERS)]


def _principal(number: int) -> Data:
    return {
        "arn": f"arn:aws:iam::{ACCOUNT}:user/user-{number}",
        "account": ACCOUNT,
        "unique_id": f"AIDA{number:017d}",
        "tags": {"team": TEAMS[number % len(TEAMS)], "status": "leaving" if number % 10 == 9 else "active"},
    }


def simple(count: int) -> Iterator[Data]:
    """So many requests of which no two are alike; `principal` is a place among `principals`, `world` a name
    among `worlds`.
    """
    dice = random.Random(1)
    for number in range(count):
        action = SIMPLE_ACTIONS[number % len(SIMPLE_ACTIONS)]
        yield {
            "id": number,
            "action": action,
            "resource": _simple_resource(dice, action, number),
            "principal": dice.randrange(USERS),
            "world": SIMPLE_WORLD,
            "context": {},
        }


def _simple_resource(dice: random.Random, action: str, number: int) -> str:
    service = action.partition(":")[0]
    if service == "s3":
        bucket = dice.choice(("shared-data", "shared-inbox", "reports", "shared-audit", "private"))
        if "Bucket" in action:
            return f"arn:aws:s3:::{bucket}-{number}"
        return f"arn:aws:s3:::{bucket}/year={number % 7}/incoming/object-{number}"
    if service == "ec2":
        return f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-{number:017x}"
    if service == "sqs":
        return f"arn:aws:sqs:{dice.choice(REGIONS)}:{ACCOUNT}:work-{number}"
    return f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{dice.choice(('secret-', 'orders-'))}{number}"


def heavy(count: int) -> Iterator[Data]:
    """So many requests of which no two are alike; three in four pass every condition, the others fail by one
    or by several.
    """
    dice = random.Random(2)
    for number in range(count):
        user, bucket = dice.randrange(USERS), dice.choice(BUCKETS)
        folder = dice.choice(("public", "private"))
        yield {
            "id": number,
            "action": HEAVY_ACTIONS[number % len(HEAVY_ACTIONS)],
            "resource": f"arn:aws:s3:::{bucket}/{folder}/object-{number}",
            "principal": user,
            "world": bucket,
            "context": _context(dice, number, user),
        }


def _context(dice: random.Random, number: int, user: int) -> Data:
    is_good = dice.random() < 0.75
    has_mfa = is_good or dice.random() < 0.5
    tags = _principal(user)["tags"]
    return {
        "aws:RequestedRegion": dice.choice(REGIONS[:2] if is_good else REGIONS),
        "aws:UserAgent": f"aws-cli/2.{number % 40}.{number}",
        "aws:MultiFactorAuthAge": str(dice.randrange(3600 if is_good else 7200)),
        "aws:CurrentTime": (
            f"2026-03-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:{number // 7 % 60:02d}Z"
        ),
        "aws:MultiFactorAuthPresent": "true" if has_mfa else "false",
        "aws:SourceIp": (
            f"{10 if is_good or dice.random() < 0.5 else 203}."
            f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        ),
        "aws:PrincipalArn": _principal(user)["arn"],
        "aws:PrincipalOrgID": ORGANIZATION if is_good or dice.random() < 0.8 else "o-zzzzzzzzzz",
        "aws:PrincipalIsAWSService": "false",
        "aws:SecureTransport": "true" if is_good or dice.random() < 0.9 else "false",
        "aws:PrincipalTag/team": tags["team"],
        "aws:PrincipalTag/status": tags["status"],
    }
