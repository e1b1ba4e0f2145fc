"""The rows of `manage.py assertions`, after an update."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from iam.audit.assertions import checks
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.terms import AssertionTerms

Row = dict[str, Any]


def rows_now() -> list[Row]:
    """The active assertions by name, after an update."""
    checks.check_due()
    return [values_of(assertion) for assertion in checks.active()]


def values_of(assertion: StandingAssertion) -> Row:
    """An assertion as a JSON list row."""
    terms = AssertionTerms.from_json(assertion.terms)
    results = list(assertion.results.select_related("account").order_by("account__account_id"))
    breaches = list(chain.from_iterable(result.breaches for result in results))
    return {
        "name": assertion.name,
        "state": assertion.state,
        "accounts": list(terms.accounts),
        "actions": list(terms.actions),
        "resources": list(terms.resources),
        "allowed": [f"{each.kind} {each.value}" for each in terms.allowed],
        "broken_by": sorted({breach["arn"] for breach in breaches}),
        "checked_at": _iso(assertion.checked_at),
        "counts_conditional": terms.counts_conditional,
        "first_broken": _iso(assertion.first_broken),
        "last_broken": _iso(assertion.last_broken),
        "statements": [
            {name: breach[name] for name in ("arn", "action", "resource", "policy", "statement", "is_sure")}
            for breach in breaches
        ],
        "unread": list(_unread(assertion, results)),
    }


def _unread(assertion: StandingAssertion, results: list[Any]) -> Iterator[str]:
    """Why the result is unknown, by account."""
    if assertion.checked_at is None:
        yield "it wasn’t checked yet"
    for result in results:
        for clause in result.unread:
            yield f"{result.account.account_id}: {clause}"
    judged = {result.account.account_id for result in results}
    for number in AssertionTerms.from_json(assertion.terms).accounts:
        if number not in judged:
            yield f"{number}: the account isn’t connected"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
