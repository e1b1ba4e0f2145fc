"""What holds for every text: the lint answers, in time, and misses nothing that the engine's own reader
stumbles over.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import PolicyDocument, read
from iam.policy.json_places import read_places
from iam.policy.lint import LintFinding, LintKind, LintSeverity, lint
from iam.policy.lint.findings import LintReport
from iam.policy.lint.grammar import read_document
from tests.iam.policy.lint.builders import BUCKET, PLAIN, allow, policy
from tests.work import calls_of

WORDS = some.sampled_from(
    [
        "*",
        "",
        "s3:GetObject",
        "s3:Get*",
        "S3:?et*",
        "nosuch:Thing",
        "iam:PassRole",
        "arn:aws:s3:::example/*",
        "arn:aws:iam::111122223333:role/${aws:username}",
        "arn:*",
        "${aws:PrincipalTag/a, 'b'}",
        "${",
        "Allow",
        "Deny",
        "2012-10-17",
        "aws:SourceIp",
        "aws:TagKeys",
        "StringEquals",
        "ForAllValues:StringLike",
        "NullIfExists",
        "AWS",
        "Federated",
        "10.0.0.0/8",
        "true",
        "sts:AssumeRoleWithWebIdentity",
        "\ud800",
        "a" * 3000,
    ]
)
NAMES = some.sampled_from(
    [
        "Version",
        "Statement",
        "Id",
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    ]
)
SCALARS = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | WORDS | some.text()
VALUES = some.recursive(
    SCALARS,
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(NAMES | WORDS | some.text(), inner, max_size=5)
    ),
    max_leaves=25,
)
LISTS = WORDS | some.lists(WORDS, max_size=4)
STATEMENTS = some.fixed_dictionaries(
    {},
    optional={
        "Sid": WORDS,
        "Effect": some.sampled_from(["Allow", "Deny"]) | VALUES,
        "Action": LISTS | VALUES,
        "NotAction": LISTS,
        "Resource": LISTS | VALUES,
        "NotResource": LISTS,
        "Principal": WORDS | some.dictionaries(WORDS, LISTS, max_size=3) | VALUES,
        "NotPrincipal": some.dictionaries(WORDS, LISTS, max_size=3),
        "Condition": some.dictionaries(
            WORDS, some.dictionaries(WORDS, LISTS | VALUES, max_size=3), max_size=3
        )
        | VALUES,
    },
)
POLICIES = some.fixed_dictionaries(
    {},
    optional={
        "Version": WORDS | VALUES,
        "Id": WORDS,
        "Statement": STATEMENTS | some.lists(STATEMENTS, max_size=4) | VALUES,
    },
)
KINDS = some.sampled_from(list(LintKind))


def _places_are_in(text: str, findings: list[LintFinding]) -> None:
    lines = text.split("\n")
    for finding in findings:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1


@settings(max_examples=150, deadline=None)
@given(some.text() | some.text(alphabet='{}[]",:\\ \nu0aE-*$'), KINDS)
def test_no_text_is_too_strange(text: str, kind: LintKind) -> None:
    _places_are_in(text, lint(text, kind=kind))


@settings(max_examples=200, deadline=None)
@given(POLICIES | VALUES, KINDS, some.sampled_from([None, 1]))
def test_no_json_is_too_strange(value: Any, kind: LintKind, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    _places_are_in(text, lint(text, kind=kind))


@settings(max_examples=200, deadline=None)
@given(POLICIES | VALUES)
def test_what_the_engine_cannot_understand_is_an_error(value: Any) -> None:
    text = json.dumps(value)
    document = read(text)
    problems = [
        *document.problems,
        *(problem for statement in document.statements for problem in statement.problems),
    ]
    findings = lint(text, kind="identity")
    if problems:
        assert any(finding.severity is LintSeverity.ERROR for finding in findings), problems


def _read_by_lint(text: str) -> list[Any]:
    """What each statement says, by the reader that knows where everything stands."""
    reading = read_places(text)
    assert reading.root is not None
    document = read_document(reading.root, LintReport(reading))
    assert document is not None
    statements = []
    for statement in document.statements:
        actions, resources, principals = statement.actions, statement.resources, statement.principals
        assert actions is not None
        statements.append(
            (
                statement.sid.text[:200] if statement.sid else "",
                statement.allows,
                ([word.text for word in actions.words], actions.is_not),
                resources and ([word.text for word in resources.words], resources.is_not),
                principals
                and (
                    {kind: [word.text for word in words] for kind, words in principals.named.items()},
                    principals.is_not,
                ),
                [
                    (test.operator.text, test.key.text, [value.text for value in test.values])
                    for test in statement.tests
                ],
            )
        )
    return [document.has_variables, *statements]


def _read_by_engine(document: PolicyDocument) -> list[Any]:
    statements = []
    for statement in document.statements:
        resources, principals = statement.resources, statement.principals
        named = {kind: list(names) for kind, names in (principals or {}).items()}
        statements.append(
            (
                statement.sid,
                statement.allows,
                (list(statement.actions), statement.is_not_action),
                None if resources is None else (list(resources), statement.is_not_resource),
                None if principals is None else (named, statement.is_not_principal),
                [(operator, key, list(values)) for operator, key, values in statement.conditions],
            )
        )
    return [document.has_variables, *statements]


SOUND = some.fixed_dictionaries(
    {"Effect": some.sampled_from(["Allow", "Deny"]), "Action": LISTS},
    optional={
        "Sid": WORDS,
        "Resource": LISTS,
        "Principal": some.just("*") | some.dictionaries(some.sampled_from(["AWS", "Service"]), LISTS),
        "Condition": some.dictionaries(
            WORDS, some.dictionaries(WORDS, LISTS | some.booleans() | some.integers(), max_size=3), max_size=3
        ),
    },
)


@settings(max_examples=200, deadline=None)
@given(some.sampled_from(["2012-10-17", "2008-10-17"]), SOUND | some.lists(SOUND | STATEMENTS, max_size=3))
def test_the_engine_and_the_lint_read_the_same(version: str, statements: Any) -> None:
    text = json.dumps({"Version": version, "Statement": statements})
    document = read(text)
    if not any(statement.problems for statement in document.statements) and not document.problems:
        assert _read_by_lint(text) == _read_by_engine(document)


@settings(max_examples=150, deadline=None)
@given(some.lists(STATEMENTS, min_size=1, max_size=3), some.sampled_from(["identity", "resource", "scp"]))
def test_what_the_engine_cannot_compile_is_an_error(statements: list[dict[str, Any]], kind: str) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    compiled = compile_set([("p", read(text))], kind=PolicyKind(kind))
    if any(compiled.unknown for compiled in compiled.statements):
        assert any(finding.severity is LintSeverity.ERROR for finding in lint(text, kind=kind))


@given(some.integers(0, len(PLAIN)), some.text(max_size=3))
def test_a_text_that_is_being_typed_is_no_trouble(place: int, typed: str) -> None:
    lint(PLAIN[:place] + typed, kind="identity")
    lint(PLAIN[:place] + typed + PLAIN[place:], kind="identity")


HOSTILE = {
    "deep": "[" * 130_000,
    "deep and closed": '{"Statement":' * 9_000 + "1" + "}" * 9_000,
    "one long action": policy(allow("s3:" + "*?" * 60_000)),
    "many inner patterns": policy(allow([f"s3:*{number}*a*b*" for number in range(2_000)])),
    "many wide actions": policy(allow(["ec2:*"] * 8_000, "arn:aws:ec2:*:*:x/*")),
    "many unknown actions": policy(allow([f"s3:GetObjekt{number}" for number in range(6_000)])),
    "many unknown services": policy(allow([f"s{number}x:Get" for number in range(8_000)])),
    "many resources": policy(allow("ec2:*", [f"arn:aws:ec2:*:*:x{number}/*" for number in range(4_000)])),
    "one long resource": policy(allow("s3:*", f"{BUCKET}/" + "*a" * 60_000)),
    "long resources": policy(
        allow("s3:*", [f"{BUCKET}/" + "*a?" * 600 + str(number) for number in range(60)])
    ),
    "many statements": policy(*[allow(f"s3:Get*{number}") for number in range(1_500)]),
    "many conditions": policy(
        allow(Condition={"StringLike": {f"aws:PrincipalTag/{number}": "*" for number in range(3_000)}})
    ),
    "one long key": policy(allow(Condition={"StringLike": {"kms:EncryptionContext:" + "a:" * 60_000: "*"}})),
    "many unknown keys": policy(
        allow(Condition={"StringLike": {f"aws:PrincipalOrg{number}": "*" for number in range(3_000)}})
    ),
    "many values": policy(allow(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.1/8"] * 9_000}})),
    "many variables": policy(allow(resource=f"{BUCKET}/" + "${aws:user}" * 9_000)),
    "many names": json.dumps({f"a{number}": 1 for number in range(12_000)}),
}

CALLS_PER_LETTER = 300
"""The most costly of them takes a third of these; work that grew with the square would take thousands."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_work_of_a_hostile_text_grows_with_its_length_alone(text: str) -> None:
    findings: list[LintFinding] = []
    calls = calls_of(lambda: findings.extend(lint(text, kind="identity")))
    assert findings
    assert calls <= CALLS_PER_LETTER * len(text)
