"""Cases of values of conditions: Regions, ARNs and dates."""

from __future__ import annotations

from tests.iam.policy.lint.builders import ACCOUNT, CONDITION, Case, allow, policy, when

VALUES = [
    Case(
        "INVALID_REGION",
        when("StringEquals", "aws:RequestedRegion", "eu-west-1", "eu-wst-1"),
        f"{CONDITION}.StringEquals.aws:RequestedRegion[1]",
        when("StringLike", "aws:RequestedRegion", "eu-*", "us-gov-west-?"),
    ),
    Case(
        "INVALID_REGION",
        when("StringNotLike", "ec2:Region", "uk-*"),
        f"{CONDITION}.StringNotLike.ec2:Region",
        when("StringNotEquals", "ec2:Region", "us-east-1"),
    ),
    Case(
        "INVALID_ARN_REGION",
        when("ArnLike", "aws:SourceArn", f"arn:aws:sns:eu-west-9:{ACCOUNT}:x"),
        f"{CONDITION}.ArnLike.aws:SourceArn",
        when("ArnLike", "aws:SourceArn", f"arn:aws:sns:eu-*:{ACCOUNT}:x", "arn:aws:s3:::x"),
    ),
    Case(
        "INVALID_ARN_ACCOUNT",
        when("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-1:11112222:x"),
        f"{CONDITION}.ArnEquals.aws:SourceArn",
        when("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-1:*:x", "arn:aws:iam::aws:policy/x"),
    ),
    Case(
        "DATE_HAS_PASSED",
        when("DateLessThan", "aws:CurrentTime", "2019-01-01T00:00:00Z", "2020-01-01"),
        f"{CONDITION}.DateLessThan.aws:CurrentTime[1]",
        when("DateLessThan", "aws:CurrentTime", "2019-01-01T00:00:00Z", "2999-01-01"),
    ),
    Case(
        "DATE_HAS_PASSED",
        when("NumericLessThanEquals", "aws:EpochTime", "1500000000"),
        f"{CONDITION}.NumericLessThanEquals.aws:EpochTime",
        when("DateLessThan", "aws:TokenIssueTime", "2019-01-01T00:00:00Z"),
    ),
    Case(
        "DATE_LONG_PAST",
        when("DateGreaterThan", "aws:CurrentTime", "2019-01-01"),
        f"{CONDITION}.DateGreaterThan.aws:CurrentTime",
        policy(
            allow(
                Condition={
                    "DateGreaterThan": {"aws:CurrentTime": "2019-01-01"},
                    "DateLessThan": {"aws:CurrentTime": "2999-01-01"},
                }
            )
        ),
    ),
]
