"""What reviewers read first about an access is what weighs most, from whichever policy."""

from __future__ import annotations

import json
from typing import Any

from iam.audit.reviews.access_texts import AccessTexts, words_of

ACCOUNT = "111122223333"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_all_actions_come_before_smaller_permissions_and_denials() -> None:
    small = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{number}/*"}
        for number in range(9)
    ]
    denied = {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}
    everything = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    access = AccessTexts({"a": policy(denied, *small), "b": policy(everything)})
    words = words_of(access, account_id=ACCOUNT)
    assert words.lines[0] == "All actions except iam:* on all resources"
    assert not any(line.startswith("Denies") for line in words.lines)
    assert words.more == 3
