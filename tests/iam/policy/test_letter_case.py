"""Only A to Z have two cases, in every part of the policy language: no other code point of Unicode becomes
one of them.
"""

from __future__ import annotations

import sys
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import pytest

from iam.policy.catalogue import catalogue
from iam.policy.compiled import action_matcher
from iam.policy.evaluate import decide
from iam.policy.letter_case import fold, is_digits
from iam.policy.lines import question
from iam.policy.lint import lint
from tests.house_rules import ROOT, unicode_case
from tests.iam.policy import naive
from tests.iam.policy.cases.notation import ALLOWED, BUCKET, NOT_ALLOWED, USER, allow, policy

CODE_POINTS = [chr(code) for code in range(sys.maxunicode + 1)]
BLOCKS = ["".join(CODE_POINTS[at : at + 256]) for at in range(128, len(CODE_POINTS), 256)]
CASED = [c for block in BLOCKS if {block} != {block.lower(), block.upper(), block.casefold()} for c in block]
"""Most blocks have no letters of two cases, and need no look at each of their code points."""
LOOKALIKES = sorted(
    c for c in CASED if any(letter.isascii() for letter in (*c.lower(), *c.upper(), *c.casefold()))
)
"""Code points, such as the KELVIN SIGN, of which Unicode makes a letter of ASCII in another case."""


def test_each_code_point_keeps_its_own_meaning() -> None:
    changed = {c: fold(c) for c in CODE_POINTS if fold(c) != c}
    assert changed == dict(zip(ascii_uppercase, ascii_lowercase, strict=True))
    text = "".join(c for c in CODE_POINTS if not c.isascii())
    assert fold(text) == text
    assert fold(f"S3:Get{text}") == f"s3:get{text}"


def test_digits_are_those_of_ascii() -> None:
    assert [c for c in CODE_POINTS if is_digits(c)] == list("0123456789")
    assert not is_digits("")


def test_the_known_lookalikes_are_among_those_that_are_tried() -> None:
    assert {"\u212a", "\u017f", "\u0130"} <= set(LOOKALIKES)


def _letters(lookalike: str) -> list[str]:
    every = {*lookalike.lower(), *lookalike.upper(), *lookalike.casefold()}
    return sorted({letter.lower() for letter in every if letter.isascii() and letter.isalpha()})


def _decide(line: dict[str, Any]) -> set[str]:
    return {str(decide(*question(line, strict=True))), naive.decide(line)}


def _line(statement: dict[str, Any], *, action: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "action": action,
        "resource": BUCKET,
        "principal": USER,
        "context": context or {},
        "policies": {"identity": [policy(statement)]},
    }


@pytest.mark.parametrize("lookalike", LOOKALIKES)
def test_a_lookalike_is_no_letter_of_ascii(lookalike: str) -> None:
    for letter in _letters(lookalike):
        for mine, theirs in ((letter, lookalike), (letter.upper(), lookalike), (lookalike, letter)):
            name = f"s3:Get{mine}"
            assert not action_matcher((name,), is_not=False)(fold(f"s3:Get{theirs}"))
            assert not action_matcher((f"s3:*{mine}",), is_not=False)(fold(f"s3:Get{theirs}"))
            assert _decide(_line(allow(name), action=f"s3:Get{theirs}")) == {NOT_ALLOWED}
            asked = allow("s3:*", when={"StringEqualsIgnoreCase": {"aws:RequestTag/a": mine}})
            tag = {"aws:RequestTag/a": theirs}
            assert _decide(_line(asked, action="s3:GetObject", context=tag)) == {NOT_ALLOWED}
            asked = allow("s3:*", when={"StringEquals": {f"aws:RequestTag/{mine}": "x"}})
            tag = {f"aws:RequestTag/{theirs}": "x"}
            assert _decide(_line(asked, action="s3:GetObject", context=tag)) == {NOT_ALLOWED}


def test_another_case_of_ascii_is_the_same() -> None:
    asked = allow("S3:getOBJECT", when={"stringEQUALSignorecase": {"AWS:requesttag/Key": "KiS"}})
    line = _line(asked, action="s3:GetObject", context={"aws:RequestTag/kEY": "kIs"})
    assert _decide(line) == {ALLOWED}


@pytest.mark.parametrize("name", ["\u212am\u017f:decrypt", "\u212ams:Decrypt", "kms:De\u212arypt"])
def test_the_catalogue_does_not_know_lookalikes(name: str) -> None:
    assert not catalogue().mask(name)
    document = (
        f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{name}", "Resource": '
        f'"*"}}]}}'
    )
    assert "INVALID_ACTION" in {finding.code for finding in lint(document, kind="identity", quota=None)}


def test_a_name_with_a_lookalike_is_no_repetition() -> None:
    document = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
        '["kms:Decrypt", "\u212ams:Decrypt"], "Resource": "*"}]}'
    )
    assert "REDUNDANT_ACTION" not in {finding.code for finding in lint(document, kind="identity", quota=None)}


def test_an_operator_with_a_lookalike_is_unknown() -> None:
    asked = allow("s3:*", when={"\u017ftringEquals": {"aws:username": "ana"}})
    assert str(decide(*question(_line(asked, action="s3:GetObject"), strict=True))) == "conditional"


@pytest.mark.parametrize(
    "line",
    [
        "a.lower()",
        "a.casefold()",
        "a.isdigit()",
        "map(str.lower, a)",
        "re.compile('a', re.I)",
        r"re.search('\\d', a)",
    ],
)
def test_the_house_rule_refuses_unicode_case(line: str) -> None:
    assert list(unicode_case(line)) != []


@pytest.mark.parametrize("line", ["fold(a)", "re.compile('[0-9]')", r"re.compile('\\d', re.ASCII)"])
def test_the_house_rule_takes_ascii(line: str) -> None:
    assert list(unicode_case(line)) == []


def test_no_module_of_the_policy_language_uses_the_case_of_unicode() -> None:
    for file in (ROOT / "iam/policy").rglob("*.py"):
        if file.name != "letter_case.py":
            assert list(unicode_case(file.read_text(encoding="utf-8"))) == [], file
