"""Documents that a question passes by are none that may be about its resource."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest

from iam.policy.index.documents import SharedDocuments
from iam.policy.index.holders import Held, StatementHolders, starts_of
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
    statement = {"Effect": "Allow", "Action": "s3:*", **resources}
    document = SharedDocuments().add("x", json.dumps({"Version": "2012-10-17", "Statement": statement}))
    assert set(starts_of(document.clauses[0])) == starts


@pytest.mark.parametrize("seed", range(20))
def test_whatever_may_meet_a_resource_or_a_pattern_is_found(seed: int) -> None:
    dice = random.Random(seed)
    documents, holders = SharedDocuments(), StatementHolders()
    docs = [documents.add(name, _text(name)) for name in dice.sample(PATTERNS, 5)]
    clause_of = {clause.source.resources[0]: (clause, doc) for doc in docs for clause in doc.clauses}
    for clause, doc in clause_of.values():
        for start in starts_of(clause):
            holders.add(start, clause, doc)
    for resource in RESOURCES:
        expected = {
            name for name in clause_of if any(map(resource.startswith, starts_of(clause_of[name][0])))
        }
        assert _names(holders.about(resource)) == expected
    for asked in map(pattern_of, PATTERNS):
        met = {name for name in clause_of if relation(pattern_of(name), asked)}
        assert _names(holders.meeting(asked.start)) >= met
    gone, doc = clause_of.pop(dice.choice(list(clause_of)))
    for start in starts_of(gone):
        holders.discard(start, gone, doc)
    assert _names(holders.meeting("")) == set(clause_of)


def test_starts_that_come_and_go_after_a_pattern_was_asked_for_stay_in_order() -> None:
    documents, holders = SharedDocuments(), StatementHolders()
    docs = [documents.add(name, _text(name)) for name in ("bucket-b", "bucket-a*", "bucket-b*")]
    (first, two, three) = [(doc.clauses[0], doc) for doc in docs]
    holders.add("bucket-b", *first)
    assert [dict(holder.items()) for holder in holders.meeting("bucket-")] == [{first[0]: (first[1],)}]
    holders.add("bucket-a", *two)
    holders.add("bucket-b", *three)
    assert [{clause for clause, _ in holder.items()} for holder in holders.meeting("bucket-")] == [
        {two[0]},
        {first[0], three[0]},
    ]
    holders.discard("bucket-a", *two)
    holders.discard("bucket-a", *two)
    holders.discard("bucket-b", *first)
    assert [{clause for clause, _ in holder.items()} for holder in holders.meeting("bucket-")] == [{three[0]}]


@pytest.mark.parametrize(
    "name", [*PATTERNS, "arn:aws:s3:::a${aws:username}*", "arn:aws:s3:::a*b*", "arn:aws:s3*"]
)
def test_a_beginning_says_what_the_pattern_says(name: str) -> None:
    clause = SharedDocuments().add(name, _text(name)).clauses[0]
    if clause.beginning:
        assert pattern_of(name).parts == pattern_of(clause.beginning + "*").parts
        assert pattern_of(name).is_beginning
    is_one = name in {"arn:aws:s3:::a*", "arn:aws:s3:::ab/*", "x*"}
    assert bool(clause.beginning) is is_one


@pytest.mark.parametrize(
    "more",
    [
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Principal": "*"},
        {"Resource": ["x*", "y*"]},
        {"Sid": 1, "Effect": "Perhaps"},
    ],
)
def test_a_statement_that_says_more_is_no_beginning(more: dict[str, object]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": {**_statement("x*"), **more}})
    assert SharedDocuments().add("x", text).clauses[0].beginning == ""


def _statement(name: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": "s3:*", "Resource": name}


def _text(name: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": _statement(name)})


def _names(holders_found: Iterable[Held]) -> set[str]:
    return {clause.source.resources[0] for holder in holders_found for clause, docs in holder.items() if docs}
