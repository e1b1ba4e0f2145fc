"""While a set is weighed the mirror stands still for it: it is asked each question once, and beforehand what
of the set is not there yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar, cast

T = TypeVar("T")
_NONE: Final[frozenset[str]] = frozenset()


class _Answers(dict[Hashable, object]):
    """What was asked, and by account the ARNs of which nothing is there."""

    def __init__(self) -> None:
        super().__init__()
        self.absent: defaultdict[int, set[str]] = defaultdict(set)


_answers: ContextVar[_Answers | None] = ContextVar("answers", default=None)


@contextmanager
def memoized_reads() -> Iterator[None]:
    """Keep the answers of `memoize` until this block ends; one within it shares them. Nothing that is asked
    about may be written meanwhile.
    """
    if _answers.get() is not None:
        yield
        return
    token = _answers.set(_Answers())
    try:
        yield
    finally:
        _answers.reset(token)


def memoize(question: Hashable, ask: Callable[[], T]) -> T:
    """The answer, asked for unless it is known; outside of `memoized_reads` it is asked for each time."""
    known = _answers.get()
    if known is None:
        return ask()
    if question not in known:
        known[question] = ask()
    return cast("T", known[question])


def prime(question: Hashable, answer: object) -> None:
    """Give an answer that was found together with others."""
    known = _answers.get()
    if known is not None:
        known[question] = answer


def primed(question: Hashable) -> object:
    """The answer that was given beforehand; None for none."""
    known = _answers.get()
    return None if known is None else known.get(question)


def prime_absent(account: int, arns: set[str]) -> None:
    """Nothing of these ARNs is in the account."""
    known = _answers.get()
    if known is not None:
        known.absent[account] |= arns


def is_absent(account: int, arn: str) -> bool:
    """Whether it is known that nothing of this ARN is in the account."""
    known = _answers.get()
    return known is not None and arn in known.absent.get(account, _NONE)
