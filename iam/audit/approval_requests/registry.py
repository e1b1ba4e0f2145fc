"""Lists every kind of audit request, and the requests that wait for a viewer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from django.db.models import IntegerField, QuerySet, Value

from iam.audit.approval_requests.kinds import RequestKind, accounts_decided
from iam.audit.assertions.approval_kind import ASSERTION_REQUEST
from iam.audit.findings.approval_kind import ACCEPTANCE_REQUEST
from iam.audit.frameworks.approval_kind import REQUIREMENT_REQUEST
from iam.audit.reviews.approval_kinds import DUTIES_REQUEST, SIGN_OFF_REQUEST
from iam.audit.source_requests.approval_kind import SOURCE_REQUEST
from iam.guard import Viewer
from iam.search_words import folded

REQUEST_KINDS: Final[tuple[RequestKind[Any], ...]] = (
    REQUIREMENT_REQUEST,
    ACCEPTANCE_REQUEST,
    ASSERTION_REQUEST,
    DUTIES_REQUEST,
    SIGN_OFF_REQUEST,
    SOURCE_REQUEST,
)


class WaitingRequest(NamedTuple):
    """A request with its kind."""

    kind: RequestKind[Any]
    row: Any

    def is_about(self, account_id: str) -> bool:
        """True if the request concerns this account, or all accounts."""
        numbers = self.kind.accounts_of(self.row)
        return not numbers or account_id in numbers

    def is_within(self, numbers: Collection[str]) -> bool:
        """True if the request concerns only these accounts."""
        about = self.kind.accounts_of(self.row)
        return bool(about) and set(about) <= set(numbers)

    def reads(self, text: str) -> bool:
        """True if its title, reason or requester's name contains the text."""
        words = (self.kind.title(self.row), self.kind.reason(self.row), self.kind.asked(self.row)[0])
        return any(folded(text) in folded(word) for word in words)


def decides_anywhere(viewer: Viewer) -> bool:
    """True if the viewer decides on requests in some account."""
    return accounts_decided(viewer) != frozenset()


def countable(viewer: Viewer, *, is_single: bool) -> QuerySet[Any, Any] | None:
    """One row per request that waits for the viewer, for counting; None if they decide nowhere."""
    if not decides_anywhere(viewer):
        return None
    parts = [
        kind.decidable(viewer, is_single=is_single).order_by().values_list(Value(1, IntegerField()))
        for kind in REQUEST_KINDS
    ]
    return parts[0].union(*parts[1:], all=True)


def waiting_for_viewer(viewer: Viewer, *, is_single: bool, most: int) -> list[WaitingRequest]:
    """Requests that wait for the viewer, oldest first, limited per kind. One query per kind."""
    if not decides_anywhere(viewer):
        return []
    return _ordered(kind.decidable(viewer, is_single=is_single)[:most] for kind in REQUEST_KINDS)


def requested_by_viewer(viewer: Viewer, *, most: int) -> list[WaitingRequest]:
    """The viewer's own undecided requests, oldest first. One query per kind."""
    return _ordered(kind.requested_by(viewer)[:most] for kind in REQUEST_KINDS)


def decided_by_viewer(viewer: Viewer, *, most: int) -> list[WaitingRequest]:
    """Requests that the viewer decided on in accounts in which they still decide, newest first. One query per
    kind.
    """
    numbers = accounts_decided(viewer)
    requests = _ordered(kind.decided_by(viewer)[:most] for kind in REQUEST_KINDS)
    if numbers is not None:
        requests = [each for each in requests if each.is_within(numbers)]
    return sorted(requests, key=lambda request: request.kind.decided_at(request.row), reverse=True)


def _ordered(parts: Iterator[QuerySet[Any]]) -> list[WaitingRequest]:
    requests: list[WaitingRequest] = []
    for kind, rows in zip(REQUEST_KINDS, parts, strict=True):
        requests.extend(WaitingRequest(kind, row) for row in rows)
    return sorted(requests, key=lambda request: request.kind.asked(request.row)[1])
