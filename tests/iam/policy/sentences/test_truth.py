"""Sentences about a policy hold of every statement they speak of, and nothing else is allowed: checked
request by request with the plain engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.builder import ServicePart, build
from iam.access.builder.parts import ordered
from iam.policy.catalogue import catalogue
from iam.policy.lint.overlaps import can_mean
from iam.policy.sentences import PolicySentence, sentences_of
from tests.iam.access.builder.test_round_trip import ARNS, WHENS, chosen
from tests.iam.policy import naive
from tests.iam.policy.naive_matching import action_fits, resource_fits

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/maya"
Context = dict[str, str]
CONTEXTS: tuple[Context, ...] = (
    {},
    {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"},
    {
        "aws:MultiFactorAuthPresent": "true",
        "aws:SourceIp": "192.0.2.9",
        "aws:CurrentTime": "2026-06-01T00:00:00Z",
    },
    {
        "aws:MultiFactorAuthPresent": "true",
        "aws:MultiFactorAuthAge": "4000",
        "aws:SourceIp": "203.0.113.1",
        "aws:ResourceTag/team": "payments",
        "aws:RequestedRegion": "eu-west-1",
        "aws:CurrentTime": "2028-01-01T00:00:00Z",
        "s3:prefix": "a/b",
    },
    {
        "aws:MultiFactorAuthPresent": "true",
        "aws:MultiFactorAuthAge": "60",
        "aws:SourceIp": "198.51.100.7",
        "aws:ResourceTag/team": "payments",
        "aws:RequestedRegion": "eu-west-1",
        "aws:CurrentTime": "2026-06-01T00:00:00Z",
        "s3:prefix": "a/b",
    },
    {"aws:ResourceTag/team": "risk", "aws:RequestedRegion": "us-east-1", "s3:prefix": "b/"},
)
HOLDS: dict[str, Callable[[Context], bool]] = {
    "only with MFA": lambda c: c.get("aws:MultiFactorAuthPresent") == "true",
    "only with MFA in the last hour": lambda c: int(c.get("aws:MultiFactorAuthAge", "9999")) < 3600,
    "only from 192.0.2.0/24 or 198.51.100.7/32": lambda c: (
        c.get("aws:SourceIp", "").startswith("192.0.2.") or c.get("aws:SourceIp") == "198.51.100.7"
    ),
    "only if tagged team=payments": lambda c: c.get("aws:ResourceTag/team") == "payments",
    "only when the Region is eu-west-1": lambda c: c.get("aws:RequestedRegion") == "eu-west-1",
    "only under a/": lambda c: c.get("s3:prefix", "").startswith("a/"),
    "when MFA is not present": lambda c: c.get("aws:MultiFactorAuthPresent") == "false",
    "when MFA is present": lambda c: c.get("aws:MultiFactorAuthPresent") == "true",
    "when the resource’s tag team is payments": lambda c: c.get("aws:ResourceTag/team") == "payments",
    "when the Region is eu-west-1": lambda c: c.get("aws:RequestedRegion") == "eu-west-1",
}
"""What a clause of a condition says of a request, written by hand from its words."""
RESOURCES = (
    "arn:aws:s3:::docs",
    "arn:aws:s3:::docs/a/1",
    "arn:aws:s3:::docs/b.txt",
    "arn:aws:s3:::logs",
    "arn:aws:s3:::logs/x",
    "arn:aws:s3:::docs-old/a/1",
    f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs",
    f"arn:aws:sqs:us-east-1:{ACCOUNT}:pay-in",
    f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1",
    f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-1",
    f"arn:aws:iam::{ACCOUNT}:role/pay-deploy",
    f"arn:aws:iam::{ACCOUNT}:user/maya",
    f"arn:aws:iam::{ACCOUNT}:user/ben",
    "*",
)
PATTERNS = (
    "*",
    "arn:aws:s3:::docs",
    "arn:aws:s3:::docs/*",
    "arn:aws:s3:::docs/a/*",
    "arn:aws:s3:::docs/b.txt",
    "arn:aws:s3:::docs*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::*/a/1",
    f"arn:aws:sqs:eu-west-1:{ACCOUNT}:*",
    f"arn:aws:sqs:*:{ACCOUNT}:pay-*",
    f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}",
    f"arn:aws:iam::{ACCOUNT}:*",
    "arn:aws:ec2:*:*:instance/*",
)
ACTIONS = (
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:ListAllMyBuckets",
    "s3:PutObjectAcl",
    "sqs:SendMessage",
    "sqs:*",
    "ec2:Start*",
    "ec2:Describe*",
    "iam:PassRole",
    "iam:Get*",
    "iam:ChangePassword",
)
BLOCKS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:ResourceTag/team": "payments"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}},
    {
        "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    },
)
MOMENT = "2026-01-01T00:00:00Z"


def engine(statements: list[dict[str, Any]], action: str, resource: str, context: Context) -> bool:
    """Whether the plain engine allows a request of a user who has just these statements."""
    line = {
        "principal": USER,
        "action": action,
        "resource": resource,
        "resource_account": ACCOUNT,
        "context": {"aws:CurrentTime": MOMENT} | context,
        "policies": {"identity": [{"Version": "2012-10-17", "Statement": statements}]},
    }
    return naive.decide(line) == "allowed"


def holds(sentence: PolicySentence, context: Context) -> bool:
    """Whether the conditions that the sentence says hold of a request."""
    if sentence.until and (context.get("aws:CurrentTime", MOMENT) >= f"{sentence.until:%Y-%m-%dT%H:%M:%SZ}"):
        return False
    return all(HOLDS[text](context) for text in sentence.conditions)


def claims(sentence: PolicySentence, action: str, resource: str) -> bool:
    """Whether a sentence claims an action on a resource."""
    context = {"aws:username": ["maya"]}
    return any(
        any(action_fits(pattern, action) for pattern in claim.actions) != claim.is_not_action
        and any(resource_fits(arn, resource, context, variables=True) for arn in claim.resources)
        != claim.is_not_resource
        for claim in sentence.claims
    )


def requests(action: str) -> list[str]:
    """The resources that a request for an action can name."""
    kinds = catalogue().resource_types(action)
    if not kinds:
        return ["*"]
    return [
        arn
        for arn in RESOURCES
        if any(can_mean(arn, kind.arn, has_variables=False) for kind in kinds) and arn != "*"
    ]


def check(document: dict[str, Any], actions: list[str]) -> None:
    """Every request is allowed exactly if a sentence claims it, and each sentence holds of the statements it
    names.
    """
    statements = document["Statement"]
    sentences = sentences_of(document, account_id=ACCOUNT)
    for action in actions:
        for resource in requests(action):
            for context in CONTEXTS:
                claimed = [
                    sentence
                    for sentence in sentences
                    if claims(sentence, action, resource) and holds(sentence, context)
                ]
                gives = [sentence for sentence in claimed if sentence.allows]
                denies = [sentence for sentence in claimed if not sentence.allows]
                request = (action, resource, context)
                texts = [sentence.text for sentence in sentences]
                assert engine(statements, *request) == (bool(gives) and not denies), (request, texts)
                for sentence in gives:
                    own = [statements[index] for index in sentence.statements]
                    assert engine(own, *request), (request, sentence)


@st.composite
def raw(draw: st.DrawFn) -> dict[str, Any]:
    """A statement as people write them by hand."""
    negates = draw(st.integers(0, 9))
    actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4, unique=True))
    resources = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True))
    statement = {
        "Effect": "Deny" if draw(st.integers(0, 5)) == 0 else "Allow",
        "NotAction" if negates == 0 else "Action": actions,
        "NotResource" if negates == 1 else "Resource": resources,
    }
    block = draw(st.sampled_from(BLOCKS))
    return statement | ({"Condition": block} if block else {})


ASKED = sorted(
    {
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "s3:ListAllMyBuckets",
        "s3:PutObjectAcl",
        "s3:GetBucketLocation",
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "ec2:StartInstances",
        "ec2:DescribeInstances",
        "iam:PassRole",
        "iam:GetUser",
        "iam:CreateUser",
    }
)


@settings(max_examples=120, deadline=None)
@given(st.lists(raw(), min_size=1, max_size=4))
def test_a_request_is_allowed_exactly_if_a_sentence_about_the_policy_claims_it(
    statements: list[dict[str, Any]],
) -> None:
    check({"Version": "2012-10-17", "Statement": statements}, ASKED)


@settings(max_examples=60, deadline=None)
@given(st.lists(chosen(), min_size=1, max_size=3))
def test_what_the_builder_writes_is_told_as_it_is(parts: list[ServicePart]) -> None:
    built = build(parts)
    if built.statements:
        asked = sorted({action for part in parts for action in part.actions[:3]} | set(ASKED[:5]))
        check(built.document, asked)


def test_every_condition_of_the_tests_is_known_by_its_words() -> None:
    for when in WHENS:
        part = ServicePart(
            "ec2", ordered(["ec2:StartInstances"], service="ec2"), arns=ARNS["ec2"], whens=(when,)
        )
        for sentence in sentences_of(build([part]).document):
            assert all(text in HOLDS for text in sentence.conditions), sentence


# What the words themselves say, read by this test and by nothing else.
VERBS = {
    "list": "s3:ListBucket",
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "delete": "s3:DeleteObject",
}
INSIDE = re.compile(r"^([A-Za-z, ]+) objects in s3://([a-z-]+)$")
UNDER = re.compile(r"^([A-Za-z, ]+) objects under s3://([a-z-]+)/([a-z/]+/)$")
SINGLE = re.compile(r"^([A-Za-z, ]+) the object s3://([a-z-]+)/([a-z0-9./]+)$")
MATCHING = re.compile(r"^([A-Za-z, ]+) objects matching s3://([a-z-]+)/([a-z/]+)\*$")
KEYS = ("exp", "a/1", "a/b/2", "b.txt", "exports/x", "exports", "b/a/1")


def _verbs(words: str) -> list[str]:
    return [VERBS[word.lower()] for word in re.split(r", | and ", words)]


def _requests_in_words(head: str) -> tuple[list[str], str, str] | None:
    """(actions, bucket, beginning of the key, or the whole key after "=") of a sentence about objects."""
    if match := INSIDE.match(head):
        return _verbs(match[1]), match[2], ""
    for pattern in (UNDER, MATCHING):
        if match := pattern.match(head):
            return _verbs(match[1]), match[2], match[3]
    if match := SINGLE.match(head):
        return _verbs(match[1]), match[2], f"={match[3]}"
    return None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(sorted(VERBS.values())), min_size=1),
            st.sampled_from(("docs", "docs-old")),
            st.sampled_from(("", "a/", "exports/", "exp", "=b.txt", "=a/1")),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_words_about_objects_mean_what_the_engine_allows(
    given_: list[tuple[set[str], str, str]],
) -> None:
    statements = []
    for actions, bucket, key in given_:
        objects = f"arn:aws:s3:::{bucket}/{key.removeprefix('=')}" + ("" if key.startswith("=") else "*")
        resources = [objects]
        if "s3:ListBucket" in actions:
            resources.append(f"arn:aws:s3:::{bucket}")
        statements.append({"Effect": "Allow", "Action": sorted(actions), "Resource": resources})
    spoken: set[tuple[str, str]] = set()
    for sentence in sentences_of({"Version": "2012-10-17", "Statement": statements}):
        meaning = _requests_in_words(sentence.head)
        assert meaning, sentence.head
        actions_said, bucket, start = meaning
        for action in actions_said:
            for key in KEYS:
                is_inside = key == start[1:] if start.startswith("=") else key.startswith(start)
                if is_inside:
                    arn = f"arn:aws:s3:::{bucket}" + ("" if action == "s3:ListBucket" else f"/{key}")
                    spoken.add((action, arn))
    for action in VERBS.values():
        for bucket in ("docs", "docs-old"):
            for key in KEYS:
                arn = f"arn:aws:s3:::{bucket}" + ("" if action == "s3:ListBucket" else f"/{key}")
                assert engine(statements, action, arn, {}) == ((action, arn) in spoken), (action, arn)
