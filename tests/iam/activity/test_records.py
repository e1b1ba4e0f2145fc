"""A record as an event: what is read from it, what is refused, and what is never stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.activity.records import EVENT_LIMIT, EventRecord, RecordError, event_of
from iam.activity.trail_files import records_of
from tests.iam.activity.records import ACCOUNT, ATTACK, record

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SECRET = "s3cr3t-value"


def _event(**changes: Any) -> EventRecord:
    return event_of(record(**changes), NOW)


def test_a_call_is_read() -> None:
    event = _event()
    assert (event.service, event.action, event.region) == ("s3", "GetObject", "eu-west-1")
    assert event.at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (event.account_id, event.tool, event.source_address) == (ACCOUNT, "AWS CLI", "198.51.100.7")
    assert (event.resource, event.is_read_only) == ("arn:aws:s3:::pay-ledger/a/b.csv", True)
    assert not event.is_denied
    assert json.loads(event.raw) == record()


@pytest.mark.parametrize(
    ("source", "name", "permission"),
    [
        ("s3.amazonaws.com", "ListObjectsV2", "s3:ListBucket"),
        ("s3.amazonaws.com", "HeadObject", "s3:GetObject"),
        ("monitoring.amazonaws.com", "PutMetricData", "cloudwatch:PutMetricData"),
        ("lambda.amazonaws.com", "CreateFunction20150331", "lambda:CreateFunction"),
        ("lambda.amazonaws.com", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction"),
        ("cloudfront.amazonaws.com", "GetDistribution2020_05_31", "cloudfront:GetDistribution"),
        ("iam.amazonaws.com", "CreateUser", "iam:CreateUser"),
    ],
)
def test_an_event_names_the_permission_that_the_call_needs(source: str, name: str, permission: str) -> None:
    event = _event(eventSource=source, eventName=name)
    assert f"{event.service}:{event.action}" == permission


@pytest.mark.parametrize(
    ("source", "parameters", "resource"),
    [
        ("s3", {"bucketName": "b"}, "arn:aws:s3:::b"),
        ("iam", {"userName": "ana"}, f"arn:aws:iam::{ACCOUNT}:user/ana"),
        (
            "iam",
            {"userName": "a", "policyArn": "arn:aws:iam::aws:policy/X"},
            f"arn:aws:iam::{ACCOUNT}:user/a",
        ),
        ("iam", {"userName": "ana", "groupName": "sre"}, f"arn:aws:iam::{ACCOUNT}:group/sre"),
        ("iam", {"policyArn": "arn:aws:iam::aws:policy/X"}, "arn:aws:iam::aws:policy/X"),
        ("sts", {"roleArn": "arn:aws:iam::1:role/r"}, "arn:aws:iam::1:role/r"),
        ("kms", {"keyId": "1234"}, f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234"),
        ("kms", {"keyId": "alias/ledger"}, f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/ledger"),
        (
            "sqs",
            {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/447109238816/pay.fifo"},
            "arn:aws:sqs:eu-west-1:447109238816:pay.fifo",
        ),
        ("sqs", {"queueUrl": "pay"}, "pay"),
        ("ec2", {"maxResults": 5}, ""),
        ("ec2", None, ""),
        ("ec2", "text", ""),
    ],
)
def test_an_event_names_its_resource_where_it_can(source: str, parameters: Any, resource: str) -> None:
    event = _event(eventSource=f"{source}.amazonaws.com", requestParameters=parameters)
    assert event.resource == resource


@pytest.mark.parametrize(
    ("agent", "console", "tool"),
    [
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.8 terraform-provider-aws/5.8", None, "Terraform"),
        ("cloudformation.amazonaws.com", None, "CloudFormation"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0", None, "AWS console"),
        ("aws-sdk-go-v2/1.3", "true", "AWS console"),
        ("Boto3/1.44.8 md/Botocore#1.44.8", None, "Boto3"),
        ("rds.amazonaws.com", None, "rds"),
        ("curl/8.5.0", None, "curl"),
        (None, None, ""),
    ],
)
def test_an_event_names_the_tool(agent: str | None, console: str | None, tool: str) -> None:
    assert _event(userAgent=agent, sessionCredentialFromConsole=console).tool == tool


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"])
def test_a_refused_call_is_denied(code: str) -> None:
    assert _event(errorCode=code).is_denied


def test_another_error_is_no_denial() -> None:
    event = _event(errorCode="ThrottlingException")
    assert (event.error_code, event.is_denied) == ("ThrottlingException", False)


def test_a_sign_in_tells_whether_mfa_was_used_and_whether_it_failed() -> None:
    sign_in = _event(
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        additionalEventData={"MFAUsed": "No"},
        responseElements={"ConsoleLogin": "Failure"},
    )
    assert (sign_in.session.mfa, sign_in.error_code) == (False, "FailedAuthentication")


REFUSED: dict[str, Any] = {
    "no object": 5,
    "no identity": record() | {"userIdentity": None},
    "no service": record() | {"eventSource": ""},
    "no name": record() | {"eventName": None},
    "no ID": record() | {"eventID": None},
    "an ID that is none": record() | {"eventID": "1; DROP TABLE"},
    "no time": record() | {"eventTime": None},
    "a time that is none": record() | {"eventTime": "yesterday"},
    "before CloudTrail": record() | {"eventTime": "1999-01-01T00:00:00Z"},
    "from the future": record() | {"eventTime": (NOW + timedelta(days=3)).isoformat()},
    "the last year": record() | {"eventTime": "9999-12-31T23:59:59-23:59"},
    "no account": record() | {"recipientAccountId": "12", "userIdentity": {"type": "Root"}},
    "too large": record() | {"requestParameters": {"x": "y" * EVENT_LIMIT}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_event_is_refused(name: str) -> None:
    with pytest.raises(RecordError, match="event"):
        event_of(REFUSED[name], NOW)


def test_a_text_that_no_database_holds_is_cut_to_size() -> None:
    event = _event(sourceIPAddress="1.2.3.4\0" + "5" * 500, userAgent="curl\0/1")
    assert "\0" not in event.source_address + event.tool
    assert len(event.source_address) == 64
    assert "\\u0000" in event.raw


@pytest.mark.parametrize(
    "place",
    [
        {"responseElements": {"credentials": {"sessionToken": SECRET, "accessKeyId": "ASIA1"}}},
        {"responseElements": {"accessKey": {"secretAccessKey": SECRET}}},
        {"requestParameters": {"password": SECRET}},
        {"requestParameters": {"newPassword": [SECRET]}},
        {"requestParameters": {"authenticationCode1": SECRET}},
        {"responseElements": {"virtualMFADevice": {"base32StringSeed": SECRET, "qRCodePNG": SECRET}}},
        {"requestParameters": {"items": [{"Password": {"value": SECRET}}]}},
        {"requestParameters": {"sAMLAssertion": SECRET}},
    ],
)
def test_no_secret_is_kept(place: dict[str, Any]) -> None:
    event = _event(**place)
    assert SECRET not in event.raw
    assert "(not stored)" in event.raw


def test_every_event_of_a_real_trail_is_read() -> None:
    events = [
        event_of(each, NOW) for path in sorted(ATTACK.glob("*.gz")) for each in records_of(path.read_bytes())
    ]
    assert len(events) == len({event.event_id for event in events}) == 2900
    kinds = {kind: sum(event.caller.kind == kind for event in events) for kind in ("user", "role", "service")}
    assert kinds == {"user": 2748, "role": 76, "service": 76}
    assert sum(event.is_denied for event in events) == 60
    assert sum(event.tool == "Terraform" for event in events) == 1938
