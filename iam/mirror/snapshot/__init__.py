"""The index over the organisation as the mirror has it, now or at a past moment, kept in this process.

`with snapshot() as index:` gives the index of now, brought up to what has been written; `snapshot(at=…)` that
of a moment. Many may read it at a time, and it does not change meanwhile: read from answers what is needed,
and leave.
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
"""So many past moments are kept; the one that was not asked for the longest goes."""

_documents = SharedDocuments()
_moments: OrderedDict[datetime | None, MomentIndex] = OrderedDict()
_guard = Lock()


@contextmanager
def snapshot(
    at: datetime | None = None, *, accounts: Collection[str] | None = None, may_lag: bool = False
) -> Iterator[PolicyIndex]:
    """The index at a moment (None: now). With `accounts`, by number, only these are sure to be in it and up
    to date.

    `may_lag`: it may be some seconds behind what was written while others read it; for pages, so that a short
    question does not wait for a long one. What is decided by an answer must not lag.
    """
    moment = _moment(at)
    with moment.reading(accounts, may_lag=may_lag):
        yield moment.index


def read_images(seconds: float) -> int:
    """Take over the accounts that workers have drawn, for so many seconds; how many there are now. Nothing
    else is read, so that a process which will be forked is soon done.
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
    """Those who still read it finish first."""
    if not moment.gate.is_reading:
        with moment.gate.changing():
            moment.let_go()
