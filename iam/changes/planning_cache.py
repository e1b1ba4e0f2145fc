"""Caches reads while a set is planned: the mirror counts as fixed, and each question is asked once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar, cast

T = TypeVar("T")
_NONE: Final[frozenset[str]] = frozenset()


class _Answers(dict[Hashable, object]):
    """Cached answers, and by account the ARNs that are known not to exist."""

    def __init__(self) -> None:
        super().__init__()
        self.absent: defaultdict[int, set[str]] = defaultdict(set)


_answers: ContextVar[_Answers | None] = ContextVar("answers", default=None)


@contextmanager
def memoized_reads() -> Iterator[None]:
    """Cache the answers of `memoize` until the block ends; nested blocks share them. Nothing they read may be
    written meanwhile.
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
    """The answer, cached within `memoized_reads`; otherwise computed each time."""
    known = _answers.get()
    if known is None:
        return ask()
    if question not in known:
        known[question] = ask()
    return cast("T", known[question])


def prime(question: Hashable, answer: object) -> None:
    """Store an answer that was loaded together with others."""
    known = _answers.get()
    if known is not None:
        known[question] = answer


def primed(question: Hashable) -> object:
    """The stored answer, or None."""
    known = _answers.get()
    return None if known is None else known.get(question)


def prime_absent(account: int, arns: set[str]) -> None:
    """Store that these ARNs don't exist in the account."""
    known = _answers.get()
    if known is not None:
        known.absent[account] |= arns


def is_absent(account: int, arn: str) -> bool:
    """True if the ARN is known not to exist in the account."""
    known = _answers.get()
    return known is not None and arn in known.absent.get(account, _NONE)
