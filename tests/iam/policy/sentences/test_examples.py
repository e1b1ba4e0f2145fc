"""How sentences about policies read, by example; and the tables they are made from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.sentences import in_short, sentences_of
from iam.policy.sentences.abilities import (
    LISTING,
    PhrasedAbility,
    _by_service,
    abilities_of,
    kind_of_resource,
)
from iam.policy.sentences.labels import TYPES

ACCOUNT = "111122223333"
Statement = dict[str, Any]


def every_ability() -> Iterator[tuple[str, PhrasedAbility]]:
    """Every ability with its service."""
    for service, abilities in _by_service().items():
        for ability in abilities:
            yield service, ability


def allow(action: str | list[str], resource: str | list[str] = "*", **condition: Any) -> Statement:
    """A statement; operators of conditions by keyword."""
    return {"Effect": "Allow", "Action": action, "Resource": resource} | (
        {"Condition": condition} if condition else {}
    )


def texts(*statements: Statement, plain: bool = False) -> list[str]:
    """Sentences of a policy with these statements."""
    sentences = sentences_of({"Version": "2012-10-17", "Statement": list(statements)}, account_id=ACCOUNT)
    return [sentence.plain if plain else sentence.text for sentence in sentences]


BUCKET, OBJECTS = "arn:aws:s3:::pay-ledger", "arn:aws:s3:::pay-ledger/*"


@pytest.mark.parametrize(
    ("statement", "exact", "plain"),
    [
        (
            allow("s3:GetObject", OBJECTS),
            "Read objects in s3://pay-ledger",
            "Read files in the bucket pay-ledger",
        ),
        (
            allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::pay-ledger/exports/*"),
            "Read and write objects under s3://pay-ledger/exports/",
            "Read and write files in the folder exports/ of the bucket pay-ledger",
        ),
        (
            allow("s3:PutObject", "arn:aws:s3:::pay-ledger/a.csv"),
            "Write the object s3://pay-ledger/a.csv",
            "Write the file a.csv in the bucket pay-ledger",
        ),
        (
            allow(["s3:ListBucket", "s3:GetObject"], [BUCKET, OBJECTS]),
            "List and read objects in s3://pay-ledger",
            "List and read files in the bucket pay-ledger",
        ),
        (allow("s3:GetObject"), "Read objects in all S3 buckets", "Read files in all S3 buckets"),
        (
            allow("s3:*", [BUCKET, OBJECTS]),
            "All actions in S3 on the bucket s3://pay-ledger and objects in s3://pay-ledger",
            "All actions in S3 on the bucket pay-ledger and files in the bucket pay-ledger",
        ),
        (allow("*"), "All actions in all services on all resources", ""),
        (allow("ec2:*"), "All actions in EC2 on all resources", ""),
        (
            allow(["sqs:SendMessage"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"),
            "Send messages to the SQS queue jobs in eu-west-1",
            "",
        ),
        (
            allow(["sqs:SendMessage"], "arn:aws:sqs:eu-west-1:999988887777:jobs"),
            "Send messages to the SQS queue jobs in eu-west-1 of account 999988887777",
            "",
        ),
        (
            allow("iam:ChangePassword", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"),
            "iam:ChangePassword on their own IAM user",
            "Change password on their own IAM user",
        ),
        (
            allow(
                "iam:ChangePassword",
                ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"],
            ),
            "iam:ChangePassword on their own IAM user",
            "Change password on their own IAM user",
        ),
        (
            allow("s3:GetObject", OBJECTS, Bool={"aws:MultiFactorAuthPresent": "true"}),
            "Read objects in s3://pay-ledger, only with MFA",
            "Read files in the bucket pay-ledger, only with MFA",
        ),
        (
            allow("s3:PutBucketPolicy", BUCKET),
            "s3:PutBucketPolicy on the bucket s3://pay-ledger",
            "Put bucket policy on the bucket pay-ledger",
        ),
        (
            allow("nosuch:Action"),
            "nosuch:Action (not in AWS’s published list of actions) on all resources",
            "",
        ),
        (
            {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"},
            "All actions except iam:* and organizations:* on all resources",
            "",
        ),
        (
            {"Effect": "Deny", "Action": "s3:*", "NotResource": OBJECTS},
            "Denies: s3:* on all resources except arn:aws:s3:::pay-ledger/*",
            "",
        ),
        (
            {
                "Effect": "Deny",
                "Action": "s3:DeleteObject",
                "Resource": OBJECTS,
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
            },
            "Denies: delete objects in s3://pay-ledger, when MFA is not present",
            "",
        ),
        (
            allow("s3:ListAllMyBuckets", OBJECTS),
            (
                "s3:ListAllMyBuckets has no effect on arn:aws:s3:::pay-ledger/*: it doesn’t work on such "
                "resources"
            ),
            "",
        ),
    ],
)
def test_a_statement_in_words(statement: Statement, exact: str, plain: str) -> None:
    assert texts(statement) == [exact]
    if plain:
        assert texts(statement, plain=True) == [plain]


def test_a_condition_is_said_of_its_own_statement_only() -> None:
    tagged = allow("ec2:StartInstances", StringEquals={"aws:ResourceTag/team": "payments"})
    assert texts(tagged, allow("ec2:StopInstances")) == [
        "Start all EC2 instances, only if tagged team=payments",
        "Stop all EC2 instances",
    ]


def test_many_actions_are_counted_by_level() -> None:
    (text,) = texts(allow([*catalogue().expand("ec2:Describe*")[:9], *catalogue().expand("ec2:Create*")[:3]]))
    assert text == "12 actions (9 list, 3 write) in EC2 on all resources"


def test_a_wide_policy_is_one_sentence() -> None:
    services = ["s3", "sqs", "sns", "ec2", "iam", "kms", "rds", "ecs", "ecr", "eks", "logs"]
    (text,) = texts(allow([f"{service}:List*" for service in services]))
    assert text.endswith(" services on all resources")


@time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC), tick=False)
def test_the_end_in_a_statement_is_no_condition() -> None:
    ends = allow("s3:GetObject", OBJECTS, DateLessThan={"aws:CurrentTime": "2026-12-05T12:00:00Z"})
    (sentence,) = sentences_of({"Version": "2012-10-17", "Statement": ends})
    assert sentence.until == datetime(2026, 12, 5, 12, tzinfo=UTC)
    assert sentence.conditions == ()
    assert sentence.in_full(where="production", until="5 Dec") == (
        "Read objects in s3://pay-ledger (production) until 5 Dec"
    )


DATES = [
    ({"DateLessThan": {"aws:CurrentTime": "2024-12-05T12:00:00Z"}}, (
        "no longer applies: it ended on 5 Dec 2024, 12:00 UTC"
    )),
    ({"DateLessThanEqualsIfExists": {"AWS:currenttime": "2024-12-05"}}, (
        "no longer applies: it ended on 5 Dec 2024, 00:00 UTC"
    )),
    ({"NumericLessThan": {"aws:EpochTime": "1733400000"}}, (
        "no longer applies: it ended on 5 Dec 2024, 12:00 UTC"
    )),
    ({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}}, (
        "doesn’t apply yet: it starts on 1 Jan 2030, 00:00 UTC"
    )),
    ({"NumericGreaterThanEquals": {"aws:EpochTime": "1893456000"}}, (
        "doesn’t apply yet: it starts on 1 Jan 2030, 00:00 UTC"
    )),
    ({"DateGreaterThan": {"aws:CurrentTime": "2024-01-01"}}, ""),
    ({"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}, ""),
    ({"DateLessThan": {"aws:TokenIssueTime": "2024-01-01"}}, ""),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, ""),
]  # fmt: skip


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(("condition", "what"), DATES)
def test_a_statement_that_does_not_apply_now_says_so(
    effect: str, condition: dict[str, Any], what: str
) -> None:
    statement = allow("s3:GetObject", OBJECTS) | {"Effect": effect, "Condition": condition}
    source = {"Version": "2012-10-17", "Statement": statement}
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC), tick=False):
        (sentence,) = sentences_of(source)
        assert sentence.standing == what
        for text in (sentence.text, sentence.plain, sentence.in_full(until="some day")):
            assert text.endswith(f" ({what})") is bool(what)
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC), tick=False):
        (sentence,) = sentences_of(source)
        assert "yet" not in sentence.text


def test_equal_policies_of_two_accounts_read_alike() -> None:
    def of(account: str) -> list[str]:
        arn = f"arn:aws:sqs:eu-west-1:{account}:jobs"
        block = {
            "StringEquals": {"aws:ResourceAccount": account},
            "ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{account}:x"},
        }
        document = {
            "Version": "2012-10-17",
            "Statement": allow("sqs:SendMessage", arn) | {"Condition": block},
        }
        return [sentence.text for sentence in sentences_of(document, account_id=account)]

    assert of("111111111111") == of("222222222222")


def test_what_is_cut_says_so() -> None:
    sentences = sentences_of(
        {
            "Version": "2012-10-17",
            "Statement": [allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*") for number in range(5)],
        }
    )
    assert in_short(sentences, most=2)[-1] == "and 3 more permissions; see the policy"


def test_what_is_cut_never_weighs_more_than_what_is_shown() -> None:
    own = "arn:aws:iam::111122223333:user/${aws:username}"
    sentences = sentences_of(
        {
            "Version": "2012-10-17",
            "Statement": [
                allow("iam:GetUser", own),
                {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"},
                allow("s3:GetObject", "arn:aws:s3:::bucket/*"),
                allow("iam:PassRole"),
                {"Effect": "Allow", "NotAction": ["iam:*", "account:*"], "Resource": "*"},
            ],
        }
    )
    first, second, more = in_short(sentences, most=2)
    assert first == "All actions except iam:* and account:* on all resources"
    assert second == "Pass all roles"
    assert more == "and 3 more permissions; see the policy"
    assert in_short(sentences, most=9)[0] == sentences[0].text, "what is whole stays in the policy’s order"


@pytest.mark.parametrize(
    "text", ["", "no JSON", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}']
)
def test_what_cannot_be_read_says_so(text: str) -> None:
    (sentence,) = sentences_of(text)
    assert "can’t be read" in sentence.text
    assert sentence.claims == ()


def test_the_table_of_abilities_names_actions_and_types_that_exist() -> None:
    weights = {
        AccessLevel.LIST: 0,
        AccessLevel.READ: 0,
        AccessLevel.TAGGING: 1,
        AccessLevel.WRITE: 2,
        AccessLevel.PERMISSIONS: 3,
    }
    for service, ability in every_ability():
        levels = {}
        for action in ability.needs | ability.with_it:
            level = catalogue().level(action)
            assert level is not None, action
            levels[action] = weights[level]
        most = max(levels[action] for action in ability.needs)
        heavier = [action for action in ability.with_it if levels[action] > most]
        assert heavier == [], (ability.verb, heavier)
        kind = "bucket" if ability.kind == LISTING else ability.kind
        if kind:
            for action in ability.needs:
                assert kind in {resource_type.name for resource_type in catalogue().resource_types(action)}, (
                    action,
                    kind,
                )
        assert service == next(iter(ability.needs)).partition(":")[0]


def test_the_table_of_types_names_types_that_exist() -> None:
    for service, kind in TYPES:
        published = catalogue().service(service)
        assert published is not None
        assert kind in {resource_type.name for resource_type in published.resource_types.values()}, (
            service,
            kind,
        )


def test_nothing_is_said_twice_of_one_resource() -> None:
    """To list a bucket covers seeing its Region; an ability of another kind of resource is said besides."""
    for service, ability in every_ability():
        given = ability.needs | ability.with_it
        said = [other for other, _ in abilities_of(service, given)]
        kinds = [(kind_of_resource(other), action) for other in said for action in other.needs]
        for other in said:
            covered = {(kind_of_resource(other), action) for action in other.with_it}
            later = [pair for pair in kinds if pair[1] not in other.needs]
            assert covered.isdisjoint(later), (service, ability.verb, other.verb)
