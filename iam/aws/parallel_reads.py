"""Reads that do not depend on each other, asked at once: as many as the way to the account is wide."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from iam.aws.session import Aws, heard

T = TypeVar("T")

LISTEN: Final = 2.0
"""Seconds after which who waits is told of the requests that were sent meanwhile."""
_THREADS: Final = 16
_pool: ThreadPoolExecutor | None = None
_is_beside: ContextVar[bool] = ContextVar("is_beside", default=False)


class _Read(Generic[T]):
    """One read that was asked for."""

    def __init__(self, do: Callable[[], T]) -> None:
        self.do = do
        self.answer: Future[T] = Future()
        self._context = copy_context()

    def run(self, hear: Callable[[str], None]) -> None:
        """Do it in another thread than the caller's."""
        try:
            self.answer.set_result(self._context.run(self._beside, hear))
        except BaseException as error:  # noqa: BLE001  raised where the answer is asked for
            self.answer.set_exception(error)

    def _beside(self, hear: Callable[[str], None]) -> T:
        _is_beside.set(True)
        heard.set(hear)
        return self.do()


class ReadSubmitter:
    """Takes up reads, and gives for each the function that waits for its answer, or raises its error.

    One that nobody has begun when its answer is asked for is done by who asks: on a way that is one wide each
    is, in that order. A read touches AWS alone: another thread has no connection to the database.
    """

    def __init__(self, aws: Aws, *, is_alone: bool) -> None:
        self._aws = aws
        self._is_alone = is_alone
        self._lock = Lock()
        self._left: deque[_Read[Any]] = deque()
        self._begun: list[Future[Any]] = []
        self._sent: deque[str] = deque()

    def __call__(self, do: Callable[[], T]) -> Callable[[], T]:
        """Ask; the answer is for the thread that asked."""
        read = _Read(do)
        with self._lock:
            self._left.append(read)
        if not self._is_alone and self._aws.enter_beside():
            _threads().submit(self._work)
        return partial(self._answer, read)

    def end(self) -> None:
        """Wait for what is still under way, whatever comes of it: the way is for one at a time."""
        with self._lock:
            self._left.clear()
        wait(self._begun)
        self._report_calls()

    def _answer(self, read: _Read[T]) -> T:
        with self._lock:
            is_left = read in self._left
            if is_left:
                self._left.remove(read)
        if is_left:
            return read.do()
        self._wait([read.answer])
        return read.answer.result()

    def _work(self) -> None:
        try:
            while read := self._next():
                read.run(self._sent.append)
        finally:
            self._aws.leave_beside()

    def _next(self) -> _Read[Any] | None:
        with self._lock:
            if not self._left:
                return None
            read = self._left.popleft()
            self._begun.append(read.answer)
            return read

    def _wait(self, answers: list[Future[Any]]) -> None:
        left = {future for future in answers if not future.done()}
        while left:
            left = wait(left, timeout=LISTEN).not_done
            self._report_calls()
        self._report_calls()

    def _report_calls(self) -> None:
        """`on_call` is the caller's, and runs in the caller's thread."""
        while self._sent:
            action = self._sent.popleft()
            if self._aws.on_call is not None:
                self._aws.on_call(action)


@contextmanager
def parallel_reads(aws: Aws) -> Iterator[ReadSubmitter]:
    """Within the block, what is asked runs beside the caller, and beside each other; at its end nothing runs
    any more.
    """
    is_alone = aws.width < 2 or _is_beside.get()
    if not is_alone:
        aws.iam  # noqa: B018  made here, since making a client is for one thread
    ask = ReadSubmitter(aws, is_alone=is_alone)
    try:
        yield ask
    finally:
        ask.end()


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="aws")
    return _pool


def _forget() -> None:
    global _pool
    _pool = None


# Threads are not there any more in a process that was forked.
os.register_at_fork(after_in_child=_forget)
