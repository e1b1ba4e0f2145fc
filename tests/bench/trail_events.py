"""Made-up trail files of any size, the same for the same numbers."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

CALLS = (
    ("s3", "GetObject", {"bucketName": "pay-ledger", "key": "2026/11/rows.csv"}),
    ("s3", "ListObjectsV2", {"bucketName": "pay-ledger"}),
    ("kms", "Decrypt", {"keyId": "0d1b2a1c-7d4e-4b5f-9a3c-2f0c8e5a1d11"}),
    ("sts", "GetCallerIdentity", None),
    ("ec2", "DescribeInstances", {"maxResults": 100}),
    ("dynamodb", "Query", {"tableName": "orders"}),
    ("iam", "ListUsers", None),
    ("logs", "StartQuery", {"logGroupName": "/aws/lambda/settle"}),
)
AGENT = "aws-cli/2.31.8 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7"
START = datetime(2026, 9, 1, tzinfo=UTC)


def files(count: int, events: int, *, seed: int, users: int = 200) -> Iterator[bytes]:
    """So many files with so many events each, in the order of time, compressed as CloudTrail does."""
    chance = random.Random(seed)
    at = START
    for _ in range(count):
        records = []
        for _ in range(events):
            at += timedelta(milliseconds=chance.randrange(400, 1600))
            records.append(record(chance, at, chance.randrange(users)))
        yield gzip.compress(orjson.dumps({"Records": records}), compresslevel=3)


def record(chance: random.Random, at: datetime, user: int) -> dict[str, Any]:
    """One call of one user, as CloudTrail writes it."""
    service, action, parameters = chance.choice(CALLS)
    account = f"{100_000_000_000 + user % 5}"
    made: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{user:017d}",
            "arn": f"arn:aws:iam::{account}:user/user-{user}",
            "accountId": account,
            "accessKeyId": f"AKIA{user:016d}",
            "userName": f"user-{user}",
        },
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": action,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": f"198.51.100.{user % 250}",
        "userAgent": AGENT,
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": str(UUID(int=chance.getrandbits(128), version=4)),
        "eventID": str(UUID(int=chance.getrandbits(128), version=4)),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if chance.random() < 0.03:
        made |= {"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this action"}
    return made
