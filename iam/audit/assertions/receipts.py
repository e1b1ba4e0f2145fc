"""Finds the assertions that changes would newly break, for receipts, by evaluating before and after."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from iam.audit.assertions.checks import active
from iam.audit.assertions.evaluation import judge
from iam.audit.assertions.terms import AssertionTerms
from iam.changes.access_effects import AffectedPrincipal
from iam.changes.assertion_checks import NAMED, AssertionQuestion, BrokenAssertion
from iam.changes.world import FIRST_MADE
from iam.policy.evaluate import ASSUMING
from iam.policy.index.index import PolicyIndex
from iam.policy.letter_case import fold


def broken_by(question: AssertionQuestion) -> Iterator[BrokenAssertion]:
    """The active assertions that principals would newly break, by account."""
    whole: PolicyIndex | None = None
    for assertion in active():
        terms = AssertionTerms.from_json(assertion.terms)
        numbers = [number for number in sorted(question.accounts) if terms.covers(number)]
        after = question.concerned()
        if numbers and _is_about_roles(terms):
            whole = after = whole or question.whole()
        for number in numbers:
            names = _new_breakers(question.before, after, number, terms)
            if names:
                yield BrokenAssertion(
                    key=str(assertion.pk),
                    name=assertion.name,
                    actions=terms.actions,
                    account_id=number,
                    names=tuple(names[:NAMED]),
                    more=max(0, len(names) - NAMED),
                )


def _new_breakers(
    before: PolicyIndex, after: PolicyIndex, number: str, terms: AssertionTerms
) -> list[AffectedPrincipal]:
    then = judge(after, number, terms, explains=False).breaches
    if not then:
        return []
    now = {breach.arn for breach in judge(before, number, terms, explains=False).breaches}
    names = []
    for breach in then:
        if breach.arn not in now:
            entity = breach.entity if breach.entity < FIRST_MADE else None
            kind = "user" if ":user/" in breach.arn else "role"
            names.append(AffectedPrincipal(breach.arn.rpartition("/")[2], kind, entity))
    return names


def _is_about_roles(terms: AssertionTerms) -> bool:
    """True if trust policies matter, including those of roles that the changes don't concern."""
    asked = chain.from_iterable(actions for _, actions in terms.questions())
    return any(fold(action) in ASSUMING for action in asked)
