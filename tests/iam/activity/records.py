"""Records of CloudTrail for tests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

ATTACK: Final = Path(__file__).parents[2] / "vendor" / "attack_simulation"
"""2,900 real events of an attack simulation, as CloudTrail delivered them."""
ACCOUNT: Final = "111122223333"


def user(name: str = "ana", unique_id: str = "AIDAANA") -> dict[str, Any]:
    """The identity of an IAM user with an access key."""
    return {
        "type": "IAMUser",
        "principalId": unique_id,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": name,
    }


def record(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A valid record; each number has an event ID of its own."""
    return {
        "eventVersion": "1.11",
        "userIdentity": user(),
        "eventTime": "2026-11-20T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "[aws-cli/2.31.8 Python/3.13.7 Linux/6.8]",
        "requestParameters": {"bucketName": "pay-ledger", "key": "a/b.csv"},
        "responseElements": None,
        "eventID": str(UUID(int=number)),
        "readOnly": True,
        "recipientAccountId": ACCOUNT,
    } | changes


def trail(*records: Any) -> bytes:
    """A log file with these records, compressed."""
    return gzip.compress(json.dumps({"Records": list(records)}).encode())
