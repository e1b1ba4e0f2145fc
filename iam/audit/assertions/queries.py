"""Finds the assertions that a viewer sees, with results for accounts they see whole."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from iam.audit.assertions.models import (
    AssertionProposal,
    AssertionResult,
    AssertionStatus,
    ProposalState,
    StandingAssertion,
)
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.search_words import folded, words_of

SHOWN = (AssertionStatus.ACTIVE, AssertionStatus.REQUESTED)
ENDED = (AssertionStatus.RETIRED, AssertionStatus.DECLINED)
STATUS_ORDER = (*SHOWN, *ENDED)
STATE_ORDER = {"broken": 0, "unknown": 1, "held": 2}


@dataclass(frozen=True, slots=True)
class VisibleResults:
    """The visible results; the number of other accounts, and whether the assertion is broken there."""

    results: list[AssertionResult]
    hidden: int
    is_broken_elsewhere: bool


def visible_assertions(
    viewer: Viewer, *, is_ended: bool = False, account: Account | None = None
) -> list[StandingAssertion]:
    """The visible assertions: broken, then unknown, then by name."""
    statuses = ENDED if is_ended else SHOWN
    rows = StandingAssertion.objects.filter(status__in=statuses)
    seen = []
    for assertion in rows:
        is_chosen = account is None or not _numbers(assertion) or account.account_id in _numbers(assertion)
        if is_chosen and is_visible(viewer, assertion):
            seen.append(assertion)
    return sorted(seen, key=lambda each: (STATE_ORDER[each.state], each.name.lower()))


def assertions_named(viewer: Viewer, text: str) -> list[StandingAssertion]:
    """The visible assertions with all these words in their name, in any status: active ones first, in the
    order of the list. One query.
    """
    words = words_of(text)
    matching = []
    for assertion in StandingAssertion.objects.all():
        name = folded(assertion.name)
        if all(word in name for word in words) and is_visible(viewer, assertion):
            matching.append(assertion)
    matching.sort(key=_search_place)
    return matching


def _search_place(assertion: StandingAssertion) -> tuple[int, int, str]:
    status = STATUS_ORDER.index(AssertionStatus(assertion.status))
    return status, STATE_ORDER[assertion.state], assertion.name.lower()


def visible_assertion(viewer: Viewer, word: str) -> StandingAssertion | None:
    """The assertion of this id, or None if the viewer sees none of its accounts or the id is of none."""
    try:
        pk = UUID(word)
    except ValueError:
        return None
    assertion = StandingAssertion.objects.filter(pk=pk).first()
    return assertion if assertion is not None and is_visible(viewer, assertion) else None


def is_visible(viewer: Viewer, assertion: StandingAssertion) -> bool:
    """True if the viewer sees an account that the assertion covers."""
    if not viewer.sees_accounts:
        return False
    numbers = _numbers(assertion)
    return not numbers or any(viewer.scope.sees_account(number) for number in numbers)


def results_of(viewer: Viewer, assertion: StandingAssertion) -> VisibleResults:
    """The results that the viewer can see."""
    results: list[AssertionResult] = []
    hidden: list[AssertionResult] = []
    for result in assertion.results.select_related("account").order_by("account__name"):
        is_seen = viewer.scope.sees_account(result.account.account_id)
        (results if is_seen else hidden).append(result)
    return VisibleResults(results, len(hidden), any(result.breaches for result in hidden))


def waiting_proposal(assertion: StandingAssertion) -> AssertionProposal | None:
    """The request that waits for approval, or None."""
    proposal = assertion.proposals.filter(state=ProposalState.REQUESTED).first()
    if proposal is not None:
        proposal.assertion = assertion
    return proposal


def _numbers(assertion: StandingAssertion) -> list[str]:
    numbers: list[str] = assertion.terms["accounts"]
    return numbers
