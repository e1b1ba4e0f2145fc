"""Hostile input to the JSON Lines interface: every line is answered by one line, and the stream goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from iam.policy import glob
from iam.policy.arns import resource_matcher
from iam.policy.glob import ANY, ONE, WITHIN, compile_glob, tokens
from iam.policy.lines import answer, answers
from tests.iam.policy.cases.notation import BUCKET, OBJECT, SESSION, USER, allow, policy

GOOD: dict[str, Any] = {
    "id": "good",
    "action": "s3:GetObject",
    "resource": OBJECT,
    "principal": USER,
    "policies": {"identity": [policy(allow("s3:*"))]},
}
DEEP = "[" * 100_000
ERROR, ALLOWED = "error", "allowed"


def _answer(line: str) -> dict[str, Any]:
    """One answer, the same in both modes but for what is open, and JSON that any reader takes."""
    (written,) = answers([line], strict=True)
    content = json.loads(written, parse_constant=pytest.fail)
    assert "\n" not in written
    assert set(content) in ({"id", "error"}, {"id", "decision", "because"})
    return dict(content)


def _outcome(line: str) -> str:
    answer = _answer(line)
    return ERROR if "error" in answer else str(answer["decision"])


def _with(**members: Any) -> str:
    return json.dumps(GOOD | members)


NO_REQUESTS = {
    "brackets": DEEP,
    "braces": '{"a":' * 100_000,
    "balanced brackets": f"{DEEP}{']' * 100_000}",
    "no JSON": "hello",
    "half a line": json.dumps(GOOD)[:-1],
    "two values": "{} {}",
    "a text": '"s3:GetObject"',
    "a number": "12",
    "null": "null",
    "a list": "[]",
    "nothing in it": "{}",
    "NaN": '{"id": NaN}',
    "Infinity": '{"id": -Infinity}',
    "a NUL": "\0",
    "a blank that is none": "\u00a0",
    "a mark of byte order": "\ufeff{}",
    "brackets in the id": f'{{"id": {"[" * 5000}{"]" * 5000}}}',
    "a long list as id": json.dumps(GOOD | {"id": ["x"] * 300}),
    "single quotes": "{'id': 1}",
    "a comma too many": '{"id": 1,}',
    "a member twice": '{"id": 1, "id": 2, "action": "s3:GetObject"}',
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_what_is_no_request_is_answered_with_an_error(name: str) -> None:
    answer = _answer(NO_REQUESTS[name])
    assert "error" in answer
    assert answer["id"] is None or "twice" in name


@pytest.mark.parametrize(
    "wrong", [0, 1.5, True, "x", [], [1], {}, {"a": 1}, [[]], "\ud800", 10**30], ids=repr
)
@pytest.mark.parametrize("member", [*GOOD, "context", "resource_account"])
def test_wrong_types_in_every_member_are_answered(member: str, wrong: Any) -> None:
    answer = _answer(_with(**{member: wrong}))
    assert answer["id"] == (wrong if member == "id" else "good")


WRONG = {
    "an unknown member": {"actions": "s3:GetObject"},
    "no action": {"action": None},
    "an action without service": {"action": "GetObject"},
    "an action with a wildcard": {"action": "s3:*"},
    "an action of two colons": {"action": "s3:Get:Object"},
    "an empty action": {"action": ""},
    "an action of a service alone": {"action": "s3:"},
    "an action of a name alone": {"action": ":GetObject"},
    "no resource": {"resource": None},
    "a list of resources": {"resource": [OBJECT]},
    "no principal": {"principal": None},
    "an empty principal": {"principal": ""},
    "a principal without ARN": {"principal": {}},
    "a principal with an unknown member": {"principal": {"arn": USER, "service-linked": True}},
    "a flag that is a text": {"principal": {"arn": USER, "service_linked": "false"}},
    "a flag that is a number": {"principal": {"arn": USER, "management_account": 1}},
    "an account that is a number": {"principal": {"arn": USER, "account": 111122223333}},
    "an id that is a list": {"principal": {"arn": USER, "unique_id": []}},
    "tags that are a list": {"principal": {"arn": USER, "tags": []}},
    "a tag that is a list": {"principal": {"arn": USER, "tags": {"a": []}}},
    "a tag in both cases": {"principal": {"arn": USER, "tags": {"a": "1", "A": "2"}}},
    "a context that is a list": {"context": []},
    "a context that is a text": {"context": ""},
    "a value that is an object": {"context": {"a": {}}},
    "a value that is a list of lists": {"context": {"a": [[]]}},
    "a value that is a list with null": {"context": {"a": [None]}},
    "a key in both cases": {"context": {"aws:SourceIp": "10.0.0.1", "AWS:SourceIP": "10.0.0.2"}},
    "an account that is no text": {"resource_account": 1},
    "policies that are a list": {"policies": []},
    "an unknown kind of policy": {"policies": {"identities": []}},
    "policies that are a number": {"policies": {"identity": 1}},
    "policies that are false": {"policies": {"boundary": False}},
    "levels that are policies": {"policies": {"scps": [policy(allow())]}},
    "levels that are an object": {"policies": {"rcps": policy(allow())}},
    "a resource policy that is a list": {"policies": {"resource": [policy(allow())]}},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_request_that_says_something_wrong_is_refused(name: str) -> None:
    answer = _answer(_with(**WRONG[name]))
    assert answer["id"] == "good"
    assert len(answer["error"]) < 500


ODD = {
    "null stands for absent": ({"context": None, "resource_account": None}, ALLOWED),
    "no id": ({"id": None}, ALLOWED),
    "an id that is an object": ({"id": {"a": [1, "\ud800"]}}, ALLOWED),
    "a lone surrogate in the resource": ({"resource": f"{BUCKET}/\udfff"}, ALLOWED),
    "a NUL in the resource": ({"resource": f"{BUCKET}/\0"}, ALLOWED),
    "a line break in the resource": ({"resource": f"{BUCKET}/\n\r\u2028"}, ALLOWED),
    "an empty context": ({"context": {}}, ALLOWED),
    "an empty key": ({"context": {"": ""}}, ALLOWED),
    "an empty list of values": ({"context": {"a": []}}, ALLOWED),
    "numbers of any size": ({"context": {"a": [10**300, -(10**300), 1.5e300, 5e-324]}}, ALLOWED),
    "a long action": ({"action": "s3:" + "a" * 100_000}, ALLOWED),
    "a long key": ({"context": {"k" * 100_000: "v" * 100_000}}, ALLOWED),
    "a caller that is none": ({"principal": "\0" * 1000}, ALLOWED),
    "a session without role": ({"principal": SESSION.partition("/")[0]}, ALLOWED),
    "an ARN of colons": ({"principal": ":" * 1000, "resource": ":" * 1000}, ALLOWED),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_but_no_error_is_decided(name: str) -> None:
    members, expected = ODD[name]
    assert _outcome(_with(**members)) == expected


POLICIES: dict[str, tuple[Any, str]] = {
    "none at all": ([], "implicitly_denied"),
    "an empty text": ([""], "implicitly_denied"),
    "an empty object": ([{}], "implicitly_denied"),
    "no statements": ([{"Version": "2012-10-17", "Statement": []}], "implicitly_denied"),
    "statements that are numbers": ([{"Statement": [1, None, [], "x"]}], "implicitly_denied"),
    "a statement without anything": ([{"Statement": {}}], "implicitly_denied"),
    "null for each element": ([policy(dict.fromkeys(("Effect", "Action", "Resource")))], "implicitly_denied"),
    "empty lists": ([policy({"Effect": "Allow", "Action": [], "Resource": []})], "implicitly_denied"),
    "empty texts": ([policy({"Effect": "Allow", "Action": "", "Resource": ""})], "implicitly_denied"),
    "numbers for names": ([policy({"Effect": "Allow", "Action": [1], "Resource": {}})], "implicitly_denied"),
    "an unknown element": ([policy(allow("s3:*") | {"Extra": 1})], "conditional"),
    "an action and a NotAction": ([policy(allow("s3:*") | {"NotAction": "x:y"})], "conditional"),
    "a condition that is a text": ([policy(allow(when="x"))], "conditional"),
    "a condition of a text": ([policy(allow(when={"StringEquals": "x"}))], "conditional"),
    "a condition of an object": ([policy(allow(when={"StringEquals": {"a": {}}}))], "implicitly_denied"),
    "an operator of NUL": ([policy(allow(when={"\0": {"a": "b"}}))], "conditional"),
    "no values": ([policy(allow(when={"StringEquals": {"a": []}}))], "implicitly_denied"),
    "brackets": ([DEEP], "implicitly_denied"),
    "a text that is a list": (["[]"], "implicitly_denied"),
    "a Statement twice": (['{"Statement": [], "Statement": []}'], "implicitly_denied"),
    "a version that is a list": ([{"Version": [], "Statement": allow("s3:*")}], ALLOWED),
    "an unfinished variable": ([policy(allow("s3:*", "${aws:username"))], "implicitly_denied"),
    "an empty variable": ([policy(allow("s3:*", "${}"))], "implicitly_denied"),
    "variables in variables": ([policy(allow("s3:*", "${${${*}}}"))], "implicitly_denied"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_aws_would_not_take_is_answered(name: str) -> None:
    documents, expected = POLICIES[name]
    assert _outcome(_with(policies={"identity": documents})) == expected


@pytest.mark.parametrize(
    "statement",
    [
        '{"Effect": "Deny", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}',
        '{"Effect": "Allow", "Action": "x:y", "Action": "s3:*", "Resource": "*"}',
        (
            '{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"a": "true"}, '
            '"Null": {}}}'
        ),
        (
            '{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"a": "true", "a": '
            '"true"}}}'
        ),
    ],
)
def test_a_name_that_stands_twice_in_a_statement_makes_it_undecidable(statement: str) -> None:
    document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
    line = json.dumps(GOOD | {"policies": {}})[:-1].replace(
        '"policies": {', f'"policies": {{"identity": [{document}]'
    )
    assert _outcome(line + "}") == "conditional"
    assert _outcome(_with(policies={"identity": [document]})) == "conditional"


HUGE = {
    "a float beyond all": ("1e400", "NumericGreaterThan", "1" + "0" * 399, ALLOWED),
    "a float below all": ("-1e400", "NumericLessThan", "-" + "9" * 399, ALLOWED),
    "an integer of 5,000 digits": ("1" + "0" * 5000, "NumericGreaterThan", "1e4999", ALLOWED),
    "an integer of 5,000 digits, equal": ("1" + "0" * 5000, "NumericEquals", "1e5000", ALLOWED),
    "an exponent of nine digits": ("1e999999999", "NumericGreaterThan", "1e999999998", ALLOWED),
    "an exponent beyond": ("1e99999999999999999999", "NumericGreaterThan", "1", "implicitly_denied"),
    "a date beyond all": ("1e400", "DateGreaterThan", "2020-01-01", "implicitly_denied"),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_numbers_are_numbers_still(name: str) -> None:
    number, operator, limit, expected = HUGE[name]
    document = policy(allow(when={operator: {"x:n": limit}}))
    line = _with(context={"x:n": "@"}, policies={"identity": [document]})
    assert _outcome(line.replace('"@"', number)) == expected
    assert _outcome(line.replace('"@"', f'"{number}"')) == expected


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 5000])
@pytest.mark.parametrize("member", ["id", "action", "resource", "principal", "resource_account", "policies"])
def test_huge_numbers_in_any_member_are_answered(member: str, number: str) -> None:
    _answer(_with(**{member: "@"}).replace('"@"', number))


def test_a_document_of_ten_megabytes_is_answered() -> None:
    names = [f"{BUCKET}/{'k' * 1000}{number}*" for number in range(10_000)]
    line = _with(policies={"identity": [policy(allow("s3:Put*", names), allow("s3:GetObject"))]})
    assert len(line) > 10_000_000
    assert _outcome(line) == ALLOWED


def test_lists_of_a_million_are_answered() -> None:
    million = ["x:y"] * 1_000_000
    line = _with(context={"k": million}, policies={"identity": [policy(allow(million), allow("s3:*"))]})
    assert _outcome(line) == ALLOWED
    assert _outcome(_with(policies={"scps": [[]] * 10_000})) == "implicitly_denied"


class Steps(str):
    """A text that counts how often one of its characters is looked at."""

    count = 0

    def __getitem__(self, place: Any) -> str:
        Steps.count += 1
        return str.__getitem__(self, place)


PATTERNS = ("*?*?*?*?*?*?*?*?*?*b", "*a?*a?*a?*b", "?*a*?a*a?*b", "*" * 50 + "?b")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_work_of_a_wild_pattern_grows_with_the_text_alone(pattern: str) -> None:
    def steps(length: int) -> int:
        Steps.count = 0
        assert not compile_glob(pattern)(Steps("a" * length))
        return Steps.count

    assert steps(2000) <= 2 * steps(1000) + 10
    assert steps(2000) <= 2 * 2000


@pytest.mark.parametrize(
    "pattern", ["*?" * 20_000 + "b", "*a" * 20_000 + "b", "*a?" * 13_000 + "b", "a*" * 20_000 + "b"]
)
def test_long_wild_patterns_do_not_take_in_long_texts_that_lack_their_end(pattern: str) -> None:
    assert not compile_glob(pattern)("a" * 100_000)
    assert not resource_matcher(tokens(f"arn:aws:s3:::{pattern}"))("arn:aws:s3:::" + "a" * 100_000)
    assert not resource_matcher(tokens(f"arn:aws:s*3:a*a:{pattern}"))("arn:aws:s3:aaa:" + "a" * 100_000)


def test_wild_patterns_in_every_place_of_a_request_are_answered() -> None:
    wild = "*?" * 5_000 + "b"
    statements = [
        allow(f"s3:{wild}"),
        allow("s3:*", wild),
        allow("s3:*", f"arn:aws:{wild}"),
        allow("s3:*", when={"StringLike": {"k": wild}}),
        allow("s3:*", when={"ArnLike": {"k": f"arn:aws:s3:::{wild}"}}),
        allow("s3:*", when={"StringLike": {"k": "${k}*" * 2000 + "b"}}),
    ]
    line = _with(
        action="s3:" + "a" * 50_000,
        resource="arn:aws:s3:::" + "a" * 50_000,
        context={"k": "arn:aws:s3:::" + "a" * 50_000},
        policies={"identity": [policy(*statements)]},
    )
    assert _outcome(line) == "implicitly_denied"


def test_a_text_with_the_marks_of_wildcards_in_it_is_plain_text() -> None:
    for mark in (ANY, ONE, WITHIN, glob.ONE_WITHIN):
        assert not compile_glob(f"{mark}x")("x")
        assert answer(_with(resource=mark), strict=True)["decision"] == ALLOWED


def _process(*lines: bytes, end: bytes = b"\n") -> list[Any]:
    run = subprocess.run(
        [sys.executable, "-m", "iam.policy", "evaluate"],
        input=end.join(lines),
        capture_output=True,
        check=True,
    )
    assert run.stderr == b""
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_the_process_answers_each_line_and_goes_on() -> None:
    good = json.dumps(GOOD).encode()
    latin = json.dumps(GOOD | {"id": "@"}).encode().replace(b"@", b"\xff\xc3\x28\xed\xa0\x80")
    lines = [b"\xef\xbb\xbf" + good, b"", b" \t", good, b"\xff\xfe", b"\0", DEEP.encode(), latin, b"\r", good]
    process = _process(*lines)
    assert [line.get("decision", "error") for line in process] == [
        ALLOWED,
        ALLOWED,
        ERROR,
        ERROR,
        ERROR,
        ALLOWED,
        ALLOWED,
    ]
    assert set(process[5]["id"]) <= {"\ufffd", "("}


def test_the_process_ends_quietly_when_nobody_reads_on() -> None:
    arguments = [sys.executable, "-m", "iam.policy", "evaluate"]
    pipes = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipes, stdout=pipes, stderr=pipes, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(json.dumps(GOOD) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["decision"] == ALLOWED
        process.stdout.close()
        process.stdin.write(json.dumps(GOOD) + "\n")
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_the_process_takes_lines_of_windows_and_a_last_line_without_end() -> None:
    good = json.dumps(GOOD).encode()
    assert [line["decision"] for line in _process(good, b"", good, end=b"\r\n")] == [ALLOWED, ALLOWED]
    spread = good.replace(b", ", b",\r")
    assert [line["decision"] for line in _process(spread, good)] == [ALLOWED, ALLOWED]
    assert _process() == []
