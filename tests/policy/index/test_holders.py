"""Documents that a question passes by are none that may be about its resource."""

from __future__ import annotations

import random

import pytest

from iam.policy.document import read
from iam.policy.index.documents import Documents
from iam.policy.index.holders import Holders, starts_of
from iam.policy.index.patterns import pattern_of, relation

PATTERNS = (
    "*",
    "?",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::ab/*",
    "arn:aws:s3:::ab",
    "arn:aws:s3:::abc?x",
    "arn:aws:s3",
    "x*",
)
RESOURCES = ("arn:aws:s3:::ab", "arn:aws:s3:::ab/c", "arn:aws:s3:::abcdx", "arn:aws:s3:::", "*", "x", "")


@pytest.mark.parametrize(
    ("resources", "starts"),
    [
        ({"Resource": ["arn:aws:s3:::a*b", "arn:aws:s3:::b?"]}, {"arn:aws:s3:::a", "arn:aws:s3:::b"}),
        ({"Resource": "arn:aws:s3:::home/${aws:username}/*"}, {"arn:aws:s3:::home/"}),
        ({"Resource": ["arn:aws:s3:::a", "*"]}, {""}),
        ({"NotResource": "arn:aws:s3:::a"}, {""}),
        ({}, {""}),
    ],
)
def test_a_start_is_what_stands_before_the_first_wildcard(
    resources: dict[str, object], starts: set[str]
) -> None:
    document = read(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", **resources}}
    )
    assert set(starts_of(document.statements[0])) == starts


@pytest.mark.parametrize("seed", range(20))
def test_whatever_may_meet_a_resource_or_a_pattern_is_found(seed: int) -> None:
    dice = random.Random(seed)
    documents, holders = Documents(), Holders()
    held = {name: documents.add(name, "{}") for name in dice.sample(PATTERNS, 5)}
    starts = {name: starts_of(_statement(name)) for name in held}
    for name, doc in held.items():
        for start in starts[name]:
            holders.add(start, doc)
    for resource in RESOURCES:
        found = {doc for docs in holders.about(resource) for doc in docs}
        assert found == {held[name] for name in held if any(resource.startswith(one) for one in starts[name])}
    for asked in map(pattern_of, PATTERNS):
        found = {doc for docs in holders.meeting(asked.start) for doc in docs}
        assert found >= {held[name] for name in held if relation(pattern_of(name), asked)}
    gone = dice.choice(list(held))
    for start in starts[gone]:
        holders.discard(start, held[gone])
    assert held[gone] not in {doc for docs in holders.meeting("") for doc in docs}


def test_starts_that_come_and_go_after_a_pattern_was_asked_for_stay_in_order() -> None:
    documents, holders = Documents(), Holders()
    one, two = documents.add("1", "{}"), documents.add("2", "{}")
    holders.add("bucket-b", one)
    assert list(holders.meeting("bucket-")) == [{one}]
    holders.add("bucket-a", two)
    holders.add("bucket-b", two)
    assert list(holders.meeting("bucket-")) == [{two}, {one, two}]
    holders.discard("bucket-a", two)
    holders.discard("bucket-a", two)
    holders.discard("bucket-b", one)
    assert list(holders.meeting("bucket-")) == [{two}]


def _statement(name: str):
    body = {"Effect": "Allow", "Action": "s3:*", "Resource": name}
    return read({"Version": "2012-10-17", "Statement": body}).statements[0]
