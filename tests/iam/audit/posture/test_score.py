"""The formula of the score, by a table, and what must be true of any counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.audit.findings.models import FindingSeverity
from iam.audit.posture.score import PostureLine, PostureScore, posture_of, together

CRITICAL, HIGH, MEDIUM, LOW = FindingSeverity.values
KINDS = {"root": CRITICAL, "mfa": HIGH, "old": MEDIUM, "group": LOW}


@pytest.mark.parametrize(
    ("counts", "unread", "score", "points"),
    [
        ({}, (), 100.0, {}),
        ({"root": (1, CRITICAL)}, (), 72.2, {"root": 27.8}),
        ({"root": (2, CRITICAL)}, (), 63.0, {"root": 37.0}),
        ({"mfa": (1, HIGH), "group": (9, LOW)}, (), 81.1, {"mfa": 13.9, "group": 5.0}),
        ({"root": (1, CRITICAL)}, ("mfa", "old", "group"), 50.0, {"root": 50.0}),
        ({}, ("mfa",), 100.0, {}),
        ({}, tuple(KINDS), None, {}),
        ({"old": (1, HIGH)}, (), 88.1, {"old": 11.9}),
        ({"mfa": (1, HIGH)}, ("mfa",), 86.1, {"mfa": 13.9}),
    ],
)
def test_the_score_is_what_the_formula_says(
    counts: dict[str, tuple[int, int]],
    unread: tuple[str, ...],
    score: float | None,
    points: dict[str, float],
) -> None:
    posture = posture_of(counts, severities=KINDS, unread=unread)
    assert posture.score == score
    assert {line.kind: line.points for line in posture.lines} == points
    assert posture.unread == tuple(sorted(unread))


COUNTS = st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(1, 400))


@given(COUNTS, st.sampled_from(sorted(KINDS)))
def test_every_point_is_in_a_line_and_more_findings_never_raise_it(counts: dict[str, int], kind: str) -> None:
    given_counts = {name: (number, KINDS[name]) for name, number in counts.items()}
    posture = posture_of(given_counts, severities=KINDS, unread=())
    assert posture.score is not None
    assert 0 <= posture.score <= 100
    assert posture.score == pytest.approx(100 - sum(line.points for line in posture.lines), abs=0.01)
    more = given_counts | {kind: (counts.get(kind, 0) + 1, KINDS[kind])}
    worse = posture_of(more, severities=KINDS, unread=())
    assert worse.score is not None
    assert worse.score <= posture.score


def test_an_account_without_a_score_is_not_counted_as_good() -> None:
    bad = posture_of({"root": (1, CRITICAL)}, severities=KINDS, unread=())
    assert together([bad, PostureScore(None)]).score == bad.score
    assert together([PostureScore(None)]).score is None


def test_the_points_of_all_accounts_are_those_of_the_mean() -> None:
    bad = posture_of({"root": (1, CRITICAL)}, severities=KINDS, unread=())
    good = posture_of({"group": (1, LOW)}, severities=KINDS, unread=())
    whole = together([bad, good])
    assert whole.score == pytest.approx(100 - sum(line.points for line in whole.lines))
    assert {line.kind: line.count for line in whole.lines} == {"root": 1, "group": 1}


def test_small_costs_in_many_accounts_are_not_rounded_away() -> None:
    """The mean of the accounts' scores, as the list of past scores has it."""
    few = PostureScore(99.6, (PostureLine("old", MEDIUM, 1, 0.2), PostureLine("group", LOW, 1, 0.2)))
    whole = together([few, *[PostureScore(100.0)] * 4])
    assert whole.score == 99.9
    assert [line.points for line in whole.lines] == [pytest.approx(0.04)] * 2


def test_what_could_not_be_judged_in_one_account_is_said_of_all() -> None:
    partly = posture_of({}, severities=KINDS, unread=("group",))
    none = posture_of({}, severities=KINDS, unread=tuple(KINDS))
    whole = together([PostureScore(100.0), partly, none])
    assert (whole.score, whole.unread) == (100.0, ("group",))
