"""AWS's messages about denied access, in the forms of its pages, and what is read from them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from iam.access.denied.message import (
    ENCODED,
    MAX_MESSAGE_LENGTH,
    DeniedMessage,
    MessageError,
    PolicyType,
    read_message,
)

JOHN = "arn:aws:iam::123456789012:user/JohnDoe"
SESSION = "arn:aws:sts::123456789012:assumed-role/ReadOnly/Tom"
LIST = "codecommit:ListRepositories"
BLOB = "XQ_jqde5rHje6j9P-qke7-HNpHWzSWvxYobhcCPSpfOmLTkOylRBKd0eE4Xx4U_E_" * 4

# "Troubleshoot access denied error messages": the examples of that page, and of the blog about policy ARNs.
FORMS = [
    (
        (
        f"User: {JOHN} is not authorized to perform: {LIST} because no service control policy allows the "
        f"{LIST} action"
        ),
        DeniedMessage(LIST, JOHN, "", PolicyType.SCP, False),
    ),
    (
        (
        f"User: {JOHN} is not authorized to perform: {LIST} with an explicit deny in a service control "
        "policy"
        ),
        DeniedMessage(LIST, JOHN, "", PolicyType.SCP, True),
    ),
    (
        f"An error occurred (AccessDenied) when calling the ListRoles operation: User: {JOHN} is not "
        "authorized to perform: "
        "iam:ListRoles on resource: arn:aws:iam::123456789012:role/* with an explicit deny in a service "
        "control policy: "
        "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
        DeniedMessage(
            "iam:ListRoles",
            JOHN,
            "arn:aws:iam::123456789012:role/*",
            PolicyType.SCP,
            True,
            "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
        ),
    ),
    (
        f"User: {JOHN} is not authorized to perform: secretsmanager:GetSecretValue on resource: "
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:test-AbC123 with an explicit deny in a "
        "resource control policy.",
        DeniedMessage(
            "secretsmanager:GetSecretValue",
            JOHN,
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:test-AbC123",
            PolicyType.RCP,
            True,
        ),
    ),
    (
        (
        f"User: {JOHN} is not authorized to perform: {LIST} because no VPC endpoint policy allows the "
        f"{LIST} action"
        ),
        DeniedMessage(LIST, JOHN, "", PolicyType.ENDPOINT, False),
    ),
    (
        (
        f"User: {SESSION} is not authorized to perform: {LIST} because no permissions boundary allows the "
        f"{LIST} action"
        ),
        DeniedMessage(LIST, SESSION, "", PolicyType.BOUNDARY, False),
    ),
    (
        (
        f"User: {SESSION} is not authorized to perform: {LIST} because no session policy allows the {LIST} "
        "action"
        ),
        DeniedMessage(LIST, SESSION, "", PolicyType.SESSION, False),
    ),
    (
        f"User: {JOHN} is not authorized to perform: secretsmanager:GetSecretValue because no "
        "resource-based policy allows the "
        "secretsmanager:GetSecretValue action",
        DeniedMessage("secretsmanager:GetSecretValue", JOHN, "", PolicyType.RESOURCE, False),
    ),
    (
        (
        f"User: {JOHN} is not authorized to perform: sts:AssumeRole because no role trust policy allows the "
        "sts:AssumeRole action"
        ),
        DeniedMessage("sts:AssumeRole", JOHN, "", PolicyType.TRUST, False),
    ),
    (
        (
        f"User: {JOHN} is not authorized to perform: {LIST} because no identity-based policy allows the "
        f"{LIST} action"
        ),
        DeniedMessage(LIST, JOHN, "", PolicyType.IDENTITY, False),
    ),
    (
        f"User: {JOHN} is not authorized to perform: {LIST} with an explicit deny in an identity-based "
        "policy: "
        "arn:aws:iam::123456789012:policy/NoCode",
        DeniedMessage(LIST, JOHN, "", PolicyType.IDENTITY, True, "arn:aws:iam::123456789012:policy/NoCode"),
    ),
    # S3 puts the resource in quotes, Java the request behind it, older services no reason at all.
    (
        f'User: {JOHN} is not authorized to perform: s3:GetObject on resource: '
        '"arn:aws:s3:::pay-ledger/2026.csv" because no '
        "identity-based policy allows the s3:GetObject action",
        DeniedMessage("s3:GetObject", JOHN, "arn:aws:s3:::pay-ledger/2026.csv", PolicyType.IDENTITY, False),
    ),
    (
        f"com.amazonaws.AmazonServiceException: User: {SESSION} is not authorized to perform: ECS:RUNTASK "
        "on resource: "
        "arn:aws:ecs:eu-west-1:123456789012:task-definition/pay:7 (Service: AmazonECS; Status Code: 400; "
        "Request ID: 12-34)",
        DeniedMessage("ecs:RunTask", SESSION, "arn:aws:ecs:eu-west-1:123456789012:task-definition/pay:7"),
    ),
    (
        (
        f"User: {JOHN} is not authorized to perform: iam:CreateUser on resource: "
        "arn:aws:iam::123456789012:user/x with an explicit deny"
        ),
        DeniedMessage("iam:CreateUser", JOHN, "arn:aws:iam::123456789012:user/x", None, True),
    ),
    (
        f"User: {JOHN} is not authorized to perform: kms:Decrypt on this resource because the resource does "
        "not exist in this "
        "Region, no resource-based policies allow access, or a resource-based policy explicitly denies "
        "access",
        DeniedMessage("kms:Decrypt", JOHN),
    ),
    (
        f"You are not authorized to perform this operation. User: {SESSION} is not authorized to perform: "
        "ec2:RunInstances on "
        "resource: arn:aws:ec2:us-east-1:123456789012:instance/* with an explicit deny in a service control "
        "policy. Encoded "
        f"authorization failure message: {BLOB}",
        DeniedMessage(
            "ec2:RunInstances",
            SESSION,
            "arn:aws:ec2:us-east-1:123456789012:instance/*",
            PolicyType.SCP,
            True,
            is_encoded=True,
        ),
    ),
    # The console: fields to be copied, and the sentence of S3's.
    (
        f"Access denied to {LIST}. You don’t have permission to {LIST}. To request access, copy the "
        "following text and send it to "
        f"your AWS administrator.\nUser: {JOHN}\nAction: {LIST}\nOn resource(s): "
        "arn:aws:codecommit:us-east-1:123456789012:*\n"
        f"Context: no identity-based policy allows the action",
        DeniedMessage(LIST, JOHN, "arn:aws:codecommit:us-east-1:123456789012:*", PolicyType.IDENTITY, False),
    ),
    (
        "You don’t have permission to get Bucket Versioning details. You or your AWS administrator must "
        "update your IAM permissions to "
        "allow s3:GetBucketVersioning. After you obtain the necessary permission, refresh the page.",
        DeniedMessage("s3:GetBucketVersioning"),
    ),
    # S3's answer as XML; a trust policy that denies; a name of IAM instead of an ARN.
    (
        f"<Error><Code>AccessDenied</Code><Message>User: {JOHN} is not authorized to perform: s3:GetObject "
        "on resource: "
        "&quot;arn:aws:s3:::pay-ledger/a&amp;b.csv&quot; because no identity-based policy allows the "
        "s3:GetObject action</Message>",
        DeniedMessage("s3:GetObject", JOHN, "arn:aws:s3:::pay-ledger/a&b.csv", PolicyType.IDENTITY, False),
    ),
    (
        f"An error occurred (AccessDenied) when calling the AssumeRole operation: User: {JOHN} is not "
        "authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/deploy with an explicit deny in a role "
        "trust policy",
        DeniedMessage(
            "sts:AssumeRole", JOHN, "arn:aws:iam::123456789012:role/deploy", PolicyType.TRUST, True
        ),
    ),
    (
        f"User: {SESSION} is not authorized to perform: iam:GetUser on resource: user rancher-cloud because "
        "no identity-based policy "
        "allows the iam:GetUser action",
        DeniedMessage("iam:GetUser", SESSION, (
            "arn:aws:iam::123456789012:user/rancher-cloud"
        ), PolicyType.IDENTITY, False),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_each_form_of_aws_is_read(text: str, expected: DeniedMessage) -> None:
    assert read_message(text) == expected


@pytest.mark.parametrize(("text", "expected"), FORMS[:3] + FORMS[11:12])
def test_a_message_is_read_across_lines_and_inside_of_json(text: str, expected: DeniedMessage) -> None:
    assert read_message("\n   ".join(text.split(" "))) == expected
    assert read_message(json.dumps({"errorMessage": text})) == expected


def test_the_answer_of_decoding_is_read() -> None:
    body = {
        "allowed": False,
        "explicitDeny": True,
        "matchedStatements": {"items": []},
        "context": {
            "principal": {"id": "AIDA1", "arn": JOHN},
            "action": "ec2:StopInstances",
            "resource": "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
        },
    }
    expected = DeniedMessage(
        "ec2:StopInstances", JOHN, "arn:aws:ec2:us-east-1:123456789012:instance/i-1", is_explicit=True
    )
    assert read_message(json.dumps(body)) == expected
    assert read_message(json.dumps({"DecodedMessage": json.dumps(body)})) == expected


def test_an_event_of_cloudtrail_without_a_reason_names_its_call() -> None:
    event = {
        "eventSource": "sqs.amazonaws.com",
        "eventName": "SendMessage",
        "errorCode": "AccessDenied",
        "userIdentity": {"arn": JOHN},
    }
    assert read_message(json.dumps(event)) == DeniedMessage("sqs:SendMessage", JOHN)


def test_a_call_that_only_one_service_has_is_an_action() -> None:
    denied = read_message(
        "An error occurred (AccessDenied) when calling the ReceiveMessage operation: Access to the resource "
        "is denied."
    )
    assert denied.action == "sqs:ReceiveMessage"


def test_a_call_that_several_services_have_is_left_to_the_reader() -> None:
    denied = read_message(
        "An error occurred (AccessDenied) when calling the TagResource operation: Access Denied"
    )
    assert denied.action == ""
    assert {"lambda:TagResource", "kms:TagResource"} <= set(denied.may_mean)


@pytest.mark.parametrize(
    "text",
    [
        f"You are not authorized to perform this operation. Encoded authorization failure message: {BLOB}",
        (
            "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: Encoded "
            f"authorization failure message: {BLOB}"
        ),
        BLOB,
    ],
)
def test_what_only_aws_can_decode_is_said(text: str) -> None:
    with pytest.raises(MessageError) as error:
        read_message(text)
    assert str(error.value) == ENCODED


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "Paste the error message"),
        (" \n ", "Paste the error message"),
        ("x" * (MAX_MESSAGE_LENGTH + 1), "longer than any AWS error message"),
        ("hello", "find an action"),
        ("[" * 5000, "find an action"),
        ('{"context": {"action": 7}}', "find an action"),
        ("User: is not authorized to perform: on resource:", "find an action"),
    ],
)
def test_what_is_no_message_says_what_to_paste(text: str, word: str) -> None:
    with pytest.raises(MessageError, match=word):
        read_message(text)


def test_of_several_messages_the_first_is_read() -> None:
    denied = read_message(f"{FORMS[0][0]}\n{FORMS[11][0]}")
    assert denied == FORMS[0][1]


@pytest.mark.parametrize("sign", ["\\ud800", "\\udfff", "\\u0000"])
def test_signs_that_no_text_has_are_not_taken_over(sign: str) -> None:
    sentence = (
        '{"explicitDeny": false, "context": {"action": "s3:GetObject", '
        f'"resource": "arn:aws:s3:::a{sign}b", "principal": {{"arn": "x{sign}"}}}}}}'
    )
    denied = read_message(sentence)
    assert (denied.resource, denied.principal) == ("arn:aws:s3:::a\ufffdb", "x\ufffd")
    assert quote(denied.resource)
    event = f'{{"eventSource": "s3.amazonaws.com", "eventName": "Get{sign}", "errorCode": "AccessDenied"}}'
    assert quote(read_message(event).action)
