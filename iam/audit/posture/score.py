"""Computes the score from 0 to 100, and the points that each kind of finding costs. Pure.

Each kind that could be judged has a weight by its severity. A kind with n open findings costs n / (n + 1) of
its weight: half for the first, more for each further one, never all of it. The score is 100 minus the cost as
a share of the weights of all judged kinds. Kinds that could not be judged count neither as good nor as bad;
an account of which less than half could be judged has no score.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Self

from iam.audit.findings.models import FindingSeverity

WEIGHTS: Final[Mapping[int, int]] = {
    FindingSeverity.CRITICAL: 10,
    FindingSeverity.HIGH: 5,
    FindingSeverity.MEDIUM: 2,
    FindingSeverity.LOW: 1,
}
LEAST_JUDGED: Final = 0.5
KindCounts = Mapping[str, tuple[int, int]]
"""By kind: the number of open findings, and the worst severity among them."""


@dataclass(frozen=True, slots=True)
class PostureLine:
    """The cost of one kind. The points of all lines and the score add up to 100."""

    kind: str
    severity: int
    count: int
    points: float


@dataclass(frozen=True, slots=True)
class PostureScore:
    """A score with its lines, costliest first; the score is None if too little was judged. `unread` are kinds
    that could not be judged.
    """

    score: float | None
    lines: tuple[PostureLine, ...] = ()
    unread: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, score: float | None, lines: Iterable[Iterable[Any]], unread: Iterable[str]) -> Self:
        """Parse the stored form."""
        return cls(score, tuple(PostureLine(*line) for line in lines), tuple(unread))


def posture_of(counts: KindCounts, *, severities: Mapping[str, int], unread: Collection[str]) -> PostureScore:
    """The posture from open findings; `severities` are those of all kinds."""
    weights = {}
    for kind, severity in severities.items():
        if kind in counts:
            weights[kind] = max(WEIGHTS[severity], WEIGHTS[counts[kind][1]])
        elif kind not in unread:
            weights[kind] = WEIGHTS[severity]
    possible = sum(weights.values())
    missing = tuple(sorted(unread))
    if possible <= LEAST_JUDGED * sum(WEIGHTS[severity] for severity in severities.values()):
        return PostureScore(None, (), missing)
    lines = []
    for kind, (count, severity) in counts.items():
        if kind in weights:
            cost = weights[kind] * count / (count + 1)
            lines.append(PostureLine(kind, severity, count, round(100 * cost / possible, 1)))
    lines.sort(key=lambda line: (-line.points, line.kind))
    score = round(100 - sum(line.points for line in lines), 1)
    return PostureScore(max(0.0, score), tuple(lines), missing)


def together(postures: Collection[PostureScore]) -> PostureScore:
    """The mean over accounts with a score; the points of a kind are its share of the missing points, and
    `unread` are kinds that could not be judged in at least one of these accounts.

    They aren't rounded: with dozens of kinds and accounts, much of what is missing would be rounded away.
    """
    scored = [posture for posture in postures if posture.score is not None]
    if not scored:
        return PostureScore(None)
    lines: dict[str, PostureLine] = {}
    for posture in scored:
        for line in posture.lines:
            known = lines.get(line.kind, PostureLine(line.kind, line.severity, 0, 0.0))
            severity = min(known.severity, line.severity)
            points = known.points + line.points / len(scored)
            lines[line.kind] = PostureLine(line.kind, severity, known.count + line.count, points)
    scores = [posture.score for posture in scored if posture.score is not None]
    ordered = sorted(lines.values(), key=lambda line: (-round(line.points, 6), line.kind))
    unread = tuple(sorted(set(chain.from_iterable(posture.unread for posture in scored))))
    return PostureScore(round(sum(scores) / len(scores), 1), tuple(ordered), unread)
