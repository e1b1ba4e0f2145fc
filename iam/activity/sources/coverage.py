"""The periods for which activity is known, per account and Region, from what was actually read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max
from django.utils import timezone

from iam.activity.models import TrailFile
from iam.activity.sources.models import DigestFile, ReadSpan, SourceFile, SpanBasis
from iam.activity.sources.spans import TimeSpan, merged, missing_between

RECENT: Final = timedelta(hours=1)
"""Newer events may not have been delivered yet."""
PROBLEMS_SHOWN: Final = 5


@dataclass(slots=True)
class PlaceCoverage:
    """What is known of an account in a Region. `verified` periods are proved by digest files, `asked` were
    read from the event history, and `listed` are complete listings of a bucket without proof.

    `missing` are the gaps from the first read time to now. `problems` are files that could not be read or
    were altered, so that their events are missing too.
    """

    account_id: str
    region: str
    verified: list[TimeSpan] = field(default_factory=list)
    asked: list[TimeSpan] = field(default_factory=list)
    listed: list[TimeSpan] = field(default_factory=list)
    missing: list[TimeSpan] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0

    @property
    def complete(self) -> list[TimeSpan]:
        """The periods for which every event is known."""
        return merged([*self.verified, *self.asked])

    @property
    def unproved(self) -> list[TimeSpan]:
        """The periods whose files were all read, but without digest files to prove that there
        were no others.
        """
        certain = self.complete
        left: list[TimeSpan] = []
        for span in self.listed:
            left.extend(missing_between(certain, span.start, span.end))
        return left


def coverage(account_ids: Collection[str] | None) -> list[PlaceCoverage]:
    """Return the places of these accounts (None: of all), by account and Region, with three queries."""
    return _places(account_ids, _problems(account_ids))


def spans_of(account_id: str) -> list[PlaceCoverage]:
    """Return the places of an account, without the problems of files, with one query."""
    return _places([account_id], {})


def spans_by_account(account_ids: Collection[str]) -> dict[str, list[PlaceCoverage]]:
    """Return the places of several accounts, without the problems of files, with one query."""
    by_account: dict[str, list[PlaceCoverage]] = {}
    for place in _places(account_ids, {}):
        by_account.setdefault(place.account_id, []).append(place)
    return by_account


def _places(
    account_ids: Collection[str] | None, problems: dict[tuple[str, str], list[str]]
) -> list[PlaceCoverage]:
    rows = ReadSpan.objects.all()
    if account_ids is not None:
        rows = rows.filter(account_id__in=account_ids)
    by_place: dict[tuple[str, str], list[ReadSpan]] = defaultdict(list)
    for row in rows.order_by("account_id", "region", "start"):
        by_place[row.account_id, row.region].append(row)
    until = timezone.now() - RECENT
    places = []
    for key in sorted(by_place.keys() | problems.keys()):
        place = _place(key, by_place.get(key, []), until)
        place.problems = problems.get(key, [])[:PROBLEMS_SHOWN]
        place.problem_count = len(problems.get(key, []))
        places.append(place)
    return places


def _place(key: tuple[str, str], rows: list[ReadSpan], until: datetime) -> PlaceCoverage:
    spans: dict[str, list[TimeSpan]] = defaultdict(list)
    for row in rows:
        spans[row.basis].append(TimeSpan(row.start, row.end))
    place = PlaceCoverage(*key)
    place.verified = merged(spans[SpanBasis.DIGEST])
    place.asked = merged(spans[SpanBasis.HISTORY])
    place.listed = merged(spans[SpanBasis.LISTING])
    known = merged([*place.verified, *place.asked, *place.listed])
    if known:
        place.missing = missing_between(known, known[0].start, max(until, known[-1].end))
    return place


def _problems(account_ids: Collection[str] | None) -> dict[tuple[str, str], list[str]]:
    """Return the problems of files by account and Region, newest first."""
    files = SourceFile.objects.exclude(problem="")
    digests = DigestFile.objects.exclude(problem="")
    if account_ids is not None:
        files = files.filter(account_id__in=account_ids)
        digests = digests.filter(account_id__in=account_ids)
    problems: dict[tuple[str, str], list[str]] = defaultdict(list)
    for digest in digests.order_by("-end_at")[:500]:
        problems[digest.account_id, digest.region].append(digest.problem)
    for file in files.order_by("-at")[:500]:
        name = file.key.rpartition("/")[2]
        problems[file.account_id, file.region].append(f"{name}: {file.problem}")
    return problems


@dataclass(frozen=True, slots=True)
class FolderState:
    """The files of the folder in the setting, or of another source without a row of its own.

    `problems` are the names of the newest files that could not be read completely, with the reasons.
    """

    files: int
    quarantined: int
    read_at: datetime | None
    problems: tuple[tuple[str, str], ...] = ()


def folder_state(source: str) -> FolderState:
    """Return how many files came from this source, and when the last one was read. Two queries, and one more
    if some could not be read.
    """
    rows = TrailFile.objects.filter(source=source)
    figures = rows.aggregate(files=Count("pk"), read_at=Max("read_at"))
    unread = rows.exclude(reason="")
    quarantined = unread.count()
    newest: list[tuple[str, str]] = []
    if quarantined:
        newest = list(unread.order_by("-read_at", "-pk").values_list("name", "reason")[:PROBLEMS_SHOWN])
    problems = tuple((name.rpartition("/")[2], reason) for name, reason in newest)
    return FolderState(figures["files"], quarantined, figures["read_at"], problems)
