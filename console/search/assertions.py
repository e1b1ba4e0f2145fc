"""Finds standing assertions by name."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from console.search.results import FirstResults, SearchResult
from iam.audit.assertions.models import AssertionState, AssertionStatus, StandingAssertion
from iam.audit.assertions.queries import assertions_named
from iam.guard import Viewer

MAX_ASSERTIONS: Final = 5
SHORTEST: Final = 2


def assertion_results(viewer: Viewer, text: str) -> FirstResults:
    """Return the visible assertions with these words in their name: active ones first, broken before held."""
    if not viewer.sees_accounts or len(text) < SHORTEST:
        return FirstResults([], 0)
    assertions = assertions_named(viewer, text)
    return FirstResults([_result(each) for each in assertions[:MAX_ASSERTIONS]], len(assertions))


def _result(assertion: StandingAssertion) -> SearchResult:
    return SearchResult(
        title=assertion.name,
        url=reverse("findings:assertion", args=[assertion.pk]),
        icon="shield-check",
        kind="Assertion",
        detail=_state_words(assertion),
    )


def _state_words(assertion: StandingAssertion) -> str:
    """Return whether an active assertion is held; the status of others."""
    if assertion.status != AssertionStatus.ACTIVE:
        return str(assertion.get_status_display())
    if assertion.checked_at is None:
        return "Not checked yet"
    return str(AssertionState(assertion.state).label)
