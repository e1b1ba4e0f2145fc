"""Threads for requests, of which the one that became idle last gets the next request.

Its connection to PostgreSQL knows the tables and statements already, and both are still in the processor's
caches. Python's own executor takes its idle threads in turn.

The frames of a request lie in one block of memory (`with_room_for_calls`).
"""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ROOMY_FRAME_SLOTS: Final = 33_000
"""Size of a frame for which Python takes a block of 512 KiB. About half of the block remains for the frames
of calls.
"""


def with_room_for_calls(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function with a frame so large that the frames of the calls it makes lie in the same block.

    Python 3.11 takes 16 KiB for frames at a time, and gives a block back to the system when the first call in
    it returns. A loop at the end of a block takes and returns memory with every call (CPython issue 142183,
    repaired in later versions). Memory that no frame uses stays untouched.
    """
    code: Any = function.__code__
    function.__code__ = code.replace(co_stacksize=ROOMY_FRAME_SLOTS)
    return function


class ThreadCall(NamedTuple):
    """A call, and the future of its result."""

    future: Future[Any]
    call: Callable[[], Any]

    def run(self) -> None:
        """Make the call, unless it was canceled."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:  # noqa: BLE001  (the future has it)
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class RecentThreads(Executor):
    """Up to `most` threads, which start when needed and end with the process. Calls beyond that wait in
    order.
    """

    def __init__(self, most: int, *, name: str) -> None:
        self._most = most
        self._name = name
        self._guard = Lock()
        self._threads: list[Thread] = []
        self._idle: list[SimpleQueue[ThreadCall | None]] = []
        """The inboxes of idle threads, the one that became idle last at the end."""
        self._waiting: deque[ThreadCall] = deque()
        self._is_ending = False
        atexit.register(self.shutdown)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Make the call in a thread and return the future of its result.

        Raises RuntimeError after `shutdown`.
        """
        future: Future[T] = Future()
        call = ThreadCall(future, lambda: fn(*args, **kwargs))
        with self._guard:
            if self._is_ending:
                raise RuntimeError("The threads have ended.")
            if self._idle:
                self._idle.pop().put(call)
            elif len(self._threads) < self._most:
                self._start(call)
            else:
                self._waiting.append(call)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and wait until those that were taken are done."""
        with self._guard:
            self._is_ending = True
            if cancel_futures:
                while self._waiting:
                    self._waiting.popleft().future.cancel()
            for inbox in self._idle:
                inbox.put(None)
            self._idle.clear()
        if wait:
            for thread in self._threads:
                thread.join()

    def _start(self, call: ThreadCall) -> None:
        inbox: SimpleQueue[ThreadCall | None] = SimpleQueue()
        inbox.put(call)
        thread = Thread(
            target=self._work, args=(inbox,), name=f"{self._name}-{len(self._threads)}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    @with_room_for_calls
    def _work(self, inbox: SimpleQueue[ThreadCall | None]) -> None:
        call = inbox.get()
        while call is not None:
            call.run()
            # The request and its answer aren't kept while the thread waits for the next one.
            call = None
            with self._guard:
                if self._waiting:
                    call = self._waiting.popleft()
                elif self._is_ending:
                    return
                else:
                    self._idle.append(inbox)
            if call is None:
                call = inbox.get()
