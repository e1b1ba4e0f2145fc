"""Every rule has a file of cases beside this one, with true and false ones, and words that can be read."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

import pytest

from iam.audit.findings import rules
from iam.audit.findings.rule import FindingRule
from iam.audit.findings.rules import all_rules
from tests.iam.audit.findings.rules.site import FALSE, TRUE

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RULES = [pytest.param(rule, id=kind) for kind, rule in all_rules().items()]


def test_each_file_declares_one_rule_that_is_called_like_it() -> None:
    files = {module.name for module in pkgutil.iter_modules(rules.__path__)}
    assert files == {kind.replace("-", "_") for kind in all_rules()}
    assert len(files) > 40


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_true_and_false_cases(rule: FindingRule) -> None:
    name = rule.kind.replace("-", "_")
    cases = import_module(f"tests.iam.audit.findings.rules.test_{name}").CASES
    answers = {expected for _, expected in cases.values()}
    assert FALSE in answers
    assert TRUE in answers or "conditional" in answers


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_speaks_plainly(rule: FindingRule) -> None:
    assert SLUG.fullmatch(rule.kind)
    assert not rule.title.endswith(".")
    for text in (rule.sentence, rule.risk, rule.remedy):
        assert text.endswith(".")
        assert text[0].isupper() or text.startswith(("sts:", "iam:"))
        assert not re.search(r"\b(shall|whoever|whom)\b", text, re.IGNORECASE)
