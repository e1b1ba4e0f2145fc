"""What is said of a template is what its statements say, whatever the parameters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.templates.parameters import ParameterKind, TemplateParameter
from iam.access.templates.shipped_files import shipped
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.document import Statement, read
from iam.policy.lint.overlaps import can_mean
from iam.policy.sentences import PolicySentence, sentences_of
from iam.policy.sentences.conditions import clause, split_end

ACCOUNT = "111122223333"
VALUES: dict[ParameterKind, tuple[str, ...]] = {
    ParameterKind.BUCKET: ("docs", "pay-ledger", "a.b.c"),
    ParameterKind.PREFIX: ("a/", "exports/2026/", "report.csv", "x"),
    ParameterKind.REGION: ("eu-west-1", "us-east-1"),
    ParameterKind.TAG_KEY: ("team", "cost center"),
    ParameterKind.TAG_VALUE: ("payments", "risk"),
    ParameterKind.NAME: ("jobs", "pay-api", "x.y"),
    ParameterKind.ROLE: ("deploy", "service/pay-settle"),
    ParameterKind.LOG_GROUP: ("/aws/lambda/pay", "app"),
}
Pairs = set[tuple[str, str]]


def _value(draw: st.DrawFn, parameter: TemplateParameter) -> str:
    values = [sample for sample in VALUES.get(parameter.kind, ()) if _fits(parameter, sample)]
    if parameter.wildcard:
        values += [f"{sample}*" for sample in values if _fits(parameter, f"{sample}*")]
    values.append(parameter.sample)
    if parameter.many:
        return "\n".join(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)))
    return draw(st.sampled_from(values))


def _fits(parameter: TemplateParameter, value: str) -> bool:
    try:
        parameter.values_of(value)
    except ValueError:
        return False
    return True


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A shipped template with random parameters."""
    body = shipped()[draw(st.sampled_from(sorted(shipped())))]
    return body.render(
        {parameter.name: _value(draw, parameter) for parameter in body.parameters}, account_id=ACCOUNT
    )


def _pairs(statement: Statement) -> Pairs:
    """Each action of a statement with each resource that it works on."""
    pairs: Pairs = set()
    for pattern in statement.actions:
        for action in catalogue().expand(pattern):
            kinds = catalogue().resource_types(action)
            for arn in statement.resources or ():
                if arn == "*" or any(can_mean(arn, kind.arn, has_variables=True) for kind in kinds):
                    pairs.add((action, arn))
    return pairs


def _claimed(sentence: PolicySentence) -> Pairs:
    return {(action, arn) for claim in sentence.claims for action in claim.actions for arn in claim.resources}


@settings(max_examples=150, deadline=None)
@given(documents())
def test_sentences_say_what_the_statements_say_and_all_of_it(document: dict[str, Any]) -> None:
    statements = read(document).statements
    sentences = sentences_of(document, account_id=ACCOUNT)
    for sentence in sentences:
        own = [statements[index] for index in sentence.statements]
        assert _claimed(sentence) <= set().union(*map(_pairs, own)), sentence.text
        for statement in own:
            conditions, until = split_end(statement.conditions)
            assert {clause(condition, account_id=ACCOUNT) for condition in conditions} == set(
                sentence.conditions
            )
            assert until == sentence.until
    for statement in statements:
        claims = [_claimed(sentence) for sentence in sentences if statement.index in sentence.statements]
        assert _pairs(statement) <= set().union(*claims), statement


CLOSED = (
    "Can’t change anything",
    "Can’t add, change or delete files",
    "Can’t delete logs",
    "Can’t change data",
)


@pytest.mark.parametrize("slug", sorted(shipped()))
def test_a_template_that_promises_to_change_nothing_has_actions_that_read(slug: str) -> None:
    body = shipped()[slug]
    if not any(words in body.description for words in CLOSED):
        return
    document = read(body.render(body.samples))
    levels = {
        catalogue().level(action)
        for statement in document.statements
        for pattern in statement.actions
        for action in catalogue().expand(pattern)
    }
    assert levels <= {AccessLevel.LIST, AccessLevel.READ}, body.description


def test_some_templates_promise_it() -> None:
    assert sum(any(words in body.description for words in CLOSED) for body in shipped().values()) >= 5
