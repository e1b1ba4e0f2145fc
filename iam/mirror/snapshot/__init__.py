"""The index over the organization as stored in the mirror, now or at a past moment, kept in this process.

`with snapshot() as index:` gives the index of now, updated to what has been written; `snapshot(at=…)` that of
a past moment. Several threads can read it at a time, and it doesn't change meanwhile. Read what is needed
from answers and leave the block.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Final

from iam.mirror.snapshot.moment import MomentIndex
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex

PAST_KEPT: Final = 2
"""The number of past moments that are kept. The least recently used one is dropped first."""

_documents = SharedDocuments()
_moments: OrderedDict[datetime | None, MomentIndex] = OrderedDict()
_guard = Lock()


@contextmanager
def snapshot(
    at: datetime | None = None, *, accounts: Collection[str] | None = None, may_lag: bool = False
) -> Iterator[PolicyIndex]:
    """The index at a moment (None means now). With `accounts` (account IDs), only these are certain to be in
    it and up to date.

    With `may_lag`, it may be some seconds old while others read it. Pages use this, so that a short question
    needn't wait for a long one. Decisions must not be based on an index that lags.
    """
    moment = _moment(at)
    with moment.reading(accounts, may_lag=may_lag):
        yield moment.index


def read_images(seconds: float) -> int:
    """Load the images that workers have created, for up to `seconds`. Return the number of accounts that are
    now loaded.

    Nothing else is read, so that a process that will be forked is ready soon.
    """
    moment = _moment(None)
    moment.read_images(until=time.monotonic() + seconds)
    return len(moment.index.accounts)


def forget() -> None:
    """Drop everything that this process keeps."""
    with _guard:
        moments = list(_moments.values())
        _moments.clear()
    for moment in moments:
        _let_go(moment)


def _moment(at: datetime | None) -> MomentIndex:
    gone: list[MomentIndex] = []
    with _guard:
        moment_kept = _moments.get(at)
        if moment_kept is None:
            moment_kept = _moments[at] = MomentIndex(at, _documents)
        _moments.move_to_end(at)
        past = [key for key in _moments if key is not None]
        gone = [_moments.pop(key) for key in past[: len(past) - PAST_KEPT]] if len(past) > PAST_KEPT else []
    for moment in gone:
        _let_go(moment)
    return moment_kept


def _let_go(moment: MomentIndex) -> None:
    """Free a dropped moment after its readers have finished; not if this thread is reading it."""
    if not moment.gate.is_reading:
        with moment.gate.changing():
            moment.let_go()
