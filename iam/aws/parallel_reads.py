"""Run independent reads in parallel, as many as the width of the connection allows."""

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
"""The interval in seconds in which a waiting caller gets the requests that were sent meanwhile."""
_THREADS: Final = 16
_pool: ThreadPoolExecutor | None = None
_is_beside: ContextVar[bool] = ContextVar("is_beside", default=False)


class _Read(Generic[T]):
    """A submitted read."""

    def __init__(self, do: Callable[[], T]) -> None:
        self.do = do
        self.answer: Future[T] = Future()
        self._context = copy_context()

    def run(self, hear: Callable[[str], None]) -> None:
        """Run the read in a thread that is not the caller's."""
        try:
            self.answer.set_result(self._context.run(self._beside, hear))
        except BaseException as error:  # noqa: BLE001  raised again where the result is requested
            self.answer.set_exception(error)

    def _beside(self, hear: Callable[[str], None]) -> T:
        _is_beside.set(True)
        heard.set(hear)
        return self.do()


class ReadSubmitter:
    """Submit reads. Each call returns a function that waits for the result, or raises the read's error.

    A read that no thread has started when its result is requested runs in the requesting thread; with a width
    of 1, all do, in that order. A read must only call AWS, because other threads have no database connection.
    """

    def __init__(self, aws: Aws, *, is_alone: bool) -> None:
        self._aws = aws
        self._is_alone = is_alone
        self._lock = Lock()
        self._left: deque[_Read[Any]] = deque()
        self._begun: list[Future[Any]] = []
        self._sent: deque[str] = deque()

    def __call__(self, do: Callable[[], T]) -> Callable[[], T]:
        """Submit a read. Only the submitting thread can get the result."""
        read = _Read(do)
        with self._lock:
            self._left.append(read)
        if not self._is_alone and self._aws.enter_beside():
            _threads().submit(self._work)
        return partial(self._answer, read)

    def end(self) -> None:
        """Wait for the running reads and ignore their results, because the connection has one owner at a
        time.
        """
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
        """Call `on_call` in the caller's thread."""
        while self._sent:
            action = self._sent.popleft()
            if self._aws.on_call is not None:
                self._aws.on_call(action)


@contextmanager
def parallel_reads(aws: Aws) -> Iterator[ReadSubmitter]:
    """Run the reads submitted inside the block in parallel with the caller and with one another. All have
    ended when the block ends.
    """
    is_alone = aws.width < 2 or _is_beside.get()
    if not is_alone:
        aws.iam  # noqa: B018  created here, because only one thread may create a client
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


# A forked process has no threads of its parent.
os.register_at_fork(after_in_child=_forget)
