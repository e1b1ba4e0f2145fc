"""Every case that was written down from AWS's documentation, through the interface of JSON Lines."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from iam.policy.lines import answer
from tests.iam.policy import cases
from tests.iam.policy.cases.notation import ALLOWED, CONDITIONAL, DENIED, NOT_ALLOWED, Case

CASES: list[Case] = [
    case
    for module in pkgutil.iter_modules(cases.__path__)
    for case in getattr(importlib.import_module(f"{cases.__name__}.{module.name}"), "CASES", ())
]
CONDITIONS = [case for case in CASES if case.condition is not None]


def _decision(line: dict[str, Any], *, strict: bool) -> str:
    answered = answer(json.dumps(line), strict=strict)
    assert answered["id"] == line["id"]
    return str(answered.get("decision", answered.get("error")))


def _by_page(cases: list[Case]) -> dict[str, list[Case]]:
    by_page: dict[str, list[Case]] = {}
    for case in cases:
        by_page.setdefault(case.page, []).append(case)
    return by_page


PAGES, PAGES_OF_CONDITIONS = _by_page(CASES), _by_page(CONDITIONS)


@pytest.mark.parametrize("page", PAGES)
def test_requests_are_decided_as_the_documentation_says(page: str) -> None:
    wrong = [
        (case.name, "strict" if strict else "loose", decision, case.note)
        for case in PAGES[page]
        for strict, wanted in ((True, case.strict), (False, case.loose))
        if (decision := _decision(case.line, strict=strict)) != wanted
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES_OF_CONDITIONS)
def test_a_condition_of_a_deny_is_met_when_that_of_an_allow_is(page: str) -> None:
    opposite = {ALLOWED: DENIED, NOT_ALLOWED: ALLOWED, CONDITIONAL: CONDITIONAL}
    for case in PAGES_OF_CONDITIONS[page]:
        line = deepcopy(case.line)
        (document,) = line["policies"]["identity"]
        (statement,) = document["Statement"]
        statement["Effect"] = "Deny"
        document["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*"})
        assert _decision(line, strict=True) == opposite[case.strict], case.name
        assert _decision(line, strict=False) == opposite[case.loose], case.name


def test_there_are_enough_cases_and_each_names_its_page_once() -> None:
    assert len(CASES) >= 400
    assert all(case.page and case.name for case in CASES)
    repeated = [name for name, times in Counter(map(str, CASES)).items() if times > 1]
    assert repeated == []


@pytest.mark.parametrize("strict", [True, False])
def test_the_process_answers_as_the_function_does(strict: bool) -> None:
    sample = CASES[::5]
    text = "".join(json.dumps(case.line) + "\n" for case in sample)
    arguments = [sys.executable, "-m", "iam.policy", "evaluate", *(["--strict"] if strict else [])]
    run = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [case.line["id"] for case in sample]
    wanted = [case.strict if strict else case.loose for case in sample]
    assert [answer["decision"] for answer in answers] == wanted
    assert run.stderr == ""
